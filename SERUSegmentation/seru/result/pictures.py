"""Pictures of the key slices: what a reader looks at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from seru.errors import BadInputError
from seru.files import Opener, replacing, write_failure
from seru.findings import KIDNEY, PICTURES, SIDES, TUMOR, KeySlice, Report, Side
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
_SMALL, _LARGE = 0.55, 0.8
_BARS_MM = (100, 50, 20, 10, 5, 2, 1)
# OpenCV's way to ask for it: a quality above 100.
_LOSSLESS = (cv2.IMWRITE_WEBP_QUALITY, 101)


@dataclass(frozen=True)
class KeySlicePicture:
    """A key slice as a page shows it.

    Attributes:
        side: the patient's.
        webp: the picture, without loss.
        shown: what is drawn on it, in words.
    """

    side: Side
    webp: bytes
    shown: tuple[str, ...]


def draw_key_slices(
    volume: Volume, maps: Maps, report: Report, labels_kji: np.ndarray, folder: Path, opener: Opener = replacing
) -> list[Path]:
    """Draw each side's key slice with the coarse and fused outlines, the crop boxes, and a legend.

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
    paths = []
    for side, key_slice, canvas in _canvases(volume, maps, report, labels_kji):
        title = f"{side} key slice {key_slice.index}   alpha {report.alpha:g}"
        canvas.write_texts(title, key_slice.area_mm2, side)
        paths.append(_save(canvas.image, Path(folder) / PICTURES[side], opener))
    return paths


def picture_key_slices(
    volume: Volume, maps: Maps | None, report: Report, labels_kji: np.ndarray
) -> list[KeySlicePicture]:
    """Return the same pictures for a page, which has title and legend beside them.

    Args:
        volume: as :func:`draw_key_slices`.
        maps: likewise; None of labels that were measured, which have no coarse stage.
        report: likewise.
        labels_kji: likewise.

    Returns:
        One for each side that was found. A pixel has one byte of gray but for the lines, so that a picture has 1 MB at
        most.
    """
    return [
        KeySlicePicture(side, _encoded(canvas.image, ".webp", _LOSSLESS), tuple(canvas.shown))
        for side, _, canvas in _canvases(volume, maps, report, labels_kji)
    ]


def _canvases(
    volume: Volume, maps: Maps | None, report: Report, labels_kji: np.ndarray
) -> Iterator[tuple[Side, KeySlice, _Canvas]]:
    """Each side's key slice with all that is drawn on it, but no title and no legend."""
    stack = AxialStack.of(volume)
    labels = stack.orientation.to_stack(labels_kji)
    coarse = None if maps is None else stack.orientation.to_stack(maps.whole(LiveFusion(maps).coarse_labels()))
    for side in SIDES:
        key_slice = report.side(side).key_slice
        if key_slice is None:
            continue
        index = key_slice.index
        if stack.orientation.flips[0]:
            index = len(stack.hu) - 1 - index
        canvas = _Canvas(stack, index)
        canvas.outline(labels[index] >= KIDNEY, _KIDNEY, 3, "outline of kidney and tumor")
        canvas.outline(labels[index] == TUMOR, _TUMOR, 3, "outline of tumor")
        # Where the stages agree it is seen inside the thick line.
        if coarse is not None:
            canvas.outline(coarse[index] > 0, _COARSE, 1, "outline of the coarse stage")
        for other in SIDES:
            crop = report.side(other).crop
            if crop is not None:
                slices, rows, columns = stack.orientation.box_of_ijk(crop.ijk_min, crop.ijk_max, stack.hu.shape)
                if index in slices:
                    canvas.box(rows, columns, _bgr(other), f"{other} crop")
        canvas.write_letters()
        canvas.scale_bar()
        yield side, key_slice, canvas


