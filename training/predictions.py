"""The cascade itself on cases with labels: what the command would give, at every alpha."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from seru.cascade.cascade import Segmenter
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.result.fusion import LiveFusion
from seru.result.maps import MAPS_FILE, Maps, load_maps, save_maps
from training.cases import LabelledCase
from training.scoring import CaseScore, dice_of_counts


@dataclass(frozen=True)
class Prediction:
    """A case with both stages' probabilities and its labels.

    Attributes:
        case: what was segmented.
        maps: of the cascade.
        truth: uint8, on the volume's own grid.
        voxel_ml: volume of a voxel.
    """

    case: LabelledCase
    maps: Maps
    truth: np.ndarray
    voxel_ml: float

    def scores(self, alphas: Sequence[float]) -> list[CaseScore]:
        """Score the fusion at each alpha; only the stored box is looked at, for outside it all is background."""
        fusion, box = LiveFusion(self.maps), self.truth[self.maps.box_slices]
        totals = [int(np.count_nonzero(self.truth > least)) for least in (0, 1)]
        scores = []
        for alpha in alphas:
            labels = fusion.box_labels(alpha)
            values = []
            for least, total in enumerate(totals):
                found = labels > least
                values.append(dice_of_counts(np.count_nonzero(found & (box > least)), np.count_nonzero(found), total))
            kidney_tumor, tumor = values
            score = CaseScore(self.case.id, self.case.patient, kidney_tumor, tumor, totals[0] > 0, totals[1] > 0)
            scores.append(score)
        return scores

    def volumes_ml(self, alpha: float) -> dict[str, float]:
        """Return the volumes of kidney and tumor together and of tumor, true and found, in ml."""
        found = LiveFusion(self.maps).box_labels(alpha)
        return {
            f"{kind}_{name}_ml": float(np.count_nonzero(labels > least) * self.voxel_ml)
            for kind, labels in (("true", self.truth), ("found", found))
            for least, name in enumerate(("kidney_tumor", "tumor"))
        }


def predict_cases(
    model: Model, cases: Sequence[LabelledCase], options: SegmentOptions, folder: Path | None
) -> Iterator[Prediction]:
    """Segment cases.

    Args:
        model: both stages.
        cases: with labels.
        options: how to run.
        folder: the maps are kept in it, and what is there already is taken; None keeps nothing.

    Yields:
        One prediction a case, in order.
    """
    segmenter = Segmenter(model, options)
    for case in tqdm(cases, "segment", disable=None):
        volume, truth = case.read()
        place = None if folder is None else folder / case.id
        if place is not None and (place / MAPS_FILE).is_file():
            maps, _ = load_maps(place)
        else:
            result = segmenter.segment(volume)
            maps = result.maps
            if place is not None:
                save_maps(maps, result.report, place)
        yield Prediction(case, maps, truth, volume.grid.voxel_ml)
