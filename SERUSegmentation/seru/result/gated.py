"""What the gate gives: labels with their ceilings, and every component with its status and confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.findings import LABEL_OF, Islands, Kind, Side, Status
from seru.result.components import Box


@dataclass(frozen=True)
class Component:
    """One component on one side.

    Attributes:
        kind: ``kidney`` for one of labels > 0 that holds kidney, ``tumor`` for one of tumor.
        side: the patient's.
        status: whether it is in the labels.
        confidence: 0..1.
        box: in the stored box.
        voxels: bool, shape of the box; of a kidney with its tumors.
    """

    kind: Kind
    side: Side
    status: Status
    confidence: float
    box: Box
    voxels: np.ndarray


@dataclass(frozen=True, eq=False)
class Specks:
    """The components of a kind that are in the labels and too small to be listed.

    Attributes:
        kind: of all.
        flat: index of their voxels into the stored box.
        numbers: of each voxel's component.
    """

    kind: Kind
    flat: np.ndarray
    numbers: np.ndarray

    def shown_sizes(self, labels_box: np.ndarray) -> np.ndarray:
        """The number of voxels that each shows, of those that show any; a kidney's tumors are components themselves."""
        is_shown = labels_box.reshape(-1)[self.flat] == LABEL_OF[self.kind]
        return np.unique(self.numbers[is_shown], return_counts=True)[1]


@dataclass(frozen=True)
class Gated:
    """Labels after the gate.

    Attributes:
        labels_box: uint8, on the stored box (K, J, I).
        ceilings_box: uint8, same shape: the highest label that the gate allows.
        components: that are large enough to be listed, whatever their status.
        specks: what is too small for that and in the labels.
        left_out: number of voxels of each one that is too small, and not believed.
    """

    labels_box: np.ndarray
    ceilings_box: np.ndarray
    components: tuple[Component, ...]
    specks: tuple[Specks, ...]
    left_out: np.ndarray

    def islands(self, labels_box: np.ndarray, voxel_ml: float) -> Islands:
        """Count what is too small to be listed.

        Args:
            labels_box: uint8, as they are shown: clean-up may have taken some of it out.
            voxel_ml: volume of a voxel in ml.

        Returns:
            The islands: with the findings that are in the labels they are all of the labels.
        """
        shown = [specks.shown_sizes(labels_box) for specks in self.specks]
        counted = np.concatenate([*shown, np.zeros(0, np.int64)])
        ml = [round(float(sizes.sum()) * voxel_ml, 4) for sizes in (counted, self.left_out)]
        return Islands(len(counted), ml[0], len(self.left_out), ml[1])
