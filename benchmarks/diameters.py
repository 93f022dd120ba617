"""The longest diameter of each KiTS19 label volume's largest tumor against the size that radiologists gave.

python -m benchmarks.diameters ../shared/data/kits_labels

The folder holds ``case_xxxxx.nii.gz`` and ``kits.json`` with ``radiographic_size`` in cm.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.command import told_in_a_sentence
from seru.errors import BadInputError
from seru.findings import TUMOR
from seru.io.images import read_volume
from seru.orientation import find_orientation
from seru.result.components import bounding_box, largest_component
from seru.result.diameters import BRIDGE_MM, axial_diameters, longest_diameter_mm

BRIDGES_MM = (0.0, 1.5, 3.0, 5.0, 8.0)


@dataclass(frozen=True)
class Tumor:
    """The largest tumor of a case.

    Attributes:
        case: its id.
        radiologists_mm: the size in the clinical data.
        axial_mm: longest diameter in an axial slice, by the width of what counts as a bridge in mm.
        in_largest_slice_mm: longest diameter in the slice where the tumor's area is largest.
        in_3d_mm: longest distance of two voxels.
    """

    case: str
    radiologists_mm: float
    axial_mm: dict[float, float]
    in_largest_slice_mm: float
    in_3d_mm: float


def measure(path: Path, radiologists_mm: float) -> Tumor | None:
    """Measure the largest tumor of a label volume.

    Args:
        path: NIfTI: 0 background, 1 kidney, 2 tumor.
        radiologists_mm: the size in the clinical data.

    Returns:
        The tumor; None where the volume shows none.
    """
    volume = read_volume(path)
    tumor = volume.array_kji == TUMOR
    box = bounding_box(tumor)
    if box is None:
        return None
    tumor = largest_component(tumor[box])
    orientation, spacing_kji_mm = find_orientation(volume.grid), volume.grid.spacing_kji_mm
    spacing_rc_mm = orientation.spacing_mm(volume.grid)[1:]
    stack = orientation.to_stack(tumor)

    def longest_mm(slices: np.ndarray, bridge_mm: float = BRIDGE_MM) -> float:
        axial = axial_diameters(slices, spacing_rc_mm, bridge_mm)
        return axial.longest_mm if axial else 0.0

    largest = int(stack.sum(axis=(1, 2)).argmax())
    return Tumor(
        path.name[:10],
        radiologists_mm,
        {bridge_mm: longest_mm(stack, bridge_mm) for bridge_mm in BRIDGES_MM},
        longest_mm(stack[largest : largest + 1]),
        longest_diameter_mm(tumor, spacing_kji_mm),
    )


def folder_of(arguments: Sequence[str] | None, description: str | None) -> Path:
    """Return the folder of label volumes that a benchmark's command names."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="label volumes and kits.json")
    folder: Path = parser.parse_args(arguments).folder
    return folder


def label_volumes(folder: Path) -> dict[Path, float]:
    """Return the label volumes of a folder in the order of their names, with the tumor's size in the clinical data, mm.

    Raises:
        BadInputError: the folder lacks the volumes, or the sizes.
    """
    paths = sorted(folder.glob("case_*.nii.gz"))
    if not paths or not (folder / "kits.json").is_file():
        raise BadInputError(f"'{folder}' lacks case_xxxxx.nii.gz or kits.json; give the folder of KiTS19's labels.")
    clinical = json.loads((folder / "kits.json").read_text(encoding="utf-8"))
    sizes_mm = {case["case_id"]: 10 * float(case["radiographic_size"]) for case in clinical}
    return {path: sizes_mm[path.name[:10]] for path in paths}


def line_of(name: str, found_mm: list[float], radiologists_mm: list[float]) -> str:
    """Return mean and median of the differences, and the mean and median of their size, as a line of a table."""
    differences = np.subtract(found_mm, radiologists_mm)
    sizes = np.abs(differences)
    values = (differences.mean(), np.median(differences), sizes.mean(), np.median(sizes))
    return f"{name:<28}" + "".join(f"{value:>9.2f}" for value in values)


@told_in_a_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 where the folder holds no volumes."""
    volumes = label_volumes(folder_of(arguments, __doc__))
    tumors = [tumor for path, size_mm in volumes.items() if (tumor := measure(path, size_mm)) is not None]
    theirs = [tumor.radiologists_mm for tumor in tumors]
    header = ("mean", "median", "mean ||", "median")
    print(f"{len(tumors)} tumors, mm".ljust(28) + "".join(f"{name:>9}" for name in header))
    for bridge_mm in BRIDGES_MM:
        mark = " (ours)" if bridge_mm == BRIDGE_MM else ""
        print(line_of(f"axial, bridge {bridge_mm:g} mm{mark}", [tumor.axial_mm[bridge_mm] for tumor in tumors], theirs))
    print(line_of("in the largest slice", [tumor.in_largest_slice_mm for tumor in tumors], theirs))
    print(line_of("3D", [tumor.in_3d_mm for tumor in tumors], theirs))
    worst = sorted(tumors, key=lambda tumor: -abs(tumor.axial_mm[BRIDGE_MM] - tumor.radiologists_mm))[:5]
    for tumor in worst:
        print(f"{tumor.case}: axial {tumor.axial_mm[BRIDGE_MM]:.1f}, radiologists {tumor.radiologists_mm:.1f} mm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
