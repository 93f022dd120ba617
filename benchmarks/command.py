"""What the benchmarks have in common as commands."""

from __future__ import annotations

import argparse
import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

from seru.errors import SeruError

P = ParamSpec("P")


def told_in_a_sentence(main: Callable[P, int]) -> Callable[P, int]:
    """Make a benchmark's ``main`` say what is wrong with its input, and return 2, as the product's command does."""
    name = Path(inspect.getfile(main)).stem

    @functools.wraps(main)
    def told(*arguments: P.args, **named: P.kwargs) -> int:
        try:
            return main(*arguments, **named)
        except (SeruError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2

    return told


def positive(text: str) -> int:
    """Return a number of 1 or more, for an argument.

    Raises:
        ArgumentTypeError: the text is none.
    """
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of 1 or more")
    return count
