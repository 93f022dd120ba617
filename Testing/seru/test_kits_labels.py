"""Key slices, crops and the sparse pass on the label volumes of 70 KiTS19 patients."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import SimpleITK as sitk

from seru.cascade.crops import paper_region
from seru.cascade.key_slices import find_key_slices
from seru.cascade.sparse_pass import find_range
from seru.findings import SIDE_CODES, SIDES
from seru.grid import Grid
from seru.orientation import AxialStack
from seru.result.components import bounding_box, remove_small
from seru.result.sides import assign_sides
from seru.volume import Volume

pytestmark = pytest.mark.slow

# Fewer slices than this share are run where the sparse pass looks first (kidneys and tumors fill 36 % of these slices).
EXPECTED_SHARE = 0.5


def read_labels(path: Path) -> tuple[AxialStack, sitk.Image]:
    """A label volume, and the image that owns its voxels."""
    image = sitk.ReadImage(str(path), sitk.sitkUInt8)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    array = sitk.GetArrayViewFromImage(image)
    return AxialStack.of(Volume(array, Grid.from_lps(array.shape, matrix))), image


def brute_force_key_slice(mask: np.ndarray) -> tuple[int, float, tuple[float, float]]:
    """The paper's text, read literally: every contour of every slice, by area; the first of equals."""
    best = (-1, -1.0, (0.0, 0.0))
    for index, image in enumerate(mask.astype(np.uint8)):
        for contour in cv2.findContours(image, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            x, y = contour[:, 0, 0].astype(float), contour[:, 0, 1].astype(float)
            cross = x * np.roll(y, -1) - np.roll(x, -1) * y
            area = abs(cross.sum()) / 2
            if area > max(best[1], 0):
                centre = ((y + np.roll(y, -1)) * cross).sum(), ((x + np.roll(x, -1)) * cross).sum()
                best = (index, area, tuple(value / (3 * cross.sum()) for value in centre))
    return best


@pytest.fixture(scope="module")
def label_files(data_folder: Path) -> list[Path]:
    files = sorted((data_folder / "kits_labels").glob("*.nii.gz"))
    if not files:
        pytest.skip("no kits_labels in the data folder")
    return files


def test_key_slices_crops_and_sparse_pass_on_every_volume(label_files: list[Path]) -> None:
    looked_at = total = sides_seen = 0
    for path in label_files:
        stack, _owner = read_labels(path)
        slices, rows, columns = stack.hu.shape
        box = bounding_box(stack.hu.view(bool))
        mask = np.ascontiguousarray(stack.hu[box] > 0)
        first_rc = (box[1].start, box[2].start)
        middle = columns // 2 - box[2].start

        cleaned = remove_small(mask, stack.grid.voxel_ml)
        sides = assign_sides(cleaned, (columns - 1) / 2 - box[2].start, stack.grid.voxel_ml)
        found = find_key_slices(sides)

        assert (sides > 0).sum() == cleaned.sum()
        for side in SIDES:
            # An independent rule for these patients: their kidneys lie in their halves of the image.
            half = cleaned.copy()
            half[:, :, slice(middle, None) if side == "right" else slice(0, middle)] = False
            if found[side] is None:
                assert half.sum() * stack.grid.voxel_ml < 20, f"{path.name} {side}"
                continue
            sides_seen += 1
            index, area, centre = brute_force_key_slice(half)
            assert (found[side].index, found[side].area_px) == (index, area), f"{path.name} {side}"
            assert found[side].centre_rc == pytest.approx(centre, abs=1e-3), f"{path.name} {side}"
            outside = sides == SIDE_CODES[side]
            centre_rc = tuple(np.add(found[side].centre_rc, first_rc))
            inside = paper_region(centre_rc, 256, (1, 1), (rows, columns)).inside((rows, columns))
            of_rows, of_columns = (
                slice(max(place.start - first, 0), place.stop - first)
                for place, first in zip(inside, first_rc, strict=True)
            )
            outside[:, of_rows, of_columns] = False
            assert not outside.any(), f"{path.name} {side}: the paper's crop loses voxels"
        looked_at += assert_sparse_pass_holds_everything(mask, box[0], slices, stack, path.name)
        total += slices
    assert len(label_files) == 70
    assert sides_seen == 139
    assert looked_at < EXPECTED_SHARE * total
    print(f"\nThe sparse pass looked at {looked_at / total:.1%} of {total} slices.")


def assert_sparse_pass_holds_everything(
    mask: np.ndarray, extent: slice, slices: int, stack: AxialStack, name: str
) -> int:
    """Assert that no labelled slice is lost, even where a network misses every slice below 5 cm2."""
    areas = np.zeros(slices)
    areas[extent] = mask.sum(axis=(1, 2)) * stack.pixel_mm2
    seen = np.where(areas >= 500, areas, 0)
    looked: list[int] = []

    def look(indices: list[int]) -> np.ndarray:
        looked.extend(indices)
        return seen[list(indices)]

    found = find_range(look, slices, stack.spacing_mm[0])

    lost = areas.sum() - areas[found.start : found.stop].sum()
    assert lost == pytest.approx(0, abs=1e-6), f"{name}: {lost} mm2 of kidney or tumor outside the range"
    return len(looked)
