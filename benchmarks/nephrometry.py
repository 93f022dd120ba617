"""Nephrometry of every KiTS19 label volume: how its components are distributed, and what cannot be told.

python -m benchmarks.nephrometry ../shared/data/kits_labels

No reader scored these volumes. Of the components the radius alone can be compared: with the points that the size has
which radiologists gave (``radiographic_size`` in ``kits.json``).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.command import told_in_a_sentence
from benchmarks.diameters import folder_of, label_volumes
from seru.findings import Side
from seru.grid import Grid
from seru.io.images import read_volume
from seru.orientation import find_orientation
from seru.result.labelled import measure_labels
from seru.result.nephrometry import Aspect, Nephrometry, nephrometry
from seru.result.nephrometry.renal import radius_of
from seru.result.sides import assign_sides


def sides_of(labels: np.ndarray, grid: Grid) -> np.ndarray:
    """Give each voxel of labels (K, J, I) the patient's side, the body's middle being that of the image."""
    orientation = find_orientation(grid)
    stack = orientation.to_stack(labels)
    return orientation.from_stack(assign_sides(stack > 0, (stack.shape[2] - 1) / 2, grid.voxel_ml))


def scores_of(path: Path) -> dict[Side, Nephrometry]:
    """Return the scores of the sides of a label volume that have a tumor."""
    volume = read_volume(path)
    found = measure_labels(volume.array_kji.astype(np.uint8), volume.grid)
    # In the box of all labels, as a report is made: a thin-sliced scan is a hundred times as large.
    scores = nephrometry(found.labels_box, found.sides_box, volume.grid, found.findings, found.lower_kji)
    return {side: score for side, score in scores.items() if score is not None}


def aspects_of(score: Nephrometry) -> dict[str, Aspect]:
    """Return every component by its name, with that of its score before it."""
    named = {f"{part.name}: {aspect.name}": aspect for part in (score.renal, score.padua) for aspect in part.aspects}
    alone = (score.sinus, score.centrality, score.contact, score.split)
    return named | {aspect.name: aspect for aspect in alone}


def radius_text(largest_mm: dict[str, float], radiologists_mm: dict[str, float]) -> str:
    """Tell how many tumors have as many points for their radius as radiologists' sizes give, by case."""
    pairs = [(radius_of(mm)[1], radius_of(radiologists_mm[case])[1]) for case, mm in largest_mm.items()]
    same = sum(ours == theirs for ours, theirs in pairs)
    return f"radius: as many points as by the radiologists' size in {same} of {len(pairs)} cases"


def largest_of(scores: Sequence[Nephrometry]) -> float:
    """Return the longest diameter in mm of the largest tumor of a case that has one."""
    return max(score.renal.aspects[0].numbers["diameter_mm"] for score in scores)


def table_of(scores: list[Nephrometry]) -> Iterator[str]:
    """Give the table line by line."""
    for name in aspects_of(scores[0]):
        aspects = [aspects_of(score)[name] for score in scores]
        is_words = any(aspect.points is not None for aspect in aspects) or len({a.value for a in aspects}) <= 4
        if is_words:
            counts = Counter(f"{a.value} ({a.points})" if a.points else str(a.value) for a in aspects)
            yield f"{name:<32}" + "; ".join(f"{value}: {count}" for value, count in sorted(counts.items()))
        for number in sorted({number for aspect in aspects for number in aspect.numbers}):
            values = [aspect.numbers[number] for aspect in aspects if number in aspect.numbers]
            low, middle, high = np.percentile(values, (10, 50, 90))
            yield f"{name:<32}{number}: {low:.2f} | {middle:.2f} | {high:.2f} (n = {len(values)})"
    for part in ("renal", "padua"):
        texts = Counter(getattr(score, part).points for score in scores)
        yield f"{part} sums: " + ", ".join(f"{points}: {texts[points]}" for points in sorted(texts, key=str))


@told_in_a_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a case, then the table: 10th, 50th and 90th percentile of the numbers; 2 without volumes."""
    volumes, scores = label_volumes(folder_of(arguments, __doc__)), list[Nephrometry]()
    largest_mm: dict[str, float] = {}
    seconds = []
    for path in volumes:
        begin = time.perf_counter()
        found = scores_of(path)
        seconds.append(time.perf_counter() - begin)
        scores += found.values()
        if found:
            largest_mm[path.name[:10]] = largest_of(list(found.values()))
        texts = [f"{side} {score.renal.text} {score.padua.text}" for side, score in found.items()]
        for text in texts or ["no kidney with a tumor"]:
            print(f"{path.name[:10]} {text} ({seconds[-1]:.1f} s)", flush=True)
    print(
        f"{len(scores)} tumors, {statistics.median(seconds):.1f} s a volume at the median, {max(seconds):.1f} at most"
    )
    print("\n".join(table_of(scores)))
    print(radius_text(largest_mm, {path.name[:10]: size_mm for path, size_mm in volumes.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
