"""``seru phantom``: a synthetic CT with known kidneys and tumors."""

from __future__ import annotations

import argparse
from typing import get_args

from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.session import Session
from seru.cohort.outputs import check_apart
from seru.errors import BadInputError
from seru.files import FileGroup
from seru.io.images import LABEL_ENDINGS, ending_of, write_labels, write_volume
from seru.memory import NUMERIC_LIBRARIES, require_room
from seru.phantom.options import PhantomOptions, TumorSides
from seru.places import check_writable

DESCRIPTION = "Make a synthetic abdominal CT with known kidneys and tumors."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument("output", type=existing_path, metavar="OUT.nii.gz", help=".nii.gz, .nrrd or .mha")
    parser.add_argument("--truth", type=existing_path, metavar="LABELS.nii.gz", help="write the true labels as well")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed is another patient (default: 0)")
    parser.add_argument("--tumor", default="both", choices=get_args(TumorSides), help="sides with a tumor")
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Make a phantom.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        BadInputError: an option is wrong, or a file cannot be written.
        CancelledError: the run was cancelled.
    """
    options = PhantomOptions(seed=arguments.seed, tumor=arguments.tumor)
    named = [("image", arguments.output), ("labels", arguments.truth)]
    paths = [path for _, path in named if path is not None]
    check_apart((what, path) for what, path in named if path is not None)
    for path in paths:
        if ending_of(path, LABEL_ENDINGS) is None:
            raise BadInputError(f"'{path.name}' has an unknown ending; give one of {', '.join(LABEL_ENDINGS)}.")
        check_writable(path)
    require_room(NUMERIC_LIBRARIES)
    from seru.phantom import make_phantom

    phantom = make_phantom(options)
    session.progress.check_cancelled()
    with FileGroup() as group:
        if arguments.truth is not None:
            write_labels(phantom.labels_kji, phantom.volume, arguments.truth, session.progress, group.open)
        write_volume(phantom.volume, arguments.output, session.progress, group.open)
        session.progress.check_cancelled()
    session.done(None)
    for path in paths:
        session.say(f"written: {path}")
    return 0
