"""SERU beside others on one CT and one machine: seconds, processor seconds, peak memory, each in a process of its own.

    python -m benchmarks.peers [--ct CT] [--output peers.json]

SERU is timed end to end, reading and writing included; first as it runs by itself, by the engine that the table names.
The first run of a computer also converts the networks for OpenVINO, which keeps them: look at the second. Of the others
a stated number of passes is timed and multiplied by the passes that the CT takes; what they do besides (resampling,
padding, writing, nnU-Net's mirroring, which makes eight passes of one, and its ensembles) is left out, and the memory
is that of the passes alone: both in their favour. The public U-Net's memory holds the CT as well. nnU-Net's
architectures come from PyPI (dynamic-network-architectures) into a folder of their own. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.command import positive, told_in_a_sentence
from benchmarks.end_to_end import REPOSITORY, make_phantom_file
from benchmarks.peer_networks import PLANS, UNET, UNET_MODEL, count_patches, resampled_shape
from seru.errors import BadInputError

ENGINES = ("auto", "openvino", "torch")
NAMES = (*(f"seru-{engine}" for engine in ENGINES), UNET, *PLANS)
_UNET_SOURCE = "openvino_unet_kits19: trained by others on KiTS19, Apache-2.0"
ARCHITECTURES = "dynamic-network-architectures==0.4.4"
# What decides in which numbers a network computes, as Linux names it.
_INSTRUCTIONS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
_DATA = Path(os.environ.get("SERU_DATA", REPOSITORY.parent / "shared" / "data"))


class Skipped(Exception):  # noqa: N818 - not an error: the table goes on without a row
    """A row cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Row:
    """What one way takes for the CT.

    Attributes:
        title: of the way.
        seconds: wall clock.
        cpu_seconds: of all cores.
        peak_gb: most memory of its process.
        passes: of the network over the CT; None where all of it was timed end to end.
        timed: how many of them were timed.
        source: of the network's facts; empty for SERU.
    """

    title: str
    seconds: float
    cpu_seconds: float
    peak_gb: float
    passes: int | None = None
    timed: int | None = None
    source: str = ""


@told_in_a_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 where an argument is wrong."""
    given = parse(arguments)
    if given.output is not None and not given.output.parent.is_dir():
        raise BadInputError(f"The folder of '{given.output}' does not exist; make it first.")
    facts = measure(given)
    if given.output is not None:
        given.output.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(table(facts))
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", type=Path, help="CT file; default: a phantom of 512x512x200")
    parser.add_argument("--only", nargs="+", default=NAMES, choices=NAMES, help="leave the others out")
    parser.add_argument("--passes", type=positive, default=2, help="patches that are timed of each 3D network (2)")
    parser.add_argument("--slices", type=positive, default=20, help="slices that are timed of the public U-Net (20)")
    parser.add_argument("--unet", type=Path, default=_DATA / "peer" / "openvino_unet_kits19", help="its folder")
    parser.add_argument("--architectures", type=Path, help=f"folder that holds {ARCHITECTURES} (default: installed)")
    parser.add_argument("--model", help="model id or folder of SERU (default: the default model)")
    parser.add_argument("--output", type=Path, help="the same as JSON")
    return parser.parse_args(arguments)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Measure one way after the other.

    Args:
        given: of :func:`parse`.

    Returns:
        Machine, CT, rows and what was left out, JSON-ready.

    Raises:
        BadInputError: the CT cannot be read.
    """
    from seru.io.images import read_volume
    from seru.orientation import AxialStack

    folder = REPOSITORY / "build" / "benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    ct = given.ct or make_phantom_file(folder / "phantom_200.nii.gz", 200)
    stack = AxialStack.of(read_volume(ct))
    shape, spacing = stack.hu.shape, stack.spacing_mm
    del stack
    rows, skipped, load = {}, {}, os.getloadavg()[0]
    for name in given.only:
        print(f"{name} ...", file=sys.stderr)
        try:
            rows[name] = asdict(measure_one(name, given, ct, shape, spacing))
        except Skipped as reason:
            skipped[name] = str(reason)
    flags = _of_cpu("flags").split()
    machine = {
        "cpu": _of_cpu("model name") or platform.machine(),
        "instructions": [name for name in _INSTRUCTIONS if name in flags],
        "cores": len(os.sched_getaffinity(0)),
        "load_before": load,
    }
    scan = {"file": ct.name, "shape_kji": list(shape), "spacing_kji_mm": [round(float(s), 4) for s in spacing]}
    return {"machine": machine, "ct": scan, "rows": rows, "skipped": skipped}


