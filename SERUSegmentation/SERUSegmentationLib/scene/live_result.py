"""One result at any alpha: the labels, their voxels in the scene, and their volumes.

SciPy is loaded with the first result: Slicer imports this room at its own start.

While alpha moves only the voxels whose label a step changes are written. What costs more (clean-up, the longest
diameter, 3D surfaces) waits for :meth:`LiveResult.commit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from seru.findings import SIDE_CODES, TUMOR, Measures, Report, Side, Volumes
from seru.options import SegmentOptions
from seru.result import Finished, finish
from seru.result.fusion import LiveFusion, fuse_probabilities
from seru.result.maps import Maps
from seru.result.measurements import count_voxels, volumes_of
from seru.result.moving_labels import MovingLabels
from seru.result.verdicts import Verdict
from SERUSegmentationLib.scene.content import forgetWritten, isEdited, markWritten
from SERUSegmentationLib.scene.geometry import LayerGrid
from SERUSegmentationLib.scene.refined_part import RefinedPart
from SERUSegmentationLib.scene.segment_layer import SegmentLayer
from SERUSegmentationLib.scene.segments import fusedSegments, valueTable

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode


class LiveResult:
    """The fused labels of one run in a segmentation.

    Args:
        segmentationNode: holds the segments.
        maps: of the run.
        report: of the run.
        splitSides: one segment per side.
        verdicts: of a person; None takes those that the maps carry.

    Attributes:
        finished: what was last written or assumed; None before.
        verdicts: of a person, as they are applied from the next :meth:`commit` on.
        showsParts: whether the scene shows parts of another result meanwhile.
        areSurfacesOld: whether 3D surfaces wait for :meth:`renewSurfaces`.
    """

    def __init__(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        maps: Maps,
        report: Report,
        splitSides: bool = False,
        verdicts: Sequence[Verdict] | None = None,
    ) -> None:
        self.maps, self.report = maps, report
        self.fusion = LiveFusion(maps)
        self.segmentationNode = segmentationNode
        self.layer = SegmentLayer(segmentationNode, fusedSegments(splitSides), LayerGrid.of(maps))
        self.finished: Finished | None = None
        self.verdicts = maps.verdicts if verdicts is None else tuple(verdicts)
        self.splitSides = splitSides
        self.areSurfacesOld = False
        self._table = valueTable(splitSides)
        # What the scene holds if nobody edited it; None before anything is known of it.
        self._written: np.ndarray | None = None
        # Voxels per side and label as the scene shows them while alpha moves; None while it stands.
        self._counts: np.ndarray | None = None
        # Whether the scene was edited by hand before alpha began to move; None while it stands.
        self._wasEdited: bool | None = None
        self.showsParts = False

    def assume(self, options: SegmentOptions) -> None:
        """Take it that the scene holds a result, as after loading; nothing is written.

        Args:
            options: alpha and clean-up.
        """
        self._written = self._values(self._finish(options))

    @property
    def measures(self) -> dict[Side, Measures]:
        """Sums of both sides, at what was last written or assumed; empty before."""
        return self.finished.measures if self.finished else {}

    def isEdited(self) -> bool:
        """Return whether someone changed our segments by hand since they were written, anywhere in the scan."""
        if self._written is None:
            return False
        now = self.layer.read()
        if now is None or self.layer.reachesOutside():
            return True
        return not np.array_equal(now, self._expected(self._written))

    def replace(self, old: LiveResult, options: SegmentOptions) -> None:
        """Write this result in another one's place; each voxel that was drawn by hand stays as it was drawn.

        Args:
            old: of the same scan, as the scene holds it.
            options: alpha and clean-up.
        """
        hadSurfaces = old.areSurfacesOld or self.layer.hasSurfaces()
        wasEdited = isEdited(self.segmentationNode) if old._wasEdited is None else old._wasEdited
        places, drawn = old._takeOut()
        old.showsParts = False
        values = self._values(self._finish(options))
        shown, places = values.copy(), places - np.array(self.layer.grid.lowerKji)
        isInside = ((places >= 0) & (places < values.shape)).all(axis=1)
        shown[tuple(places[isInside].T)] = drawn[isInside]
        self.layer.write(shown, create=False)
        self._written = values
        self.layer.settle()
        self.areSurfacesOld, old.areSurfacesOld = hadSurfaces, False
        self.renewSurfaces()
        if not wasEdited:
            markWritten(self.segmentationNode)

    def _takeOut(self) -> tuple[np.ndarray, np.ndarray]:
        """Empty our segments of all but what was drawn by hand.

        Returns:
            int64, shape (n, 3), k, j and i of the voxels that were drawn, rubbed out ones too; and their n values.
        """
        held = self.layer.read()
        if held is None or self._written is None:
            return np.zeros((0, 3), np.int64), np.zeros(0, np.uint8)
        isDrawn = held != self._expected(self._written)
        self.layer.write(np.where(isDrawn, held, 0).astype(np.uint8), create=False)
        return np.argwhere(isDrawn) + np.array(self.layer.grid.lowerKji), held[isDrawn]

    def _expected(self, written: np.ndarray) -> np.ndarray:
        """What the scene holds of written values where nobody drew: nothing of a segment that was deleted."""
        missing = sorted(set(range(1, len(self.layer.segments) + 1)) - set(self.layer.find()))
        return np.where(np.isin(written, missing), 0, written) if missing else written

    def preview(self, alpha: float) -> dict[Side, Volumes]:
        """Write the labels of an alpha, fast: what was left out stays so, clean-up and new 3D surfaces wait.

        Args:
            alpha: weight of the coarse stage, 0..1.

        Returns:
            The volumes of both sides; diameters wait for :meth:`commit`.
        """
        self._rememberEdits()
        index, old = self._moving.move_to(alpha)
        if self._counts is None:
            labels = self._previewed(alpha)
            self._counts = count_voxels(labels, self.maps.sides_box)
            self._write(labels, create=False)
        else:
            self._step(index, old)
        return volumes_of(self._counts, self.maps.grid.voxel_ml)

    def _step(self, index: np.ndarray, old: np.ndarray) -> None:
        """Write what a step of alpha changes; what was edited by hand elsewhere stays.

        Args:
            index: int64, of the changing voxels those whose label changed.
            old: uint8, their labels before.
        """
        ceilings, sides = self._changingCeilings[index], self._changingSides[index]
        labels = np.minimum(self._moving.labels[index], ceilings)
        self._counts += count_voxels(labels, sides) - count_voxels(np.minimum(old, ceilings), sides)
        values, place = self._table[sides, labels], self.fusion.changing_index[index]
        if self._written is not None and self.layer.writeVoxels(place, values):
            self._written.reshape(-1)[place] = values
        else:
            self._write(self._previewed(self._moving.alpha), create=False)

    def showPart(self, part: RefinedPart) -> None:
        """Show a part that is refined anew, until the next :meth:`commit` or :meth:`replace`; what was drawn stays.

        Args:
            part: of the scan; what lies outside the stored box, and the gate, wait for the end.
        """
        inside = part.within(self.layer.grid)
        if self._written is None or self.finished is None or inside is None:
            return
        self._rememberEdits()
        grid, box, coarse, refined = inside
        held = SegmentLayer(self.segmentationNode, self.layer.segments, grid).read()
        alpha = self._moving.alpha if self._counts is not None else self.finished.alpha
        labels = fuse_probabilities(coarse.reshape(-1, 2), refined.reshape(-1, 2), alpha).reshape(grid.shapeKji)
        sides, written = self.maps.sides_box[box], self._written[box]
        known = np.where(sides == 0, np.uint8(SIDE_CODES[part.side]), sides)
        values = self._table[known, labels] if self.splitSides else labels
        isNew = (values != written) & (held == self._expected(written)) if held is not None else np.zeros(0, bool)
        places = [found + one.start for found, one in zip(np.nonzero(isNew), box, strict=False)]
        if places[0].size and self._writeSome(np.ravel_multi_index(places, self._written.shape), values[isNew]):
            written[isNew] = values[isNew]
            self.showsParts = True

    def _rememberEdits(self) -> None:
        """Before the first step of several: whether the scene was edited by hand."""
        if self._wasEdited is None:
            self._wasEdited = isEdited(self.segmentationNode)
            if not self._wasEdited:
                forgetWritten(self.segmentationNode)

    def commit(self, options: SegmentOptions, create: bool = False, surfacesLater: bool = False) -> None:
        """Write a result, cleaned up, with 3D surfaces where there are any.

        Args:
            options: alpha and clean-up.
            create: make segments that are missing, and remove those of an earlier run that this one does not have.
            surfacesLater: leave the surfaces, which take longer than the voxels, to :meth:`renewSurfaces`.
        """
        hadSurfaces = self.areSurfacesOld or self.layer.hasSurfaces()
        wasEdited = isEdited(self.segmentationNode) if self._wasEdited is None else self._wasEdited
        self._wasEdited, self.showsParts = None, False
        if create:
            self.layer.removeOthersOfOurs()
        self._write(self._finish(options), create)
        self.layer.settle()
        self.areSurfacesOld = hadSurfaces
        if not surfacesLater:
            self.renewSurfaces()
        if create or not wasEdited:
            markWritten(self.segmentationNode)

    def renewSurfaces(self) -> None:
        """Make the 3D surfaces anew where they are older than the voxels."""
        scene = self.segmentationNode.GetScene()
        if self.areSurfacesOld and scene is not None and not scene.IsClosing():
            self.layer.makeSurfaces()
        self.areSurfacesOld = False

    def _finish(self, options: SegmentOptions) -> np.ndarray:
        self.finished = finish(self.maps, options, self.fusion, self.verdicts)
        self._counts = None
        self.__dict__.pop("_changingCeilings", None)
        return self.finished.labels_box

    def _previewed(self, alpha: float) -> np.ndarray:
        """Labels of the whole box, with what was left out at the last finish left out."""
        labels = self.fusion.box_labels(alpha)
        return labels if self.finished is None else np.minimum(labels, self.finished.gated.ceilings_box)

    @cached_property
    def _moving(self) -> MovingLabels:
        return MovingLabels(*self.fusion.changing_probabilities)

    @cached_property
    def _changingSides(self) -> np.ndarray:
        return self.maps.sides_box.reshape(-1)[self.fusion.changing_index]

    @cached_property
    def _changingCeilings(self) -> np.ndarray:
        if self.finished is None:
            return np.full(self.fusion.changing_index.shape, TUMOR, np.uint8)
        return self.finished.gated.ceilings_box.reshape(-1)[self.fusion.changing_index]

    def _values(self, labels: np.ndarray) -> np.ndarray:
        return self._table[self.maps.sides_box, labels] if self.splitSides else labels

    def _write(self, labels: np.ndarray, create: bool) -> None:
        """Write labels of the whole box; where the scene still holds what we wrote, only the voxels that differ."""
        values = self._values(labels)
        isWritten = False
        if self._written is not None and not create:
            index = np.flatnonzero(values != self._written)
            isWritten = self._writeSome(index, values.reshape(-1)[index])
        if not isWritten:
            self.layer.write(values, create)
        self._written = values

    def _writeSome(self, index: np.ndarray, values: np.ndarray) -> bool:
        """Write some voxels; segments that no longer share a labelmap do again, with what was drawn into them."""
        if self.layer.writeVoxels(index, values):
            return True
        held = self.layer.read()
        if held is None:
            return False
        held.reshape(-1)[index] = values
        self.layer.write(held, create=False)
        return True
