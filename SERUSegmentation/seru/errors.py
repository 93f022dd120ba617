"""The errors that SERU raises: one sentence each, with the command's exit code."""

from __future__ import annotations


class SeruError(Exception):
    """Base of every error that SERU raises on purpose.

    The message is one sentence that says what came, what was expected and what to do.
    """

    exit_code: int = 1


class BadInputError(SeruError):
    """The input, an option or the output place cannot be used."""

    exit_code = 2


class ModelError(SeruError):
    """A model is missing, damaged or does not fit this version."""

    exit_code = 3


class DeviceError(SeruError):
    """The device failed, is unknown to this machine, or has too little memory."""

    exit_code = 4


class CancelledError(SeruError):
    """The run was cancelled by the user."""

    exit_code = 130
