"""A bare MRML scene, and results whose truth is known, for the tests of SERUSegmentationLib."""

from __future__ import annotations

import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from seru.findings import SIDE_CODES, CropBox, KeySlice, Report, SideFindings, Thresholds
from seru.grid import Grid
from seru.orientation import find_orientation
from seru.phantom import Phantom, PhantomOptions, make_phantom
from seru.result.components import bounding_box
from seru.result.fusion import LiveFusion
from seru.result.maps import Maps, save_maps
from Testing.reports import NOTHING, make_report


@contextmanager
def bare_scene() -> Iterator[Any]:
    """Yield slicer-core's scene with its module logics, without any widget."""
    import slicer
    import slicer.util

    from Testing.desktop.scene import make_scene

    before = (getattr(slicer, "mrmlScene", None), getattr(slicer, "modules", None))
    with tempfile.TemporaryDirectory() as folder:
        parts = make_scene(Path(folder))
        modules = {name.lower(): logic for name, logic in parts.logics.items()}
        slicer.modules = types.SimpleNamespace(
            **{name: types.SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in modules.items()}
        )
        yield parts.scene
        parts.scene.Clear(1)
    slicer.mrmlScene, slicer.modules = before


def small_phantom(**options: Any) -> Phantom:
    """Return a phantom of a few voxels with kidneys and tumors on both sides."""
    defaults = {"shape_kji": (40, 96, 96), "spacing_kji_mm": (6.0, 4.0, 4.0), "noise_hu": 0.0}
    return make_phantom(PhantomOptions(**{**defaults, **options}))


def tiny_phantom(**options: Any) -> Phantom:
    """Return a phantom of a third of those voxels: for what need not look at small shapes."""
    return small_phantom(shape_kji=(26, 64, 64), spacing_kji_mm=(9.0, 6.0, 6.0), **options)


def add_volume(phantom: Phantom, name: str = "CT") -> Any:
    """Add a phantom's image to the scene."""
    import slicer

    return slicer.util.addVolumeFromArray(phantom.volume.array_kji, ijkToRAS=phantom.volume.grid.ijk_to_ras, name=name)


def maps_of(phantom: Phantom, alpha: float = 0.4) -> Maps:
    """Return maps whose refined stage is the truth and whose coarse stage is fatter and without tumors.

    The label becomes the truth's where ``alpha`` is below one half.
    """
    labels = phantom.labels_kji
    foreground = labels > 0
    fat = ndimage.binary_dilation(foreground, iterations=1)
    return make_maps(phantom.volume.grid.ijk_to_ras, np.where(fat, 1, 0), labels, _sides(fat, phantom.side_kji), alpha)


def doubtful_maps(phantom: Phantom, alpha: float = 0.4) -> Maps:
    """Return maps of a phantom with two findings that are not believed: the left tumor, and a loop of bowel.

    The stages agree but for a rim around the right kidney that the coarse one alone finds.
    """
    labels, sides = phantom.labels_kji.copy(), phantom.side_kji.copy()
    bowel = np.zeros(labels.shape, bool)
    place = ((0.5, 0.6), (0.31, 0.4), (0.62, 0.71))
    bowel[tuple(slice(*(round(n * at) for at in ends)) for n, ends in zip(labels.shape, place, strict=True))] = True
    bowel &= labels == 0
    labels[bowel], sides[bowel] = 1, SIDE_CODES["left"]
    rim = ndimage.binary_dilation((labels > 0) & (sides == SIDE_CODES["right"])) & (labels == 0)
    sides[rim] = SIDE_CODES["right"]
    maps = make_maps(phantom.volume.grid.ijk_to_ras, np.where(rim, 1, labels), labels, sides, alpha)
    is_doubtful = (phantom.labels_kji == 2) & (phantom.side_kji == SIDE_CODES["left"])
    for doubtful, (kidney, tumor) in ((is_doubtful, (100, 155)), (bowel, (155, 0))):
        box = tuple(slice(low, low + size) for low, size in zip(maps.lower_kji, maps.mask.shape, strict=True))
        stored = doubtful[box][maps.mask]
        maps.coarse[stored] = maps.refined[stored] = kidney, tumor
    return replace(maps, thresholds=Thresholds(0.5, 0.5, 0.5))


def make_maps(
    ijk_to_ras: np.ndarray, coarse_labels: np.ndarray, refined_labels: np.ndarray, sides: np.ndarray, alpha: float = 0.4
) -> Maps:
    """Return maps with certain probabilities for given labels of both stages."""
    box = bounding_box((coarse_labels > 0) | (refined_labels > 0))
    mask = ((coarse_labels > 0) | (refined_labels > 0))[box]
    stages = []
    for labels in (coarse_labels, refined_labels):
        stored = labels[box][mask]
        stages.append(np.stack([(stored == 1) * 255, (stored == 2) * 255], axis=1).astype(np.uint8))
    return Maps(
        grid=Grid(refined_labels.shape, ijk_to_ras),
        alpha=alpha,
        lower_kji=tuple(part.start for part in box),
        mask=mask,
        coarse=stages[0],
        refined=stages[1],
        sides=sides[box][mask].astype(np.uint8),
        hu=np.full(np.count_nonzero(mask), 120, np.int16),
    )


def report_of(maps: Maps) -> Report:
    """Return a report with the parts that the scene uses; the key slice is the box's middle along the stack axis."""
    axis = find_orientation(maps.grid).stack_axis_ijk
    report = make_report(maps.grid, alpha=maps.alpha)
    labels = LiveFusion(maps).refined_labels()
    sides = {side: _findings(maps, (labels > 0) & (maps.sides_box == code), axis) for side, code in SIDE_CODES.items()}
    return replace(report, geometry=replace(report.geometry, stack_axis=axis), **sides)


def _findings(maps: Maps, mask: np.ndarray, stack_axis: int) -> SideFindings:
    where = bounding_box(mask)
    if where is None:
        return NOTHING
    low = tuple(part.start + first for part, first in zip(where, maps.lower_kji, strict=True))[::-1]
    high = tuple(part.stop - 1 + first for part, first in zip(where, maps.lower_kji, strict=True))[::-1]
    centre = tuple((a + b) // 2 for a, b in zip(low, high, strict=True))
    position = maps.grid.ras_of_ijk(centre)
    key_slice = KeySlice(centre[stack_axis], position, 1234.5)
    return replace(NOTHING, present=True, key_slice=key_slice, crop=CropBox(low, high, position, grown=False))


def save(maps: Maps, folder: Path) -> Path:
    """Write maps as the command does."""
    return save_maps(maps, report_of(maps), folder)


def fused_truth(maps: Maps, alpha: float) -> np.ndarray:
    """Return the labels of an alpha on the whole grid."""
    return LiveFusion(maps).labels_kji(alpha)


def labels_of(node: Any, volume: Any) -> np.ndarray:
    """Return our segments as labels on the volume's grid."""
    import slicer

    segmentation = node.GetSegmentation()
    arrays = [
        slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentation.GetSegmentIdBySegmentName(name), volume) > 0
        for name in ("Kidney", "Tumor")
    ]
    return np.where(arrays[1], 2, arrays[0]).astype(np.uint8)


def _sides(mask: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give every voxel of a mask the side of the nearest known one."""
    nearest = ndimage.distance_transform_edt(known == 0, return_distances=False, return_indices=True)
    return np.where(mask, known[tuple(nearest)], 0).astype(np.uint8)
