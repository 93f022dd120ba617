"""Why a run failed, in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from seru.errors import BadInputError, CancelledError, DeviceError, ModelError, SeruError
from SERUSegmentationLib.texts import _

_KINDS = {kind.exit_code: kind for kind in (SeruError, BadInputError, ModelError, DeviceError, CancelledError)}


def toldError(code: int, message: str) -> SeruError:
    """Return the error that the command told of.

    Args:
        code: of its exit.
        message: its sentence.
    """
    if code == ModelError.exit_code and "Setup" not in message:
        # The command's sentence; where its buttons are only the module knows.
        message = _("{reason} (in the module: Setup, Fetch).").format(reason=message.rstrip("."))
    return _KINDS.get(code, SeruError)(message)


def deathOf(code: int | None, errorLines: Sequence[str], hasFlooded: bool) -> SeruError:
    """Return why the process has ended without a word.

    Args:
        code: of its exit.
        errorLines: what it printed last on standard error.
        hasFlooded: it was ended because it printed without end.
    """
    missing = [line for line in errorLines if line.startswith("ModuleNotFoundError")]
    if missing:
        name = missing[-1].split("'")[1] if "'" in missing[-1] else missing[-1]
        return ModelError(_("The Python package '{name}' is missing; open Setup and click Install.").format(name=name))
    if hasFlooded:
        return SeruError(_("The segmentation process printed without end and was stopped; see the log."))
    if code in (-9, 137):
        return DeviceError(
            _(
                "The segmentation process was killed from outside, most likely because memory ran out; "
                "close other programs or crop the volume and try again."
            )
        )
    text = _("The segmentation process died unexpectedly (exit code {code}); see the log.")
    return SeruError(text.format(code=code))
