"""What may be chosen for a phantom, validated when built."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations, product
from typing import Literal, get_args

from seru.errors import BadInputError

TumorSides = Literal["left", "right", "both", "none"]
KidneySides = Literal["both", "left", "right", "none", "horseshoe"]
PhaseName = Literal["auto", "corticomedullary", "nephrographic", "excretory", "unenhanced"]

ORIENTATIONS = tuple(sorted("".join(code) for axes in permutations(("LR", "PA", "SI")) for code in product(*axes)))
"""The 48 axis codes: the directions in which i, j and k grow."""

MAX_VOXELS = 2**31
TUMOR_DIAMETER_RANGE_MM = (5.0, 300.0)


@dataclass(frozen=True)
class PhantomOptions:
    """Which patient is scanned, and on which grid.

    The seed alone decides the anatomy; the grid only samples it. ``shape_kji`` and ``spacing_kji_mm`` describe the
    canonical grid (i grows to the patient's left, j to the back, k to the head); ``orientation`` then writes the same
    voxels in another axis order.

    Attributes:
        shape_kji: voxels along k, j and i of the canonical grid.
        spacing_kji_mm: voxel size in mm, same order.
        seed: the patient; 0 or more.
        tumor: the sides with a tumor; ``both`` means every kidney there is.
        orientation: directions of i, j and k of the array that is returned, one of ``ORIENTATIONS``.
        oblique_degrees: turn of the grid about the patient's L, P and S axes, in degrees.
        noise_hu: standard deviation of the image noise in HU; 0 gives a noiseless image.
        kidneys: the kidneys that exist; ``horseshoe`` joins the lower poles in front of the aorta.
        tumor_diameter_mm: longest diameter of the tumors in mm; None draws it from the seed.
        phase: contrast phase; ``auto`` draws it from the seed.

    Raises:
        BadInputError: a value is out of its range, or the choices exclude each other.
    """

    shape_kji: tuple[int, int, int] = (96, 256, 256)
    spacing_kji_mm: tuple[float, float, float] = (3.0, 1.5, 1.5)
    seed: int = 0
    tumor: TumorSides = "both"
    orientation: str = "LPS"
    oblique_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise_hu: float = 12.0
    kidneys: KidneySides = "both"
    tumor_diameter_mm: float | None = None
    phase: PhaseName = "auto"

    def __post_init__(self) -> None:
        self._check_grid()
        self._check_patient()
        self._check_tumor()

    @property
    def kidney_sides(self) -> tuple[Literal["right", "left"], ...]:
        """The sides that have a kidney."""
        both = self.kidneys in ("both", "horseshoe")
        return tuple(side for side in ("right", "left") if both or self.kidneys == side)

    @property
    def tumor_sides(self) -> tuple[Literal["right", "left"], ...]:
        """The sides that have a tumor."""
        return tuple(side for side in self.kidney_sides if self.tumor in ("both", side))

    def _check_grid(self) -> None:
        shape_is_good = len(self.shape_kji) == 3 and all(int(n) == n and n >= 1 for n in self.shape_kji)
        if not shape_is_good or math.prod(self.shape_kji) > MAX_VOXELS:
            raise BadInputError(
                f"The phantom's shape is {self.shape_kji}; give three whole numbers of 1 or more with at most "
                f"{MAX_VOXELS} voxels in all."
            )
        if len(self.spacing_kji_mm) != 3 or not all(math.isfinite(s) and s > 0 for s in self.spacing_kji_mm):
            raise BadInputError(f"The phantom's spacing is {self.spacing_kji_mm}; give three positive sizes in mm.")
        if len(self.oblique_degrees) != 3 or not all(math.isfinite(angle) for angle in self.oblique_degrees):
            raise BadInputError(f"The phantom's oblique angles are {self.oblique_degrees}; give three finite degrees.")
        if self.orientation not in ORIENTATIONS:
            raise BadInputError(
                f"The orientation '{self.orientation}' is unknown; give the directions of i, j and k as one letter "
                "each of L/R, P/A and S/I, for example LPS."
            )

    def _check_patient(self) -> None:
        if int(self.seed) != self.seed or self.seed < 0:
            raise BadInputError(f"The phantom's seed is {self.seed}; give a whole number that is 0 or more.")
        if not (math.isfinite(self.noise_hu) and self.noise_hu >= 0):
            raise BadInputError(f"The phantom's noise is {self.noise_hu} HU; give a number that is 0 or more.")
        _check_choice("kidneys", self.kidneys, get_args(KidneySides))
        _check_choice("tumor", self.tumor, get_args(TumorSides))
        _check_choice("phase", self.phase, get_args(PhaseName))

    def _check_tumor(self) -> None:
        if self.tumor in ("left", "right") and self.tumor not in self.kidney_sides:
            raise BadInputError(
                f"A tumor of the {self.tumor} kidney was asked for but the phantom's kidneys are '{self.kidneys}'; "
                "choose a side that has a kidney."
            )
        if self.tumor_diameter_mm is None:
            return
        low, high = TUMOR_DIAMETER_RANGE_MM
        if not low <= self.tumor_diameter_mm <= high:
            raise BadInputError(f"The tumor's diameter is {self.tumor_diameter_mm} mm; give {low:g} to {high:g} mm.")
        if not self.tumor_sides:
            raise BadInputError(
                f"A tumor diameter of {self.tumor_diameter_mm} mm was given but no tumor is to be drawn; choose a side."
            )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadInputError(f"The phantom's {name} option '{value}' is unknown; give one of {', '.join(choices)}.")
