"""``python -m training``: the recipe, one command per step."""

import sys
from pathlib import Path

try:
    import seru  # noqa: F401
except ModuleNotFoundError:
    # A checkout that is not installed: the package lies beside this one.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "SERUSegmentation"))

from training.cli import main

if __name__ == "__main__":
    sys.exit(main())
