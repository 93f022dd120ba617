"""Make a release and check it.

    python -m tools.release TAG --output FOLDER [--url BASE] [--trial]

docs/releasing.md says what to do with the folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from seru.errors import SeruError
from tools.release.checks import check_release
from tools.release.make import make_release

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """Make the release, and tell each check in a line.

    Returns:
        0; 1 where a check failed, 2 where there is no release.
    """
    parser = argparse.ArgumentParser(prog="tools.release", description="Make a release from a tag, and check it.")
    parser.add_argument("tag", metavar="TAG", help="tag of this repository")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="missing or empty")
    parser.add_argument("--url", metavar="BASE", help="where the archives will lie (default: the release on GitHub)")
    parser.add_argument("--trial", action="store_true", help="to look at, not to publish: TAG may be any revision")
    arguments = parser.parse_args()
    try:
        release = make_release(REPOSITORY, arguments.tag, arguments.output, arguments.url, arguments.trial)
    except SeruError as error:
        print(f"release: {error}", file=sys.stderr)
        return error.exit_code
    outcomes = check_release(release)
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.is_passed else 'FAILED'} {outcome.name}: {outcome.text}")
    return 0 if all(outcome.is_passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
