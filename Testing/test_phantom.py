"""The phantom: a believable patient, the same on every grid."""

from __future__ import annotations

import numpy as np

from seru.phantom import PhantomOptions, make_phantom

SMALL = {"shape_kji": (36, 96, 96), "spacing_kji_mm": (8.0, 4.0, 4.0)}


def test_same_seed_gives_the_same_voxels() -> None:
    first = make_phantom(PhantomOptions(seed=4, **SMALL))

    second = make_phantom(PhantomOptions(seed=4, **SMALL))

    np.testing.assert_array_equal(first.volume.array_kji, second.volume.array_kji)
    np.testing.assert_array_equal(first.labels_kji, second.labels_kji)
