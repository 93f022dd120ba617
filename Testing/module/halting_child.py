"""The panel's child that stops half way while a file names a stage: what a test meets there hangs on no speed.

    python halting_child.py HALT FOLDER ARGUMENTS...

HALT is the file; the rest is as of ``SERUSegmentationLib.run.child``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

# The first slices of a side are told of by then, and others are to come.
_STEPS = 2
_LOOK_S = 0.01


def main() -> int:
    """Run the child.

    Returns:
        Its exit code.
    """
    from seru.progress import RunRecord, RunStage
    from SERUSegmentationLib.run.child import main as child

    halt, tell = Path(sys.argv.pop(1)), RunRecord.stage

    def tell_and_halt(record: RunRecord, name: RunStage, done: int, total: int) -> None:
        tell(record, name, done, total)
        while done > min(_STEPS, total - 1) and halt.exists() and halt.read_text(encoding="utf-8") == name:
            record.check_cancelled()
            time.sleep(_LOOK_S)

    RunRecord.stage = tell_and_halt  # type: ignore[method-assign]
    return child()


if __name__ == "__main__":
    # The folder of the tests is none to import from.
    del sys.path[0]
    sys.exit(main())
