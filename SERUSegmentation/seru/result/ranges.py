"""How far a finding's volume and diameter depend on choices that could have been others.

The same component is measured as the coarse and as the refined stage alone show it (alpha 1 and 0), and where its
probability is above 0.3 and above 0.7 at the alpha that is shown: a range in place of a single number.

Source: our rule; how often the true value lies inside is measured by ``python -m training evaluate``.
"""

from __future__ import annotations

import math

import numpy as np

from seru.findings import LABEL_OF
from seru.orientation import find_orientation
from seru.result.components import Box, bounding_box, label_components
from seru.result.diameters import axial_diameters
from seru.result.fusion import fuse_probabilities
from seru.result.gate import Component
from seru.result.maps import Maps

PROBABILITIES = (0.3, 0.7)
# How far beyond its voxels a component may reach.
_MARGIN_MM = 10.0

Range = tuple[float, float]


class Ranges:
    """Finds the ranges of components.

    Args:
        maps: of the run.
        labels_box: uint8, on the stored box, as they are shown.
        alpha: that they are shown at.
    """

    def __init__(self, maps: Maps, labels_box: np.ndarray, alpha: float) -> None:
        self._maps, self._labels, self._alpha = maps, labels_box, alpha
        self._orientation = find_orientation(maps.grid)

    def __call__(self, component: Component, voxels: np.ndarray) -> tuple[Range, Range | None]:
        """Find the ranges of a component.

        Args:
            component: of the labels.
            voxels: bool, shape of its box: what is measured of it.

        Returns:
            Least and most volume in ml, and of a tumor least and most longest diameter in an axial slice in mm; what is
            shown lies between.
        """
        label = LABEL_OF[component.kind]
        box = self._widened(component.box)
        shown = np.zeros([part.stop - part.start for part in box], bool)
        shown[_within(component.box, box)] = voxels
        is_others = (self._labels[box] == label) & ~shown
        masks = [shown, *(_connected(variant & ~is_others, shown) for variant in self._variants(box, label))]
        volumes = [round(float(np.count_nonzero(mask)) * self._maps.grid.voxel_ml, 4) for mask in masks]
        if component.kind == "kidney":
            return (min(volumes), max(volumes)), None
        diameters = [self._longest_mm(mask) for mask in masks]
        return (min(volumes), max(volumes)), (min(diameters), max(diameters))

    def _variants(self, box: Box, label: int) -> list[np.ndarray]:
        mask = self._maps.mask[box]
        stored = self._stored(box, mask)
        coarse, refined = self._maps.coarse[stored], self._maps.refined[stored]
        chosen = [fuse_probabilities(coarse, refined, alpha) == label for alpha in (0.0, 1.0)]
        weights = np.float32(self._alpha), np.float32(1 - self._alpha)
        fused = weights[0] * coarse[:, label - 1] + weights[1] * refined[:, label - 1]
        chosen += [fused > 255 * probability for probability in PROBABILITIES]
        variants = []
        for values in chosen:
            variant = np.zeros(mask.shape, bool)
            variant[mask] = values
            variants.append(variant)
        return variants

    def _longest_mm(self, mask: np.ndarray) -> float:
        box = bounding_box(mask)
        if box is None:
            return 0.0
        spacing_rc_mm = self._orientation.spacing_mm(self._maps.grid)[1:]
        axial = axial_diameters(self._orientation.to_stack(mask[box]), spacing_rc_mm)
        return round(axial.longest_mm, 4) if axial else 0.0

    def _widened(self, box: Box) -> Box:
        margins = [math.ceil(_MARGIN_MM / spacing) for spacing in self._maps.grid.spacing_kji_mm]
        k, j, i = (
            slice(max(part.start - margin, 0), min(part.stop + margin, size))
            for part, margin, size in zip(box, margins, self._labels.shape, strict=True)
        )
        return k, j, i

    def _stored(self, box: Box, mask: np.ndarray) -> np.ndarray:
        """The places, among the stored voxels, of those in a box; in the order of the box."""
        lower = [part.start for part in box]
        flat = np.ravel_multi_index((np.argwhere(mask) + lower).T, self._maps.mask.shape)
        return np.searchsorted(self._maps.flat_index, flat)


def _within(box: Box, wider: Box) -> Box:
    """A box's place in a wider one."""
    k, j, i = (slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wider, strict=True))
    return k, j, i


def _connected(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The components of a mask that share a voxel with another one."""
    numbers = label_components(mask)
    is_kept = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    is_kept[numbers[seed]] = True
    is_kept[0] = False
    return is_kept[numbers]
