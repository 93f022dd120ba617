"""Fusion of the coarse and the refined stage, at any alpha, live.

Source: SERU manuscript, fusion section: ``alpha * coarse + (1 - alpha) * refined`` on class probabilities, then
arg max. The difference of two classes is linear in alpha: where both ends agree on the class, every alpha between
does too, so only the voxels where the ends differ are ever recomputed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seru.findings import BACKGROUND, KIDNEY, TUMOR
from seru.options import check_alpha
from seru.result.maps import Maps

# Voxels at once: the fusion of a whole scan in float64 would take gigabytes.
_CHUNK = 1 << 20


def fuse_probabilities(coarse: np.ndarray, refined: np.ndarray, alpha: float) -> np.ndarray:
    """Fuse the probabilities of both stages and take the most probable class.

    Args:
        coarse: uint8, shape (n, 2): kidney and tumor probability times 255; background is what is left.
        refined: uint8, shape (n, 2), likewise; equal to ``coarse`` outside the crops.
        alpha: weight of the coarse stage, 0..1.

    Returns:
        uint8, shape (n,): 0 background, 1 kidney, 2 tumor; of equal probabilities the lower class.

    Raises:
        BadInputError: alpha is not between 0 and 1.
    """
    check_alpha(alpha)
    labels = np.empty(len(coarse), np.uint8)
    for start in range(0, len(labels), _CHUNK):
        part = slice(start, start + _CHUNK)
        if alpha in (0.0, 1.0):
            labels[part] = _most_probable(*_classes(coarse[part] if alpha else refined[part]))
        else:
            # Each class is mixed by the same float64 operations: ties of 8-bit numbers stay ties.
            pairs = zip(_classes(coarse[part]), _classes(refined[part]), strict=True)
            labels[part] = _most_probable(*(alpha * a.astype(np.float64) + (1.0 - alpha) * b for a, b in pairs))
    return labels


def fused_maps(maps: Maps, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Fuse the probabilities of both stages, whatever is believed of them.

    Args:
        maps: of a run.
        alpha: weight of the coarse stage, 0..1.

    Returns:
        Of kidney and of tumor: uint8, shape of the input (K, J, I), 255 = 1; 0 where nothing is stored.

    Raises:
        BadInputError: alpha is not between 0 and 1.
    """
    weight = np.float32(check_alpha(alpha))
    kidney, tumor = (
        maps.whole(
            maps.on_box(np.rint(weight * maps.coarse[:, n] + (1 - weight) * maps.refined[:, n]).astype(np.uint8))
        )
        for n in range(2)
    )
    return kidney, tumor


def is_foreground(probabilities: np.ndarray) -> np.ndarray:
    """Tell where kidney or tumor is the most probable class.

    Args:
        probabilities: uint8, shape (..., 2, rows, columns): kidney and tumor probability times 255.

    Returns:
        bool, shape (..., rows, columns).
    """
    if probabilities.ndim > 3:  # slice by slice what lies between stays in the processor's cache
        found = np.empty((*probabilities.shape[:-3], *probabilities.shape[-2:]), bool)
        for index, of_slice in enumerate(probabilities):
            found[index] = is_foreground(of_slice)
        return found
    kidney, tumor = probabilities
    return np.maximum(kidney, tumor) > 255 - (kidney + tumor)


class LiveFusion:
    """Labels of one run at any alpha.

    The first call costs a pass over the stored voxels; each later one touches only those that can change.

    Args:
        maps: of the run.
    """

    def __init__(self, maps: Maps) -> None:
        self.maps = maps

    @cached_property
    def stored_coarse(self) -> np.ndarray:
        """Labels of the coarse stage alone, uint8, of each stored voxel."""
        return fuse_probabilities(self.maps.coarse, self.maps.refined, 1.0)

    @cached_property
    def stored_refined(self) -> np.ndarray:
        """Labels of the refined stage alone, uint8, of each stored voxel."""
        return fuse_probabilities(self.maps.coarse, self.maps.refined, 0.0)

    @cached_property
    def _changing(self) -> np.ndarray:
        return np.flatnonzero(self.stored_coarse != self.stored_refined)

    @cached_property
    def changing_probabilities(self) -> tuple[np.ndarray, np.ndarray]:
        """Coarse and refined probabilities of the voxels that alpha can change, in the order of the index."""
        return self.maps.coarse[self._changing], self.maps.refined[self._changing]

    @cached_property
    def changing_index(self) -> np.ndarray:
        """Flat indices into the stored box, int64, ascending, of the voxels that alpha can change."""
        return self.maps.flat_index[self._changing]

    def changing_labels(self, alpha: float) -> np.ndarray:
        """Return the labels of the voxels that alpha can change.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            uint8, in the order of :attr:`changing_index`.

        Raises:
            BadInputError: alpha is not between 0 and 1.
        """
        return fuse_probabilities(*self.changing_probabilities, alpha)

    def label_at(self, place: tuple[int, int, int], alpha: float) -> int:
        """Return the label of one voxel.

        Args:
            place: its index (k, j, i) into the stored box.
            alpha: weight of the coarse stage, 0..1.

        Returns:
            0 background, as where nothing is stored, 1 kidney, 2 tumor.

        Raises:
            BadInputError: alpha is not between 0 and 1.
        """
        if not self.maps.mask[place]:
            return BACKGROUND
        flat = np.ravel_multi_index(place, self.maps.mask.shape)
        stored = np.searchsorted(self.maps.flat_index, flat)
        one = slice(stored, stored + 1)
        return int(fuse_probabilities(self.maps.coarse[one], self.maps.refined[one], alpha)[0])

    def box_labels(self, alpha: float) -> np.ndarray:
        """Return the labels on the stored box.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            uint8, shape of the box (K, J, I); a new array.

        Raises:
            BadInputError: alpha is not between 0 and 1.
        """
        labels = self.coarse_labels()
        labels.reshape(-1)[self.changing_index] = self.changing_labels(alpha)
        return labels

    def labels_kji(self, alpha: float) -> np.ndarray:
        """Return the labels on the whole grid of the input.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            uint8, shape (K, J, I).

        Raises:
            BadInputError: alpha is not between 0 and 1.
        """
        return self.maps.whole(self.box_labels(alpha))

    def coarse_labels(self) -> np.ndarray:
        """Return the labels of the coarse stage alone (alpha 1), uint8, on the stored box; a new array."""
        return self.maps.on_box(self.stored_coarse)

    def refined_labels(self) -> np.ndarray:
        """Return the labels of the refined stage (alpha 0), uint8, on the stored box; a new array."""
        return self.maps.on_box(self.stored_refined)

    def disagreement(self) -> np.ndarray:
        """Return where the stages disagree, bool, on the stored box; a new array."""
        return self.maps.on_box(self.stored_coarse != self.stored_refined)


def _classes(foreground: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Background, kidney and tumor, uint8; their sum is 255."""
    kidney, tumor = foreground[:, 0], foreground[:, 1]
    return 255 - (kidney + tumor), kidney, tumor


def _most_probable(background: np.ndarray, kidney: np.ndarray, tumor: np.ndarray) -> np.ndarray:
    """The largest class, uint8; of equal ones the lower."""
    labels = (kidney > background).astype(np.uint8) * np.uint8(KIDNEY)
    labels[(tumor > background) & (tumor > kidney)] = TUMOR
    return labels
