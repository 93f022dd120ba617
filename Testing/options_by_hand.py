"""The options as tests need them: parsed by the command itself, and with values that are not the defaults."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from seru.cli.arguments import add_run_arguments, segment_options
from seru.options import SegmentOptions, SideBox, Switch


def parsed(arguments: Sequence[str]) -> SegmentOptions:
    """The options that the command takes from arguments."""
    parser = argparse.ArgumentParser()
    add_run_arguments(parser, is_of_one_ct=True)
    return segment_options(parser.parse_args(arguments))


def another_value(switch: Switch) -> Any:
    """A value that is not the default."""
    if switch.choices:
        return next(choice for choice in reversed(switch.choices) if choice != switch.default)
    if switch.kind is SideBox:
        return SideBox("right", (1, 2, 3), (4, 5, 6)), SideBox("left", (7, 8, 9), (7, 8, 9))
    return {bool: not switch.default, int: 3, float: 0.25, str: "cuda:1"}[switch.kind]
