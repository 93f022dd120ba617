"""One result at any alpha: the labels, their voxels in the scene, and their volumes.

SciPy is loaded with the first result: Slicer imports this room at its own start.

While alpha moves only the voxels on which the stages differ are written. What costs more (clean-up, the longest
diameter, 3D surfaces) waits for :meth:`LiveResult.commit`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from seru.options import PostprocessingOptions
from seru.result.fusion import KIDNEY, TUMOR, LiveFusion
from seru.result.maps import Maps
from seru.terminology import Side
from SERUSegmentationLib.scene.geometry import LayerGrid
from SERUSegmentationLib.scene.segment_layer import SegmentLayer
from SERUSegmentationLib.scene.segments import fusedSegments, valueTable

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode

Measured = dict[Side, dict[str, float]]


class LiveResult:
    """The fused labels of one run in a segmentation.

    Args:
        segmentationNode: holds the segments.
        maps: of the run.
        splitSides: one segment per side.
    """

    def __init__(self, segmentationNode: vtkMRMLSegmentationNode, maps: Maps, splitSides: bool = False) -> None:
        self.maps = maps
        self.fusion = LiveFusion(maps)
        self.segmentationNode = segmentationNode
        grid = LayerGrid(maps.ijk_to_ras, maps.lower_kji, maps.mask.shape)
        self.layer = SegmentLayer(segmentationNode, fusedSegments(splitSides), grid)
        self.splitSides = splitSides
        self._table = valueTable(splitSides)
        # What the scene holds if nobody edited it; None before anything is known of it.
        self._written: np.ndarray | None = None
        self._isFused = False

    def assume(self, alpha: float, postprocessing: PostprocessingOptions) -> Measured:
        """Take it that the scene holds the labels of an alpha, as after loading; nothing is written.

        Args:
            alpha: weight of the coarse stage, 0..1.
            postprocessing: clean-up.

        Returns:
            As :meth:`commit`.
        """
        cleaned = self._clean(alpha, postprocessing)
        self._written = self._values(cleaned)
        return self._measure(cleaned)

    def isEdited(self) -> bool:
        """Return whether someone changed our segments by hand since they were written."""
        now = self.layer.read()
        if now is None or self._written is None:
            return False
        missing = sorted(set(range(1, len(self.layer.segments) + 1)) - set(self.layer.find()))
        expected = np.where(np.isin(self._written, missing), 0, self._written) if missing else self._written
        return not np.array_equal(now, expected)

    def preview(self, alpha: float) -> Measured:
        """Write the labels of an alpha, fast and without clean-up or new 3D surfaces.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            ``kidney_ml`` and ``tumor_ml`` of both sides.
        """
        labels = self.fusion.changing_labels(alpha)
        if self._isFused and self._written is not None:
            values = self._table[self._changingSides, labels]
            index = self.fusion.changing_index
            # Only what changes is written: voxels that were edited by hand elsewhere stay.
            if self.layer.writeVoxels(index, values):
                self._written.reshape(-1)[index] = values
            else:
                self._write(self.fusion.box_labels(alpha), create=False)
        else:
            self._write(self.fusion.box_labels(alpha), create=False)
            self._isFused = True
        counts = self._steadyCounts + np.bincount(3 * self._changingSides + labels, minlength=9)
        return self._volumes(counts)

    def commit(self, alpha: float, postprocessing: PostprocessingOptions, create: bool = False) -> Measured:
        """Write the labels of an alpha, cleaned up, with 3D surfaces where there are any.

        Args:
            alpha: weight of the coarse stage, 0..1.
            postprocessing: what to clean up.
            create: make segments that are missing.

        Returns:
            All measurements of both sides.
        """
        cleaned = self._clean(alpha, postprocessing)
        self._write(cleaned, create)
        self.layer.refreshSurfaces()
        return self._measure(cleaned)

    @cached_property
    def sides(self) -> np.ndarray:
        """Side of each voxel of the box, uint8."""
        return self.maps.side_box()

    @cached_property
    def _changingSides(self) -> np.ndarray:
        return self.sides.reshape(-1)[self.fusion.changing_index].astype(np.intp)

    @cached_property
    def _steadyCounts(self) -> np.ndarray:
        """Voxels per ``3 * side + label`` that no alpha changes."""
        labels = self.fusion.coarse_labels()
        labels.reshape(-1)[self.fusion.changing_index] = 0
        counts = np.bincount((3 * self.sides + labels).ravel(), minlength=9)
        # The changing voxels were counted as background of their sides.
        counts[::3] -= np.bincount(self._changingSides, minlength=3)
        return counts

    @property
    def _spacing(self) -> tuple[float, ...]:
        return tuple(float(size) for size in np.linalg.norm(self.maps.ijk_to_ras[:3, :3], axis=0))

    @property
    def _voxelMl(self) -> float:
        return float(np.prod(self._spacing)) / 1000.0

    def _volumes(self, counts: np.ndarray) -> Measured:
        from seru.result.sides import SIDE_CODES, SIDES

        ml = counts * self._voxelMl
        return {
            side: {
                "kidney_ml": float(ml[3 * SIDE_CODES[side] + KIDNEY]),
                "tumor_ml": float(ml[3 * SIDE_CODES[side] + TUMOR]),
            }
            for side in SIDES
        }

    def _clean(self, alpha: float, postprocessing: PostprocessingOptions) -> np.ndarray:
        from seru.result.cleanup import clean_labels

        fused = self.fusion.box_labels(alpha)
        cleaned = clean_labels(fused, self.sides, self._voxelMl, postprocessing)
        self._isFused = cleaned is fused
        return cleaned

    def _measure(self, labels: np.ndarray) -> Measured:
        from seru.result.measurements import measure

        return measure(labels, self.sides, self._spacing)

    def _values(self, labels: np.ndarray) -> np.ndarray:
        return self._table[self.sides, labels] if self.splitSides else labels

    def _write(self, labels: np.ndarray, create: bool) -> None:
        """Write labels of the whole box; where the scene still holds what we wrote, only the voxels that differ."""
        values = self._values(labels)
        isWritten = False
        if self._written is not None and not create:
            index = np.flatnonzero(values != self._written)
            isWritten = self.layer.writeVoxels(index, values.reshape(-1)[index])
            held = None if isWritten else self.layer.read()
            if held is not None:
                # Our segments no longer share a labelmap: they do again, with what was drawn into them.
                held.reshape(-1)[index] = values.reshape(-1)[index]
                self.layer.write(held, create)
                isWritten = True
        if not isWritten:
            self.layer.write(values, create)
        self._written = values
