"""``python -m seru``: the same as the command ``seru``."""

import os
import sys

# Read by OpenMP when torch loads it: threads that wait asleep lose little on an idle computer and are much faster
# where another program, such as Slicer itself, wants the cores too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from seru.cli import main

if __name__ == "__main__":
    sys.exit(main())
