"""Labels that say less than one class: what is known of each pixel, and what is left open.

Source: the marginal loss for partially labelled data sets, Shi et al., Medical Image Analysis 2021.
"""

from __future__ import annotations

import numpy as np

from seru.findings import BACKGROUND, KIDNEY, TUMOR
from training.labelled import Knowledge

KIDNEY_OR_TUMOR, NOT_TUMOR, UNKNOWN = 3, 4, 5

# For each label the classes that it may be.
ALLOWED = np.array(
    [
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [False, True, True],
        [True, True, False],
        [True, True, True],
    ]
)


def partial_labels(
    labels: np.ndarray,
    knowledge: Knowledge,
    teacher: np.ndarray | None,
    sure: tuple[float, float],
    is_blind: bool = False,
) -> np.ndarray:
    """Return labels that leave open what nobody knows.

    Args:
        labels: uint8, any shape: 0 background, 1 kidney, 2 tumor; 0 where nothing is known.
        knowledge: what they say.
        teacher: uint8, same shape, probability of kidney or tumor times 255; None where no teacher was asked. It is
            looked at only where the labels do not tell kidney from background.
        sure: a teacher's probability up to the first number is background, from the second on kidney (or tumor, where
            that is not known to be absent).
        is_blind: the teacher may overlook kidneys on such images: what it calls background is left open.

    Returns:
        uint8, same shape; beside the three classes ``KIDNEY_OR_TUMOR``, ``NOT_TUMOR`` and ``UNKNOWN``.
    """
    if knowledge == "everything":
        return labels
    if knowledge == "kidney":
        return np.where(labels > BACKGROUND, np.uint8(KIDNEY_OR_TUMOR), labels)
    has_no_tumor = knowledge == "no tumor"
    result = np.full_like(labels, NOT_TUMOR if has_no_tumor else UNKNOWN)
    if teacher is not None:
        low, high = (share * 255 for share in sure)
        if not is_blind:
            result[teacher <= low] = BACKGROUND
        result[teacher >= high] = KIDNEY if has_no_tumor else KIDNEY_OR_TUMOR
    return result


def shows_kidney(labels: np.ndarray) -> np.ndarray:
    """Return where partial labels are sure of kidney or tumor: bool, same shape."""
    return ~ALLOWED[labels, BACKGROUND]


def shows_tumor(labels: np.ndarray) -> np.ndarray:
    """Return where partial labels are sure of tumor: bool, same shape."""
    return labels == TUMOR
