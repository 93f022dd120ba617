"""The labels of voxels while alpha moves: a step looks only at the voxels whose class it can change.

Fused probabilities are linear in alpha. Along the slider a voxel leaves the refined stage's class once and comes to the
coarse stage's once, maybe by way of the third class. Sorted by these two alphas, the voxels that a step passes are a
range; their labels are fused anew, so they are those of :func:`seru.result.fusion.fuse_probabilities` to the bit.
"""

from __future__ import annotations

import numpy as np

from seru.result.fusion import fuse_probabilities

# More than what rounding to float32 moves a crossing.
_MARGIN = 1e-6


class MovingLabels:
    """Labels of some voxels at an alpha that moves.

    Args:
        coarse: uint8, shape (n, 2): kidney and tumor probability times 255.
        refined: uint8, shape (n, 2), likewise; its class differs from the coarse one's in each voxel.

    Attributes:
        labels: uint8, shape (n,): 0 background, 1 kidney, 2 tumor, at the alpha of the last :meth:`move_to`; at first
            the refined stage's.
        alpha: weight of the coarse stage that they belong to.
    """

    def __init__(self, coarse: np.ndarray, refined: np.ndarray) -> None:
        self._coarse, self._refined = coarse, refined
        self.alpha = 0.0
        self.labels = fuse_probabilities(coarse, refined, 0.0)
        ends = fuse_probabilities(coarse, refined, 1.0)
        leaving = _crossing(refined, coarse, self.labels)
        coming = 1 - _crossing(coarse, refined, ends)
        # Most voxels go straight from one class to the other.
        third = np.flatnonzero(coming > leaving + 2 * _MARGIN)
        self._leaving, self._by_leaving = _sorted(leaving, np.arange(len(leaving)))
        self._coming, self._by_coming = _sorted(coming[third], third)
        self._left = leaving[self._by_coming]

    def move_to(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Bring the labels to another alpha.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            int64, shape (m,): positions of the labels that changed, each once, in no order; and uint8, shape (m,):
            what they were.

        Raises:
            BadInputError: alpha is not between 0 and 1.
        """
        index = self._passed(min(alpha, self.alpha), max(alpha, self.alpha))
        new = fuse_probabilities(self._coarse[index], self._refined[index], alpha)
        old = self.labels[index]
        is_changed = new != old
        index = index[is_changed]
        self.labels[index] = new[is_changed]
        self.alpha = alpha
        return index, old[is_changed]

    def _passed(self, low: float, high: float) -> np.ndarray:
        """The voxels whose class may differ between two alphas, each once."""
        ends = np.array([low - _MARGIN, high + _MARGIN], np.float32)
        left = slice(*np.searchsorted(self._leaving, ends))
        came = slice(*np.searchsorted(self._coming, ends))
        # A step that is wider than a voxel's way through the third class meets the voxel twice.
        is_new = (self._left[came] < ends[0]) | (self._left[came] >= ends[1])
        return np.concatenate([self._by_leaving[left], self._by_coming[came][is_new]])


def _sorted(alphas: np.ndarray, voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(alphas)
    return alphas[order], voxels[order]


def _crossing(start: np.ndarray, end: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How far on the way from one end to the other the first class overtakes that of ``labels``; float32, 0..1.

    Args:
        start: uint8, shape (n, 2), probabilities where ``labels`` are the most probable classes.
        end: uint8, shape (n, 2), where they are not.
        labels: uint8, shape (n,).
    """
    crossing = np.ones(len(labels), np.float32)
    starts, ends = _three_classes(start), _three_classes(end)
    rows = np.arange(len(labels))
    own_start, own_end = starts[labels, rows], ends[labels, rows]
    for other_start, other_end in zip(starts, ends, strict=True):
        lead, gain = own_start - other_start, (own_start - other_start) - (own_end - other_end)
        # A class that gains nothing, as the own one against itself, never overtakes.
        np.minimum(crossing, np.divide(lead, gain, out=np.ones_like(lead), where=gain > 0), out=crossing)
    return crossing


def _three_classes(foreground: np.ndarray) -> np.ndarray:
    """Background, kidney and tumor times 255, float32, shape (3, n)."""
    kidney, tumor = foreground.astype(np.float32).T
    return np.stack([255 - kidney - tumor, kidney, tumor])