def measure_one(
    name: str, given: argparse.Namespace, ct: Path, shape: Sequence[int], spacing_mm: Sequence[float]
) -> Row:
    """Measure one way.

    Args:
        name: one of ``NAMES``.
        given: of :func:`parse`.
        ct: CT file.
        shape: of the CT, slices first.
        spacing_mm: of the CT.

    Raises:
        Skipped: it cannot be measured here.
    """
    if name not in (UNET, *PLANS):
        return _seru(name.removeprefix("seru-"), given.model, ct)
    if name == UNET:
        if not (given.unet / UNET_MODEL).is_file():
            raise Skipped(f"{given.unet} holds no {UNET_MODEL}; --unet names the folder")
        arguments = ["--passes", str(given.slices), "--ct", str(ct), "--folder", str(given.unet)]
        one, peak = _passes(name, arguments, [])
        title = "public 2D U-Net of KiTS19, kidney and tumor as one class, OpenVINO"
        return extrapolated(title, one, peak, shape[0], given.slices, _UNET_SOURCE)
    plan = PLANS[name]
    one, peak = _passes(name, ["--passes", str(given.passes)], [given.architectures or _architectures()])
    patches = count_patches(resampled_shape(shape, spacing_mm, plan), plan)
    return extrapolated(plan.title, one, peak, patches, given.passes, plan.source)


def extrapolated(title: str, one: dict[str, float], peak_gb: float, passes: int, timed: int, source: str) -> Row:
    """Return the row of a way of which some passes were timed.

    Args:
        title: of the way.
        one: seconds and processor seconds of a pass.
        peak_gb: most memory of the passes.
        passes: that the CT takes.
        timed: how many were timed.
        source: of the network's facts.
    """
    seconds, busy = one["seconds"] * passes, one["cpu_seconds"] * passes
    return Row(title, seconds, busy, peak_gb, passes, timed, source)


def table(facts: dict[str, Any]) -> str:
    """Return the facts of :func:`measure` as text; ratios are to the first row."""
    machine, ct, rows = (facts[key] for key in ("machine", "ct", "rows"))
    lines = [
        f"{machine['cpu']} ({' '.join(machine['instructions'])}), {machine['cores']} cores, "
        f"load {machine['load_before']:.1f} before",
        f"{ct['file']}, slices, rows, columns {ct['shape_kji']}, {ct['spacing_kji_mm']} mm; ~ is extrapolated\n",
        f"{'way':64}{'seconds':>10}{'ratio':>8}{'CPU s':>10}{'GB':>7}   timed",
    ]
    first = next((row["seconds"] for row in rows.values()), None)
    for row in rows.values():
        mark, timed = ("~", f"{row['timed']} of {row['passes']} passes") if row["passes"] else ("", "end to end")
        seconds, busy = f"{mark}{row['seconds']:.1f}", f"{mark}{row['cpu_seconds']:.1f}"
        lines.append(
            f"{row['title']:64}{seconds:>10}{row['seconds'] / first:>8.1f}{busy:>10}{row['peak_gb']:>7.2f}   {timed}"
        )
    lines += [f"left out: {name}: {reason}" for name, reason in facts["skipped"].items()]
    return "\n".join(lines)


def _seru(engine: str, model: str | None, ct: Path) -> Row:
    with tempfile.TemporaryDirectory() as place:
        command = ["-m", "seru", "segment", str(ct), "-o", f"{place}/labels.nii.gz", "--engine", engine]
        command += ["--report", f"{place}/report.json", "--device", "cpu", "--progress", "none"]
        _, seconds, busy, peak = _process(command + (["--model", model] if model else []), [])
        taken = json.loads(Path(place, "report.json").read_text(encoding="utf-8"))["engine"]
    return Row(f"SERU, as it runs by itself: {taken}" if engine == "auto" else f"SERU, {taken}", seconds, busy, peak)


def _passes(name: str, arguments: list[str], paths: list[Path]) -> tuple[dict[str, float], float]:
    out, _, _, peak = _process(["-m", "benchmarks.peer_networks", name, *arguments], paths)
    return json.loads(out.splitlines()[-1]), peak


def _process(arguments: list[str], paths: list[Path]) -> tuple[str, float, float, float]:
    """Run Python; return what it printed, its seconds, processor seconds and most memory in GB."""
    places = [REPOSITORY / "SERUSegmentation", REPOSITORY, *paths]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=REPOSITORY, env=environment, stdout=out, stderr=error
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        out.seek(0)
        error.seek(0)
        if status:
            told = error.read().strip().splitlines() or [f"status {status}"]
            raise Skipped(told[-1])
        return out.read(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


def _architectures() -> Path:
    """Install nnU-Net's architectures into a folder of their own, once; they need nothing but torch for a U-Net."""
    folder = REPOSITORY / "build" / "benchmark" / ARCHITECTURES
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", f"{place}/it", ARCHITECTURES]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Skipped(f"{ARCHITECTURES} could not be installed ({done.stderr.strip().splitlines()[-1:]})")
            Path(place, "it").rename(folder)
    return folder


def _of_cpu(fact: str) -> str:
    """What Linux says of the first core; empty where it does not."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(fact)), "")


if __name__ == "__main__":
    sys.exit(main())
