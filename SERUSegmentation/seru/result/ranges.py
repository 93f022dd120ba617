"""How far a finding's volume and diameter depend on choices that could have been others.

The same component is measured as the coarse and as the refined stage alone show it (alpha 1 and 0), and where its
probability is above 0.3 and above 0.7 at the alpha that is shown: a range in place of a single number.

Source: our rule; how often the true value lies inside is measured by ``python -m training evaluate``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from seru.findings import LABEL_OF
from seru.orientation import find_orientation
from seru.result.components import Box, number_voxels
from seru.result.diameters import axial_diameters
from seru.result.fusion import LiveFusion
from seru.result.gated import Component

PROBABILITIES = (0.3, 0.7)
# How far beyond its voxels a component may reach.
_MARGIN_MM = 10.0

Range = tuple[float, float]


class Ranges:
    """Finds the ranges of components.

    Args:
        fusion: of the run's maps.
        labels_box: uint8, on the stored box, as they are shown.
        alpha: that they are shown at.
    """

    def __init__(self, fusion: LiveFusion, labels_box: np.ndarray, alpha: float) -> None:
        self._fusion, self._maps, self._alpha = fusion, fusion.maps, alpha
        self._labels = labels_box.reshape(-1)[self._maps.flat_index]
        self._orientation = find_orientation(self._maps.grid)
        self._variants = {label: self._variants_of(label) for label in LABEL_OF.values()}

    def __call__(self, component: Component, voxels: np.ndarray) -> tuple[Range, Range]:
        """Find the ranges of a component.

        Args:
            component: of the labels.
            voxels: bool, shape of its box: what is measured of it.

        Returns:
            Least and most volume in ml, and least and most longest diameter in an axial slice in mm; what is shown lies
            between.
        """
        label = LABEL_OF[component.kind]
        box = self._widened(component.box)
        stored, flat = self._inside(box)
        shape = tuple(part.stop - part.start for part in box)
        is_shown = np.zeros(shape, bool)
        is_shown[_within(component.box, box)] = voxels
        seed = is_shown.reshape(-1)[flat]
        is_free = (self._labels[stored] != label) | seed
        chosen = _different(variant[stored] & is_free for variant in self._variants[label])
        found = _different([flat[seed], *(_connected(flat, one, seed, shape) for one in chosen)])
        volumes = [round(float(len(one)) * self._maps.grid.voxel_ml, 4) for one in found]
        diameters = [self._longest_mm(one, shape) for one in found]
        return (min(volumes), max(volumes)), (min(diameters), max(diameters))

    def _variants_of(self, label: int) -> list[np.ndarray]:
        """Of each stored voxel whether it has a label; bool, one array a choice."""
        coarse, refined = (stage[:, label - 1] for stage in (self._maps.coarse, self._maps.refined))
        fused = np.float32(self._alpha) * coarse + np.float32(1 - self._alpha) * refined
        stages = (self._fusion.stored_refined, self._fusion.stored_coarse)
        return [*(stage == label for stage in stages), *(fused > 255 * probability for probability in PROBABILITIES)]

    def _longest_mm(self, flat: np.ndarray, shape: tuple[int, ...]) -> float:
        mask = np.zeros(shape, bool)
        mask.reshape(-1)[flat] = True
        spacing_rc_mm = self._orientation.spacing_mm(self._maps.grid)[1:]
        axial = axial_diameters(self._orientation.to_stack(mask), spacing_rc_mm)
        return round(axial.longest_mm, 4) if axial else 0.0

    def _widened(self, box: Box) -> Box:
        margins = [math.ceil(_MARGIN_MM / spacing) for spacing in self._maps.grid.spacing_kji_mm]
        k, j, i = (
            slice(max(part.start - margin, 0), min(part.stop + margin, size))
            for part, margin, size in zip(box, margins, self._maps.mask.shape, strict=True)
        )
        return k, j, i

    def _inside(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """The stored voxels in a box: their places among all that are stored, and their flat indices into the box."""
        planes, rows, columns = box
        index, shape = self._maps.flat_index, self._maps.mask.shape
        first, last = np.searchsorted(index, np.array([planes.start, planes.stop]) * (shape[1] * shape[2]))
        k, j, i = np.unravel_index(index[first:last], shape)
        inside = np.flatnonzero((j >= rows.start) & (j < rows.stop) & (i >= columns.start) & (i < columns.stop))
        starts = planes.start, rows.start, columns.start
        places = tuple(place[inside] - start for place, start in zip((k, j, i), starts, strict=True))
        return first + inside, np.ravel_multi_index(places, [part.stop - part.start for part in box])


def _within(box: Box, wider: Box) -> Box:
    """A box's place in a wider one."""
    k, j, i = (slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wider, strict=True))
    return k, j, i


def _different(arrays: Iterable[np.ndarray]) -> list[np.ndarray]:
    """The arrays without repetitions: where stages agree, and far from 0.3 and 0.7, there is one thing to measure."""
    return list({array.tobytes(): array for array in arrays}.values())


def _connected(flat: np.ndarray, is_chosen: np.ndarray, is_seed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Of the voxels that are chosen those whose component holds a seed; flat indices."""
    chosen = np.flatnonzero(is_chosen)
    if is_seed[chosen].all():
        return flat[chosen]
    numbers = number_voxels(flat[chosen], shape)
    is_kept = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    is_kept[numbers[is_seed[chosen]]] = True
    return flat[chosen[is_kept[numbers]]]
