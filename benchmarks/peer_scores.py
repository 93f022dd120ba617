"""SERU beside a public network on the same single slices: Dice of kidney and tumor together, false alarms, seconds.

    python -m benchmarks.peer_scores [--model MODEL] [--data KITS_SLICES] [--peer NETWORK.xml] [--part val]

The network is ``openvino_unet_kits19``, a 2D U-Net with one class (kidney, tumor and cyst), which others trained on 184
whole KiTS19 volumes. What counts is the table of patients that neither was trained on; that of all patients favours it.
The seconds (median) are those of networks and pre-processing, one slice after another, after a first one; SERU's hold
both stages and the findings as well, on the engine that runs by itself. The other is held to float32, also where
OpenVINO would take bf16, which is faster.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.command import told_in_a_sentence
from benchmarks.end_to_end import REPOSITORY
from seru.cascade.cascade import Segmenter
from seru.errors import BadInputError
from seru.hounsfield import window_to_uint8
from seru.model.engines import resolve_engine
from seru.model.store import Model, find_model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.volume import Volume
from training.config import PseudoConfig
from training.evaluate import Choice, chosen_cases
from training.labelled import LabelledCase
from training.pseudo import load_teacher
from training.scoring import dice

_DATA = Path(os.environ.get("SERU_DATA", REPOSITORY.parent / "shared" / "data"))
_PEER = Path("peer", "openvino_unet_kits19", "unet_kits19.xml")
# KiTS19's training cases that the public network's authors kept back; it saw no others from this number on.
_KEPT_BACK = {2, 5, 7, 10, 14, 15, 30, 37, 60, 71, 74, 75, 81, 92, 93, 103, 106, 115, 117, 119, 134, 161, 174, 192, 196,
              203}  # fmt: skip
_KITS19_CASES = 210
_HEADINGS = "| way | Dice, mean | median | false alarms | seconds a slice |\n|---|---|---|---|---|"

Segment = Callable[[Volume], np.ndarray]
"""Takes a slice; gives where kidney or tumor is: bool, the volume's shape."""


@dataclass(frozen=True)
class Scores:
    """What one way reaches on some slices.

    Attributes:
        dice: of kidney and tumor together, of each slice that shows them.
        false_alarms: slices with some, of those that show none.
        without: how many show none.
        seconds: of each slice.
    """

    dice: list[float]
    false_alarms: int
    without: int
    seconds: list[float]

    def row(self, name: str) -> str:
        """Return a line of the table."""
        mean, median = (f"{function(self.dice):.3f}" for function in (statistics.mean, statistics.median))
        seconds = f"{statistics.median(self.seconds):.3f}"
        return f"| {name} | {mean} | {median} | {self.false_alarms} of {self.without} | {seconds} |"


@told_in_a_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables; 2 where the slices, the model or the network cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="id or folder (default: the default model)")
    parser.add_argument("--data", type=Path, default=_DATA / "kits_slices", help="folder of single slices")
    parser.add_argument("--peer", type=Path, default=_DATA / _PEER, help="OpenVINO network")
    parser.add_argument("--part", choices=("val", "train", "all"), default="val", help="of the split")
    given = parser.parse_args(arguments)
    cases = [case for case in chosen_cases(given.data, Choice(given.part)) if case.knows_kidney]
    unseen = [case for case in cases if not was_seen(case.patient)]
    model = find_model(given.model)
    engine = resolve_engine(has_ranges=model.has_ranges)[0]
    ways = {f"SERU, {engine}": seru_way(model), "public 2D U-Net, openvino in float32": peer_way(given.peer)}
    for title, chosen in (("patients it was not trained on", unseen), ("all of them", cases)):
        print(f"{title}: {len(chosen)} slices of {len({case.patient for case in chosen})} patients\n\n{_HEADINGS}")
        for name, segment in ways.items():
            print(score(segment, chosen).row(name), flush=True)
        print()
    return 0


def was_seen(patient: str) -> bool:
    """Tell whether the public network was trained on a patient, by the number at the end of ``case_00012``."""
    number = int(patient.rpartition("_")[2])
    return number < _KITS19_CASES and number not in _KEPT_BACK


def seru_way(model: Model) -> Segment:
    """Return the cascade as the command runs it, what it believes."""
    segmenter = Segmenter(model, SegmentOptions(all_slices=True))
    return lambda volume: segmenter.segment(volume).labels_kji > 0


def peer_way(network: Path) -> Segment:
    """Return the public network at probability 0.5, without clean-up.

    Raises:
        BadInputError: it cannot be read.
    """
    probability, window = load_teacher(network), PseudoConfig().window

    def segment(volume: Volume) -> np.ndarray:
        stack = AxialStack.of(volume)
        found = np.stack([probability(window_to_uint8(hu, window)) > 0.5 for hu in stack.hu])
        return stack.orientation.from_stack(found)

    return segment


def score(segment: Segment, cases: Sequence[LabelledCase]) -> Scores:
    """Segment cases and score them.

    Args:
        segment: one way.
        cases: with labels.

    Raises:
        BadInputError: no slice shows kidney or tumor.
    """
    values, seconds, false_alarms, without = [], [], 0, 0
    for number, case in enumerate(cases):
        volume, truth = case.read()
        if number == 0:
            segment(volume)
        start = time.perf_counter()
        found = segment(volume)
        seconds.append(time.perf_counter() - start)
        if truth.any():
            values.append(dice(found, truth > 0))
        else:
            without += 1
            false_alarms += bool(found.any())
    if not values:
        raise BadInputError("There is no slice with kidney or tumor to score on; take other slices or another part.")
    return Scores(values, false_alarms, without, seconds)


if __name__ == "__main__":
    sys.exit(main())
