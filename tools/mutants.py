# ruff: noqa: E501
"""Mutants of the core rules: each changes one rule, and a test must notice.

    python -m tools.mutants [WORD ...]        only those whose name holds a word

The changes are made in a copy. What survives is printed at the end; the exit code is 1 where any does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_COPIED = ("SERUSegmentation", "Testing", "training", "benchmarks", "pyproject.toml")
_RULES = "Testing/seru/test_rules.py"
_SIDES = f"{_RULES} Testing/seru/test_key_slices.py"
_BOXES = "Testing/seru/test_boxes.py"
_GRID = "Testing/seru/test_grid.py"
_TILT = "Testing/seru/test_tilt.py"
_GATE = "Testing/seru/test_gate.py"
_FINDINGS = "Testing/seru/test_findings.py"
_DIAMETERS = "Testing/seru/test_diameters.py"
_MOVING = "Testing/seru/test_moving_labels.py"


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name: what is wrong then.
        file: below ``SERUSegmentation/seru``.
        old: text that stands there exactly once.
        new: what takes its place.
        tests: files that must notice, apart by spaces.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str = _RULES


MUTANTS = (
    # Crops and refine
    Mutant("overlap: the later crop instead of the average", "cascade/crops.py", "both[rows, columns], average, crop)", "both[rows, columns], crop, crop)"),
    Mutant("overlap: the average in 8 bits", "cascade/crops.py", "(covered.astype(np.uint16) + crop)", "(covered + crop)"),
    Mutant("overlap: also on slices the first crop never ran on", "cascade/refine.py", "earlier)\n                earlier = region", "earlier)\n            earlier = region"),
    Mutant("crop origin: never negative", "cascade/crops.py", "origin.append(-((size - limit) // 2))", "origin.append(0)"),
    Mutant("crop origin: rounded the other way", "cascade/crops.py", "-((size - limit) // 2)", "(limit - size) // 2"),
    Mutant("crop origin: half a pixel off", "cascade/crops.py", "round(centre - (size - 1) / 2)", "round(centre - size / 2)"),
    Mutant("crop origin: not moved into the image", "cascade/crops.py", "min(max(round(centre - (size - 1) / 2), 0), limit - size)", "round(centre - (size - 1) / 2)"),
    Mutant("paste: from the crop's first pixel", "cascade/crops.py", "rows.start - region.origin_rc[0] :", "0 :"),
    Mutant("grow: no margin", "cascade/crops.py", "_MARGIN = 16", "_MARGIN = 0"),
    Mutant("grow: never", "cascade/crops.py", "region = larger if options.crop == \"grow\" else region", "pass"),
    Mutant("grow: for any island", "cascade/crops.py", "_MAIN_SHARE = 0.05", "_MAIN_SHARE = 0.0"),
    Mutant("refine margin: none", "cascade/crops.py", "REFINE_MARGIN_MM = 10.0", "REFINE_MARGIN_MM = 0.0"),
    Mutant("refine margin: in slices, not in millimetres", "cascade/crops.py", "REFINE_MARGIN_MM / prepared.spacing_mm[0]", "REFINE_MARGIN_MM"),
    Mutant("key slice: not moved to the stack", "cascade/key_slices.py", "KeyContour(first + offset,", "KeyContour(extent[0].start + offset,"),
    Mutant("key slice: its centre not moved to the stack", "cascade/key_slices.py", "(row + top, column + left)", "(row + extent[1].start, column + extent[2].start)"),
    Mutant("islands: a thin stack as a thick one", "cascade/crops.py", "return min(ISLAND_ML, ", "return max(ISLAND_ML, "),
    Mutant("islands: half as large", "result/components.py", "ISLAND_ML = 1.0", "ISLAND_ML = 0.5"),
    Mutant("key slice: the highest of equal ones", "cascade/key_slices.py", "found[0] > best.area_px", "found[0] >= best.area_px"),
    Mutant("crops: of everything that was found", "cascade/crops.py", "inside = believe(inside,", "believe(inside,"),
    # Boxes
    Mutant("box: not moved into the image", "cascade/boxes.py", "CropRegion(crop_origin(centre_rc, size_rc, shape_rc), size_rc,", "CropRegion((round(centre_rc[0] - size_rc[0] / 2), round(centre_rc[1] - size_rc[1] / 2)), size_rc,", _BOXES),
    Mutant("box: smaller than the model's crop", "cascade/boxes.py", "network_side(len(place), zoom, crop_size)", "network_side(len(place), zoom, 32)", _BOXES),
    Mutant("box: a key slice of its own", "cascade/boxes.py", "elif found is not None and found.key.index in slices:", "elif False:", _BOXES),
    Mutant("box: a key slice that left it stays", "cascade/boxes.py", "elif found is not None and found.key.index in slices:", "elif found is not None:", _BOXES),
    Mutant("box: the key slice that was set is not taken", "cascade/boxes.py", "if box.key_slice is not None:\n        place", "if False:\n        place", _BOXES),
    Mutant("box: told of where it reaches over the middle", "cascade/boxes.py", "_OTHER_HALF = 0.75", "_OTHER_HALF = 0.4", _BOXES),
    Mutant("box: a flipped axis as a plain one", "orientation.py", "range(size - 1 - last, size - first) if flipped", "range(first, last + 1) if flipped", _BOXES),
    Mutant("refined again: the old crop stands", "cascade/refine.py", "and kept.crop == crops.by_side[side]\n", "\n", _BOXES),
    # Sizes
    Mutant("coarse size: of the shorter side", "cascade/stage_grid.py", "card.coarse_size / max(rows, columns)", "card.coarse_size / min(rows, columns)"),
    Mutant("zoom: upside down", "cascade/stage_grid.py", "spacing / card.in_plane_spacing_mm", "card.in_plane_spacing_mm / spacing"),
    Mutant("resize: sums beyond 255", "cascade/stage_grid.py", "np.minimum(kidney, 255 - tumor)", "kidney"),
    Mutant("network: sums beyond 255", "model/network.py", "torch.minimum(kidney, 255 - tumor)", "kidney", "Testing/seru/test_network.py"),
    Mutant("quantise: biases too", "model/weights.py", "if quantise and tensor.ndim == 4:", "if quantise and tensor.ndim >= 1:", "Testing/seru/test_network.py"),
    Mutant("neighbours: wrap around", "cascade/preprocessing.py", "return max(index - 1, 0), index", "return (index - 1) % slices, index"),
    Mutant("window: cut off, not rounded", "hounsfield.py", "np.rint(clipped, out=clipped)", "clipped"),
    # Sides
    Mutant("crossing share: a fifth", "result/sides.py", "_CROSSING_SHARE = 0.1", "_CROSSING_SHARE = 0.2"),
    Mutant("crossing share: strictly more", "result/sides.py", ">= _CROSSING_SHARE", "> _CROSSING_SHARE + 0.005"),
    Mutant("waist: at most three quarters", "result/sides.py", "_WAIST_SHARE = 0.5", "_WAIST_SHARE = 0.75"),
    Mutant("waist: of the thicker side", "result/sides.py", "_WAIST_SHARE * min(", "_WAIST_SHARE * max("),
    Mutant("side: by the first voxel", "result/sides.py", "centre = float((profile * columns).sum() / total)", "centre = float(columns[0])"),
    Mutant("midline: slices without a body count", "result/sides.py", "if body.mean() > 0.05:", "if body.any():"),
    # Sparse pass
    Mutant("sparse: looks start at the first slice", "cascade/sparse_pass.py", "offset = ((slices - 1) % step) // 2", "offset = 0"),
    Mutant("sparse: no margin", "cascade/sparse_pass.py", "MARGIN_MM = 15.0", "MARGIN_MM = 0.0"),
    Mutant("sparse: a hit is 3 cm2", "cascade/sparse_pass.py", "HIT_MM2 = 30.0", "HIT_MM2 = 300.0"),
    Mutant("sparse: a kidney is 4 cm2", "cascade/sparse_pass.py", "KIDNEY_MM2 = 500.0", "KIDNEY_MM2 = 400.0"),
    Mutant("sparse: what lies outside stays", "cascade/coarse.py", "probabilities[outside] = 0", "pass"),
    # Classes and maps
    Mutant("fusion: alpha the other way round", "result/fusion.py", "alpha * a.astype(np.float64) + (1.0 - alpha) * b", "(1.0 - alpha) * a.astype(np.float64) + alpha * b"),
    Mutant("fusion: tumor wins ties", "result/fusion.py", "(tumor > kidney)", "(tumor >= kidney)"),
    Mutant("fusion: kidney wins ties with background", "result/fusion.py", "(kidney > background)", "(kidney >= background)"),
    Mutant("foreground: ties count", "result/fusion.py", "np.maximum(kidney, tumor) > 255", "np.maximum(kidney, tumor) >= 255"),
    Mutant("maps: half instead of a quarter is dropped", "result/maps.py", "SURELY_BACKGROUND = 63", "SURELY_BACKGROUND = 127"),
    Mutant("maps: one step too much is kept", "result/maps.py", "SURELY_BACKGROUND = 63", "SURELY_BACKGROUND = 62"),
    Mutant("maps: sides swapped where nothing is sure", "cascade/stage_maps.py", "np.uint8(RIGHT), np.uint8(LEFT))", "np.uint8(LEFT), np.uint8(RIGHT))"),
    # Grid, components, measures
    Mutant("shear: ten times as much is let through", "grid.py", "SHEAR_TOLERANCE = 1e-3", "SHEAR_TOLERANCE = 1e-2", _GRID),
    Mutant("shear: none is let through", "grid.py", "SHEAR_TOLERANCE = 1e-3", "SHEAR_TOLERANCE = 1e-7", _GRID),
    Mutant("tilt: moves are rounded down", "tilt.py", "np.rint(np.round(", "np.floor(np.round(", _TILT),
    Mutant("tilt: slices are moved the other way", "tilt.py", "return cls(lattice, grid, moves - first_ji)", "return cls(lattice, grid, moves.max(axis=0) - moves)", _TILT),
    Mutant("tilt: half pixels fall as noise has it", "tilt.py", "_DIGITS = 3", "_DIGITS = 12", _TILT),
    Mutant("tilt: slices as far apart as the table moves", "tilt.py", "normal * (step @ normal)", "normal * np.linalg.norm(step)", _TILT),
    Mutant("tilt: the grid's edge for the slice's", "result/measurements.py", "return field.tilt is not None and ", "return False and field.tilt is not None and ", _TILT),
    Mutant("tilt: the coarse network sees the room beside a slice", "cascade/coarse.py", "window = prepared.window(index)", "window = slice(None), slice(None)", _TILT),
    Mutant("components: faces only", "result/components.py", "ndimage.label(mask, np.ones((3, 3, 3), bool))", "ndimage.label(mask)"),
    Mutant("small components: those of the least size go too", "result/components.py", "- 1e-9) - 1, 0)", "- 1e-9), 0)"),
    Mutant("measure: sides swapped", "result/measurements.py", "(some_sides * np.uint8(3) + some_labels)", "((3 - some_sides) % 3 * np.uint8(3) + some_labels)"),
    Mutant("measure: a kidney with its tumors", "result/measurements.py", "== LABEL_OF[component.kind])", ">= LABEL_OF[component.kind])", _FINDINGS),
    Mutant("measure: the edge of the stored box", "result/measurements.py", "mask.shape, field.grid.shape_kji, strict", "mask.shape, field.labels.shape, strict", _FINDINGS),
    Mutant("measure: contact counts one side of a face", "result/measurements.py", " + np.count_nonzero(ours[:-1] & theirs[1:])", "", _FINDINGS),
    Mutant("diameter: spacing the other way round", "result/diameters.py", "np.asarray(spacing_mm, np.float64))", "np.asarray(spacing_mm, np.float64)[::-1])", _DIAMETERS),
    Mutant("diameter: bridges join", "result/diameters.py", "if len(cores) < 2:", "if True:", _DIAMETERS),
    Mutant("diameter: of the last of equally long slices", "result/diameters.py", "found.slice < best.slice", "found.slice > best.slice", _DIAMETERS),
    Mutant("diameter: parts of a slice together", "result/diameters.py", "for part, most_mm in _pieces(mask[index], spacing):", "for part, most_mm in [(mask[index], np.inf)]:", _DIAMETERS),
    Mutant("across: along the longest one", "result/diameters.py", "heights = places @ np.array([-along[1], along[0]])", "heights = places @ along", _DIAMETERS),
    # Gate, verdicts, ranges
    Mutant("gate: what stands at the threshold goes", "result/judging.py", "self.statuses[self.confidences < threshold]", "self.statuses[self.confidences <= threshold]", _GATE),
    Mutant("gate: a kidney's confidence is its kidney's alone", "result/judging.py", "(stage[:, 0] + stage[:, 1] if", "(stage[:, 0] if", _GATE),
    Mutant("gate: alpha the other way round", "result/judging.py", "np.float32(alpha) * coarse + np.float32(1 - alpha) * refined", "np.float32(1 - alpha) * coarse + np.float32(alpha) * refined", _GATE),
    Mutant("gate: tumors in kidneys become background", "result/judging.py", "lowered = np.where(self.is_in_kidney, np.uint8(KIDNEY), np.uint8(BACKGROUND))", "lowered = np.full(len(self.sizes), np.uint8(BACKGROUND))", _GATE),
    Mutant("gate: tumors are judged before kidneys", "result/gate.py", "    kidneys.lower()\n", "", _GATE),
    Mutant("gate: one component over both sides", "result/judging.py", "voxels = np.flatnonzero(chosen & (self.sides == code))", "voxels = np.flatnonzero(chosen & (code == 1))", _GATE),
    Mutant("gate: tumors apart are judged as kidneys", "result/judging.py", "numbers = np.where(holds_kidney[numbers], numbers, 0)", "pass", _GATE),
    Mutant("gate: the coarse stage's is not looked at", "result/gate.py", "box = bounding_box(mask) if threshold > 0 else None", "box = None", _GATE),
    Mutant("verdict: any overlap is enough", "result/verdicts.py", "2 * overlaps > np.minimum(self.size, sizes)", "overlaps > 0", _GATE),
    Mutant("verdict: the first wins", "result/judging.py", "for placed in verdicts:\n            verdict = placed.verdict", "for placed in reversed(verdicts):\n            verdict = placed.verdict", _GATE),
    Mutant("verdict: takes all that it has become part of", "result/gate.py", "extra = foreground.take_out_merged(placed, kidneys)", "extra: list[Component] = []", _GATE),
    Mutant("verdict: what was accepted is cleaned up", "result/finish.py", 'if component.status == "accepted":', "if False:", _GATE),
    Mutant("verdict: brings in all that it has become part of", "result/judging.py", "if is_whole.any():", "if False:", _GATE),
    Mutant("islands: what clean-up took out too", "result/finish.py", "islands=gated.islands(labels,", "islands=gated.islands(gated.labels_box,", _GATE),
    Mutant("numbering: round the border", "result/components.py", "width, height = columns + 1, rows + 1", "width, height = columns, rows", "Testing/seru/test_components.py"),
    Mutant("numbering: no corners", "result/components.py", "((0, 1), (1, -1), (1, 0), (1, 1))", "((0, 1), (1, 0))", "Testing/seru/test_components.py"),
    Mutant("diameter: a bound that is too small", "result/diameters.py", "/ np.cos(np.pi / (2 * _DIRECTIONS)) + _ROUNDING_MM", "* 0.9", _DIAMETERS),
    Mutant("range: only the stages", "result/ranges.py", "PROBABILITIES = (0.3, 0.7)", "PROBABILITIES = (0.5, 0.5)", _FINDINGS),
    Mutant("range: other findings too", "result/ranges.py", "variant[stored] & is_free", "variant[stored]", _FINDINGS),
    Mutant("clean-up: tumors stay", "result/cleanup.py", "if options.tumor_touches_kidney:", "if False:"),
    # Alpha while it moves
    Mutant("moving: a voxel leaves a little late", "result/moving_labels.py", "low - _MARGIN", "low + 1e-3", _MOVING),
    Mutant("moving: the third class is passed over", "result/moving_labels.py", "self._by_coming[came][is_new]", "self._by_coming[came][:0]", _MOVING),
    Mutant("moving: labels are not kept", "result/moving_labels.py", "self.labels[index] = new[is_changed]", "pass", _MOVING),
    # What is told
    Mutant("remarks: nothing is said where nothing is believed", "result/remarks.py", "if candidates:", "if not candidates:", _FINDINGS),
)  # fmt: skip


def main(words: list[str]) -> int:
    """Run the mutants.

    Args:
        words: of the names to run; empty runs all.

    Returns:
        0 where every mutant was noticed.
    """
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _COPIED:
            source = REPOSITORY / name
            ignored = shutil.ignore_patterns("__pycache__", "Models", "*.egg-info")
            shutil.copytree(source, copy / name, ignore=ignored) if source.is_dir() else shutil.copy(source, copy)
        for mutant in chosen:
            noticed = is_noticed(mutant, copy)
            print(f"{'noticed ' if noticed else 'SURVIVED'}  {mutant.name}", flush=True)
            if not noticed:
                survivors.append(mutant.name)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} noticed" + "".join(f"\nsurvived: {s}" for s in survivors))
    return 1 if survivors else 0


def is_noticed(mutant: Mutant, copy: Path) -> bool:
    """Change the copy, run the tests, and change it back.

    Args:
        mutant: the change.
        copy: of the repository.

    Returns:
        Whether a test failed.
    """
    path = copy / "SERUSegmentation" / "seru" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"'{mutant.old}' stands {text.count(mutant.old)} times in {mutant.file}; bring the list up to date"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy / "SERUSegmentation"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests.split()]
    try:
        ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, encoding="utf-8")
    finally:
        path.write_text(text, encoding="utf-8")
    if ended.returncode not in (0, 1):
        raise SystemExit(f"The tests could not be run:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return ended.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
