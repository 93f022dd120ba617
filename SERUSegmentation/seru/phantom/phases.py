"""Densities of the tissues in the four contrast phases."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from seru.phantom.options import PhaseName


@dataclass(frozen=True)
class Densities:
    """Mean Hounsfield units of the tissues that contrast medium changes.

    Source: usual values of abdominal CT at 120 kV; our choice within them.
    """

    cortex: float
    medulla: float
    urine: float
    tumor: float
    aorta: float
    vein: float
    portal: float
    liver: float
    spleen: float
    pancreas: float
    muscle: float
    mucosa: float
    heart: float


_MEANS: dict[str, Densities] = {
    "corticomedullary": Densities(195, 100, 8, 135, 290, 125, 120, 80, 130, 112, 58, 105, 230),
    "nephrographic": Densities(182, 170, 10, 100, 155, 150, 165, 112, 122, 102, 62, 88, 150),
    "excretory": Densities(150, 146, 520, 84, 118, 118, 122, 98, 102, 86, 60, 74, 115),
    "unenhanced": Densities(35, 33, 6, 38, 42, 40, 42, 57, 48, 40, 52, 42, 42),
}
_SHARES = {"corticomedullary": 0.35, "nephrographic": 0.47, "excretory": 0.12, "unenhanced": 0.06}


def draw_densities(rng: np.random.Generator, phase: PhaseName) -> Densities:
    """Return a patient's densities.

    Args:
        rng: draws the phase (when it is ``auto``) and the patient's own deviation.
        phase: the contrast phase.

    Returns:
        The densities, each within about 10 % of the phase's mean.
    """
    drawn = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
    means = _MEANS[drawn if phase == "auto" else phase]
    enhancement = float(rng.uniform(0.93, 1.07))
    own = np.clip(rng.normal(1.0, 0.03, size=len(fields(Densities))), 0.93, 1.07)
    return Densities(
        *(float(getattr(means, f.name) * enhancement * n) for f, n in zip(fields(Densities), own, strict=True))
    )
