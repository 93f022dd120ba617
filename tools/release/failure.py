"""How a check of a release fails."""

from __future__ import annotations


class CheckError(Exception):
    """A release is not what it must be; the message says how."""


def require(is_so: bool, otherwise: str) -> None:
    """Go on where something is so.

    Args:
        is_so: what must hold.
        otherwise: what is wrong where it does not.

    Raises:
        CheckError: it does not hold.
    """
    if not is_so:
        raise CheckError(otherwise)