class _Canvas:
    """A slice, enlarged so that its pixels are square in millimetres."""

    def __init__(self, stack: AxialStack, index: int) -> None:
        rows_mm, columns_mm = (n * mm for n, mm in zip(stack.hu.shape[1:], stack.spacing_mm[1:], strict=True))
        self._pixels_per_mm = scale = _HEIGHT / max(rows_mm, columns_mm)
        self.shape = max(1, round(rows_mm * scale)), max(1, round(columns_mm * scale))
        self.shown: list[str] = []
        self._slice_shape = stack.hu.shape[1:]
        gray = window_to_uint8(stack.hu[index], _WINDOW)
        self.image = cv2.cvtColor(_resize(gray, self.shape), cv2.COLOR_GRAY2BGR)

    def outline(self, mask: np.ndarray, color: tuple[int, int, int], width: int, name: str) -> None:
        """Draw the borders of a mask, bool, shape (rows, columns), where it is not empty."""
        if not mask.any():
            return
        self.shown.append(name)
        # Enlarged as a smooth map, an outline has no stairs.
        enlarged = _resize(mask.astype(np.float32), self.shape) >= 0.5
        contours, _ = cv2.findContours(enlarged.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        # A thin line is its pixels alone: smooth, its color would be lost on a thick one.
        cv2.drawContours(self.image, contours, -1, color, width, cv2.LINE_8 if width == 1 else cv2.LINE_AA)

    def box(self, rows: range, columns: range, color: tuple[int, int, int], name: str) -> None:
        """Draw the border of a box of pixels of the slice."""
        self.shown.append(name)
        y_scale, x_scale = (size / count for size, count in zip(self.shape, self._slice_shape, strict=True))
        first = round(columns.start * x_scale), round(rows.start * y_scale)
        last = round(columns.stop * x_scale) - 1, round(rows.stop * y_scale) - 1
        cv2.rectangle(self.image, first, last, color, 1, cv2.LINE_AA)

    def write_letters(self) -> None:
        """Write which way the patient lies; the front one has room for a title above it."""
        height, width = self.shape
        for letter, place in (
            ("R", (8, height // 2)),
            ("L", (width - 28, height // 2)),
            ("A", (width // 2 - 9, 60)),
            ("P", (width // 2 - 9, height - 14)),
        ):
            self._text(letter, place, _TEXT, _LARGE)

    def scale_bar(self) -> None:
        """Draw the longest of some round lengths that takes at most a third of the width."""
        height, width = self.shape
        fitting = [mm for mm in _BARS_MM if mm * self._pixels_per_mm <= width / 3]
        if not fitting:
            return
        last, y = width - 16, height - 18
        first = last - round(fitting[0] * self._pixels_per_mm)
        for color, thickness in (((0, 0, 0), 5), (_TEXT, 2)):
            cv2.line(self.image, (first, y), (last, y), color, thickness)
            for x in (first, last):
                cv2.line(self.image, (x, y - 6), (x, y + 6), color, thickness)
        self._text(f"{fitting[0]} mm", (first, y - 14), _TEXT, _LARGE)
        self.shown.append(f"scale bar of {fitting[0]} mm")

    def write_texts(self, title: str, area_mm2: float, side: Side) -> None:
        """Write the title, the area and the legend."""
        self._text(f"{title}   contour {area_mm2 / 100:.1f} cm2", (12, 26), _TEXT)
        legend = (
            ("coarse", _COARSE),
            ("kidney and tumor, fused", _KIDNEY),
            ("tumor, fused", _TUMOR),
            ("crop", _bgr(side)),
        )
        for line, (name, color) in enumerate(reversed(legend)):
            self._text(name, (12, self.shape[0] - 14 - 22 * line), color)

    def _text(self, text: str, place: tuple[int, int], color: tuple[int, int, int], size: float = _SMALL) -> None:
        cv2.putText(self.image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(self.image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, color, 1, cv2.LINE_AA)


def _resize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _encoded(image: np.ndarray, ending: str, options: Sequence[int] = ()) -> bytes:
    return cv2.imencode(ending, image, options)[1].tobytes()


def _save(image: np.ndarray, path: Path, opener: Opener) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error
    with opener(path) as file:  # imwrite fails on non-ASCII paths under Windows
        file.write(_encoded(image, ".png"))
    return path
