"""``python -m seru``: the same as the command ``seru``."""

import os
import sys
from collections.abc import Sequence

from seru.signals import Signals

# Read by OpenMP when torch loads it: threads that wait asleep lose little on an idle computer and are much faster
# where another program, such as Slicer itself, wants the cores too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# numpy multiplies 4x4 matrices here: memory for more threads would be taken on every core, for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Slices are prepared by threads of ours; where OpenCV may not start its own, it says so on stderr.
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; None takes the process's own, which then ends.

    Returns:
        Exit code, as :func:`seru.cli.main.main`.
    """
    signals = Signals()
    # Before the imports, which take most of the first second.
    signals.catch()
    try:
        from seru.cli import main as run

        return run(arguments, signals)
    finally:
        if arguments is None:
            signals.ignore()
        else:
            signals.release()


if __name__ == "__main__":
    sys.exit(main())
