"""Times a cohort's page in Chromium: how long it takes to load, to sort, and to give a verdict by a key.

    python -m benchmarks.cohort_page --cases 500 2000 5000

Each page is loaded three times, and the median told: of the clock, and of the page's own thread, which other programs
make no longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from seru.cohort.page import write_cohort_page
from Testing.seru.browser import CHROMIUM, Browser, running_browser
from Testing.seru.cohorts_by_hand import many_cases

_LOADS = 3
_VERDICTS = 20


def main() -> int:
    """Print a line for each number of cases; 1 where there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[500, 2000, 5000])
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("Chromium is not installed.")
        return 1
    print("cases     MB  written s  loaded s  its thread s  sorted s  verdict ms")
    for count in arguments.cases:
        with tempfile.TemporaryDirectory() as folder:
            print(_line(Path(folder), count), flush=True)
    return 0


def _line(folder: Path, count: int) -> str:
    cases = many_cases(count)
    start = time.perf_counter()
    path = write_cohort_page(folder, {"cases": cases}, ".nii.gz")
    written_s = time.perf_counter() - start
    with running_browser(folder / "profile") as browser:
        browser.call("Performance.enable", timeDomain="threadTicks")
        loads = [_load(browser, path) for _ in range(_LOADS)]
        browser.value("document.getElementById('cases').scrollIntoView()")
        _show(browser)
        start = time.perf_counter()
        browser.value("document.querySelectorAll('#table thead button')[2].click()")
        _show(browser)
        sorted_s = time.perf_counter() - start
        start = time.perf_counter()
        browser.press(*"a" * _VERDICTS)
        verdict_ms = (time.perf_counter() - start) / _VERDICTS * 1000
    loaded_s, thread_s = map(median, zip(*loads, strict=True))
    size_mb = path.stat().st_size / 1e6
    times = f"{written_s:10.2f} {loaded_s:9.2f} {thread_s:13.2f} {sorted_s:9.2f} {verdict_ms:11.1f}"
    return f"{count:5} {size_mb:6.1f} {times}"


def _load(browser: Browser, path: Path) -> tuple[float, float]:
    """Seconds of a load by the clock, and of the page's main thread."""
    browser.call("Page.navigate", url="about:blank")
    before = _thread_s(browser)
    start = time.perf_counter()
    browser.open(path)
    _show(browser)
    return time.perf_counter() - start, _thread_s(browser) - before


def _show(browser: Browser) -> None:
    """Wait until what has changed is in the window."""
    browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _thread_s(browser: Browser) -> float:
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


if __name__ == "__main__":
    sys.exit(main())
