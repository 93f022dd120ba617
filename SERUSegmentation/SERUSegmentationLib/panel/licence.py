"""The licence of the weights, shown and agreed to before they are used for the first time."""

from __future__ import annotations

import slicer

from SERUSegmentationLib.panel.model_choices import ModelChoice
from SERUSegmentationLib.panel.settings import readSetting, writeSetting
from SERUSegmentationLib.texts import _

_ACCEPTED = "AcceptedLicences"


def askLicence(choice: ModelChoice, mustAsk: bool = False) -> bool:
    """Show a model's licence, once per model and licence.

    Args:
        choice: the model.
        mustAsk: ask again although it was agreed to.

    Returns:
        Whether the user agrees.
    """
    agreed = readSetting(_ACCEPTED, [])
    mark = f"{choice.key}: {choice.licence}"
    if mark in agreed and not mustAsk:
        return True
    text = _(
        "{title}\n\nLicence of the weights: {licence}\n\n"
        "For research only: this is not a medical device, and its results must not be used for diagnosis or "
        "treatment. {notes}\n\nDo you agree?"
    ).format(title=choice.title, licence=choice.licence, notes=choice.notes)
    if slicer.app.testingEnabled():
        return True
    if not slicer.util.confirmYesNoDisplay(text, windowTitle=_("Licence of the model")):
        return False
    writeSetting(_ACCEPTED, [*(other for other in agreed if other != mark), mark])
    return True
