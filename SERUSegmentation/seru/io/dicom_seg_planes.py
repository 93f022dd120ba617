"""The frames of a DICOM segmentation, and the grid that their voxels lie on.

Where a voxel lies comes from each frame's own position and orientation. Planes that show nothing are often left out, so
the distance of planes is that of the frames, or the CT's where it is given.

Source: DICOM PS3.3, C.7.6.16.2 (Pixel Measures, Plane Position and Orientation).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from seru.findings import KIDNEY, TUMOR
from seru.grid import SHEAR_TOLERANCE, Lattice, Position
from seru.io.segmentation import StoredSegment

# Of all frames together, or of the grid that they lie on.
MOST_VOXELS = 1 << 31
_MOST_PLANES = 4096
SAME_PLANE_MM = 0.02
# Of a voxel: how far from one of the grid's a labelled one may lie.
_OFF_VOXEL = 0.1


@dataclass(frozen=True)
class Frame:
    """A frame of a segmentation.

    Attributes:
        segment: number of the segment that it shows; None where its pixels are segments' numbers.
        origin_lps: of its first pixel, in mm.
    """

    segment: int | None
    origin_lps: Position


@dataclass(frozen=True, eq=False)
class DicomSeg:
    """A DICOM segmentation.

    Attributes:
        path: of the file.
        segments: in it; the background of a label map is none.
        series: instance UIDs of the series that it refers to.
        study: when its study was and whose, as :func:`seru.io.dicom_header.facts_of_study` tells.
        frames: in their order.
        step_i_lps: from a pixel to the next one in its row, LPS mm.
        step_j_lps: from a row to the next one, likewise.
        said_step_mm: distance of planes by the header; 0 where it gives none.
        pixels: of each frame, shape (frames, rows, columns).
    """

    path: Path
    segments: tuple[StoredSegment, ...]
    series: frozenset[str]
    study: Mapping[str, str]
    frames: tuple[Frame, ...]
    step_i_lps: np.ndarray
    step_j_lps: np.ndarray
    said_step_mm: float
    pixels: np.ndarray

    def own_lattice(self, notes: list[str]) -> Lattice:
        """Return where the frames lie, with an empty plane before the first and one after the last.

        Args:
            notes: told what the user should know of it.

        Returns:
            Their grid; of a tilted gantry's slices the lattice.

        Raises:
            BadInputError: the frames lie on no lattice.
        """
        heights, first = self._heights_mm()
        step_mm = self._step_mm(np.diff(heights), notes)
        step = step_mm * self._way()
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([self.step_i_lps, self.step_j_lps, step, first - step])
        count = round((heights[-1] - heights[0]) / step_mm) + 3
        rows, columns = self.pixels.shape[1:]
        if count > _MOST_PLANES or count * rows * columns > MOST_VOXELS:
            raise BadInputError(
                f"The planes of '{self.path}' lie up to {heights[-1] - heights[0]:.0f} mm apart; export it again."
            )
        notes.append(
            "A DICOM segmentation leaves out planes that show nothing, so whether the scan's edge cuts what it shows "
            "is known only with the CT (--ct)."
        )
        return Lattice.from_lps((count, rows, columns), matrix).simplest()

    def tell_of_gaps(self, grid: Lattice, notes: list[str]) -> None:
        """Tell where the frames are farther apart than the CT's slices, so that nothing is labelled between them.

        Args:
            grid: of the CT.
            notes: told of it.
        """
        heights, _ = self._heights_mm()
        # Along the frames' normal, whichever of the CT's axes that is.
        steps_mm = np.abs(self._normal @ grid.ijk_to_lps[:3, :3])
        gaps_mm = np.diff(heights)
        if len(gaps_mm) and gaps_mm.min() > 1.5 * steps_mm.max():
            notes.append(
                f"The planes of the segmentation are {gaps_mm.min():g} mm apart and the CT's {steps_mm.max():g} mm: "
                "nothing is labelled between them, and volumes are too small."
            )

    @property
    def _normal(self) -> np.ndarray:
        normal = np.cross(self.step_i_lps, self.step_j_lps)
        return normal / np.linalg.norm(normal)

    def _way(self) -> np.ndarray:
        """From plane to plane, LPS mm a mm along the normal; oblique where all frames of a tilted gantry are."""
        origins = np.array([frame.origin_lps for frame in self.frames])
        heights = origins @ self._normal
        heights -= heights.min()
        if heights.max() <= SAME_PLANE_MM:
            return self._normal
        first, last = origins[heights.argmin()], origins[heights.argmax()]
        way = (last - first) / heights.max()
        beside = np.abs(origins - first - np.outer(heights, way)).max()
        near = _OFF_VOXEL * min(np.linalg.norm(self.step_i_lps), np.linalg.norm(self.step_j_lps))
        is_tilted = beside < near and np.linalg.norm(way - self._normal) > SHEAR_TOLERANCE
        return way if is_tilted else self._normal

    def _heights_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the planes lie along their normal, each once; and where the first pixel of the lowest one lies."""
        origins = np.array([frame.origin_lps for frame in self.frames])
        heights = origins @ self._normal
        planes = np.sort(heights)
        return planes[np.diff(planes, prepend=-np.inf) > SAME_PLANE_MM], origins[heights.argmin()]

    def labels_on(self, grid: Lattice, kidney: Collection[int], tumor: Collection[int]) -> tuple[np.ndarray, int]:
        """Put segments on a grid; where kidney and tumor overlap it is tumor.

        Args:
            grid: of the CT, or the segmentation's own.
            kidney: numbers of segments.
            tumor: likewise.

        Returns:
            uint8, shape (K, J, I) of the grid: 0 background, 1 kidney, 2 tumor; and how many voxels both show.

        Raises:
            BadInputError: a labelled voxel is none of the grid's.
        """
        to_ijk = np.linalg.inv(grid.ijk_to_lps)
        steps = np.stack([self.step_i_lps, self.step_j_lps]) @ to_ijk[:3, :3].T
        labels, both = np.zeros(grid.shape_kji, np.uint8), 0
        for numbers, label in ((kidney, KIDNEY), (tumor, TUMOR)):
            for frame, pixels in zip(self.frames, self.pixels, strict=True):
                if frame.segment is not None and frame.segment not in numbers:
                    continue
                shown = np.isin(pixels, list(numbers)) if frame.segment is None else pixels != 0
                rows, columns = np.nonzero(shown)
                start = to_ijk @ np.array([*frame.origin_lps, 1.0])
                i, j, k = self._voxels(start[:3] + np.outer(columns, steps[0]) + np.outer(rows, steps[1]), steps, grid)
                both += int(np.count_nonzero(labels[k, j, i] == KIDNEY)) if label == TUMOR else 0
                labels[k, j, i] = label
        return labels, both

    def _voxels(self, places_ijk: np.ndarray, steps: np.ndarray, grid: Lattice) -> np.ndarray:
        voxels = np.rint(places_ijk).astype(np.int64)
        is_off = len(voxels) and (
            np.abs(places_ijk - voxels).max() > _OFF_VOXEL
            or np.abs(np.abs(steps).sum(axis=1) - 1).max() > _OFF_VOXEL / max(self.pixels.shape[1:])
            or (voxels < 0).any()
            or (voxels >= grid.shape_ijk).any()
        )
        if is_off:
            raise BadInputError(
                f"The segments of '{self.path}' do not lie on the voxels of the CT, or of one volume; give the CT that "
                "they were made on with --ct of 'seru measure'."
            )
        return voxels.T

    def _step_mm(self, gaps_mm: np.ndarray, notes: list[str]) -> float:
        """The least distance of two planes, of which the others are multiples; of one plane what the header says."""
        if not len(gaps_mm):
            if self.said_step_mm > 0:
                return self.said_step_mm
            raise BadInputError(
                f"'{self.path}' has one plane and no thickness; give the CT with --ct of 'seru measure'."
            )
        step_mm = float(gaps_mm.min())
        if np.abs(gaps_mm / step_mm - np.rint(gaps_mm / step_mm)).max() * step_mm > max(0.05 * step_mm, 0.05):
            raise BadInputError(
                f"The planes of '{self.path}' are unevenly spaced; give the CT with --ct of 'seru measure'."
            )
        # All gaps together are more exact than the least one.
        step_mm = float(gaps_mm.sum() / np.rint(gaps_mm / step_mm).sum())
        if self.said_step_mm > 0 and abs(step_mm - self.said_step_mm) > max(0.05 * step_mm, 0.05):
            notes.append(
                f"The planes are {step_mm:.2f} mm apart by their positions and {self.said_step_mm:.2f} mm by the "
                "header; the positions were taken: give the CT with --ct of 'seru measure' to be sure."
            )
        return step_mm
