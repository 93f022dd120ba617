"""Pictures of the key slices: what a reader looks at first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from seru.errors import BadInputError
from seru.files import Opener, replacing, write_failure
from seru.findings import KIDNEY, PICTURES, SIDES, TUMOR, CropBox, Report, Side
from seru.hounsfield import window_to_uint8
from seru.orientation import AxialStack
from seru.result.fusion import LiveFusion
from seru.result.maps import Maps
from seru.terminology import COLORS
from seru.volume import Volume

_TEXT = (255, 255, 255)


def _bgr(name: str) -> tuple[int, int, int]:
    """A color of the palette as OpenCV takes it: blue, green, red."""
    red, green, blue = (round(255 * part) for part in COLORS[name])
    return blue, green, red


_COARSE, _KIDNEY, _TUMOR = _bgr("coarse kidney"), _bgr("kidney"), _bgr("tumor")
_HEIGHT = 900
_WINDOW = (-160.0, 240.0)


def draw_key_slices(
    volume: Volume, maps: Maps, report: Report, labels_kji: np.ndarray, folder: Path, opener: Opener = replacing
) -> list[Path]:
    """Draw each side's key slice with the coarse and fused outlines and the crop boxes.

    The picture is in radiological convention: the patient's right is on its left.

    Args:
        volume: the CT.
        maps: of the run.
        report: of the run.
        labels_kji: uint8, shape (K, J, I), the fused labels.
        folder: made where it is missing; gets ``key_slice_right.png`` and ``key_slice_left.png``.
        opener: of a group of files that take their places together.

    Returns:
        The pictures written: one for each side that was found.

    Raises:
        BadInputError: the folder cannot be written to.
    """
    stack = AxialStack.of(volume)
    to_stack = stack.orientation.to_stack
    coarse = maps.whole(LiveFusion(maps).coarse_labels())
    paths = []
    for side in SIDES:
        key_slice = report.side(side).key_slice
        if key_slice is None:
            continue
        index = key_slice.index
        if stack.orientation.flips[0]:
            index = len(stack.hu) - 1 - index
        canvas = _Canvas(stack, index)
        canvas.outline(to_stack(coarse)[index] > 0, _COARSE, 1)
        canvas.outline(to_stack(labels_kji)[index] >= KIDNEY, _KIDNEY, 2)
        canvas.outline(to_stack(labels_kji)[index] == TUMOR, _TUMOR, 2)
        for other in SIDES:
            crop = report.side(other).crop
            if crop is not None:
                mask = to_stack(_box_mask(crop, labels_kji.shape))[index]
                canvas.box(mask, _bgr(other))
        title = f"{side} key slice {key_slice.index}   alpha {maps.alpha:g}"
        canvas.write_texts(title, key_slice.area_mm2, side)
        paths.append(_save(canvas.image, Path(folder) / PICTURES[side], opener))
    return paths


class _Canvas:
    """A slice, enlarged so that its pixels are square in millimetres."""

    def __init__(self, stack: AxialStack, index: int) -> None:
        rows_mm, columns_mm = (n * mm for n, mm in zip(stack.hu.shape[1:], stack.spacing_mm[1:], strict=True))
        scale = _HEIGHT / max(rows_mm, columns_mm)
        self.shape = max(1, round(rows_mm * scale)), max(1, round(columns_mm * scale))
        gray = window_to_uint8(stack.hu[index], _WINDOW)
        self.image = cv2.cvtColor(_resize(gray, self.shape), cv2.COLOR_GRAY2BGR)

    def outline(self, mask: np.ndarray, color: tuple[int, int, int], width: int) -> None:
        """Draw the borders of a mask, bool, shape (rows, columns)."""
        # Enlarged as a smooth map, an outline has no stairs.
        enlarged = _resize(mask.astype(np.float32), self.shape) >= 0.5
        contours, _ = cv2.findContours(enlarged.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(self.image, contours, -1, color, width, cv2.LINE_AA)

    def box(self, mask: np.ndarray, color: tuple[int, int, int]) -> None:
        """Draw the box that a mask fills, bool, shape (rows, columns)."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            return
        y_scale, x_scale = (size / count for size, count in zip(self.shape, mask.shape, strict=True))
        first = round(columns[0] * x_scale), round(rows[0] * y_scale)
        last = round((columns[-1] + 1) * x_scale) - 1, round((rows[-1] + 1) * y_scale) - 1
        cv2.rectangle(self.image, first, last, color, 1, cv2.LINE_AA)

    def write_texts(self, title: str, area_mm2: float, side: Side) -> None:
        """Write the title, the area, the sides and the legend."""
        height, width = self.shape
        self._text(f"{title}   contour {area_mm2 / 100:.1f} cm2", (12, 26), _TEXT)
        self._text("R", (8, height // 2), _TEXT)
        self._text("L", (width - 22, height // 2), _TEXT)
        legend = (
            ("coarse", _COARSE),
            ("kidney and tumor, fused", _KIDNEY),
            ("tumor, fused", _TUMOR),
            ("crop", _bgr(side)),
        )
        for line, (name, color) in enumerate(reversed(legend)):
            self._text(name, (12, height - 14 - 22 * line), color)

    def _text(self, text: str, place: tuple[int, int], color: tuple[int, int, int]) -> None:
        cv2.putText(self.image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(self.image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, color, 1, cv2.LINE_AA)


def _box_mask(crop: CropBox, shape_kji: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape_kji, bool)
    (i0, j0, k0), (i1, j1, k1) = crop.ijk_min, crop.ijk_max
    mask[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = True
    return mask


def _resize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _save(image: np.ndarray, path: Path, opener: Opener) -> Path:
    encoded = cv2.imencode(".png", image)[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error
    with opener(path) as file:  # imwrite fails on non-ASCII paths under Windows
        file.write(encoded.tobytes())
    return path
