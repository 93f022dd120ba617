"""How far two masks agree, for tests."""

from __future__ import annotations

import numpy as np


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two masks; 0 where both are empty, so that no test passes on nothing."""
    both = np.count_nonzero(first) + np.count_nonzero(second)
    return float(2 * np.count_nonzero(first & second) / max(both, 1))
