"""``python -m seru``: the same as the command ``seru``."""

import sys

from seru.cli import main

if __name__ == "__main__":
    sys.exit(main())
