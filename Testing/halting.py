"""A program that stops half way while a file names a stage: what a test meets there hangs on no machine's speed.

    python halting.py HALT MODULE ARGUMENTS...

HALT is the file; the rest is as of ``python -m``.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The first slices of a side are told of by then, and others are to come.
_STEPS = 2
_LOOK_S = 0.01


@contextmanager
def halted(halt: Path, stage: str) -> Iterator[None]:
    """Meanwhile runs stop in a stage, after its first steps, until they are cancelled or this ends.

    Args:
        halt: the file that the program was given.
        stage: of a run.
    """
    halt.write_text(stage, encoding="utf-8")
    try:
        yield
    finally:
        halt.unlink()


def main() -> None:
    """Run the module."""
    # The script's own folder has another ``seru``.
    del sys.path[0]
    from seru.progress import RunRecord, RunStage

    _, halt, *sys.argv = sys.argv
    tell = RunRecord.stage

    def tell_and_halt(record: RunRecord, name: RunStage, done: int, total: int) -> None:
        tell(record, name, done, total)
        while done > min(_STEPS, total - 1) and _named_in(Path(halt)) == name:
            record.check_cancelled()
            time.sleep(_LOOK_S)

    RunRecord.stage = tell_and_halt  # type: ignore[method-assign]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _named_in(halt: Path) -> str:
    try:
        return halt.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main()
