"""C-index: how near a tumor lies to the kidney's centre, in radii of the tumor.

Source: Simmons et al., "Kidney tumor location measurement using the C index method", J Urol 183 (2010) 1708-1713,
Materials and Methods: Pythagoras over the way in the axial plane and the way along the slices. 0 is a tumor round the
kidney's centre; at 1 its rim reaches it.
"""

from __future__ import annotations

import numpy as np

from seru.result.diameters import axial_diameters
from seru.result.nephrometry.location import Case
from seru.scores import Aspect, rounded

_NAME = "C-index"
_HOW = (
    "From the kidney's centre (of its outline, half-way between its poles) to the tumor's in the axial slice of its "
    "largest area (half-way between two equal ones), divided by half the tumor's longest diameter there."
)


def centrality_aspect(case: Case) -> Aspect:
    """Compute the C-index.

    Args:
        case: of the side.

    Returns:
        The index, with both centres.
    """
    if case.whole_reason:
        return Aspect.unknown(_NAME, _HOW, case.whole_reason)
    anatomy = case.anatomy
    areas = anatomy.tumor.sum(axis=(1, 2))
    equal = np.flatnonzero(areas == areas.max())
    # Of an even number the two in the middle, so that the index is the same from the head and from the feet.
    largest = equal[[(len(equal) - 1) // 2, len(equal) // 2]]
    planes = anatomy.tumor[largest]
    axial = axial_diameters(planes, anatomy.spacing_mm[1:].tolist())
    if axial is None or axial.longest_mm == 0:
        return Aspect.unknown(_NAME, _HOW, "The tumor is no wider than a voxel in its largest slice.")
    middle = np.flatnonzero(anatomy.kidney.any(axis=(1, 2)))[[0, -1]].mean()
    kidney = np.array([middle, *anatomy.centre_at(middle)])
    centres = [np.argwhere(plane).mean(axis=0) for plane in planes]
    tumor = np.array([largest.mean(), *np.mean(centres, axis=0)])
    along_mm, *in_plane_mm = np.abs(tumor - kidney) * anatomy.spacing_mm
    centres_mm, radius_mm = float(np.hypot(along_mm, np.hypot(*in_plane_mm))), axial.longest_mm / 2
    index = centres_mm / radius_mm
    return Aspect(
        _NAME,
        f"{index:.1f}",
        None,
        _HOW,
        numbers=rounded(
            c_index=index,
            centres_mm=centres_mm,
            along_slices_mm=along_mm,
            in_plane_mm=np.hypot(*in_plane_mm),
            radius_mm=radius_mm,
        ),
        places_ras={"kidney": anatomy.frame.place_ras(kidney), "tumor": anatomy.frame.place_ras(tumor)},
        slices={"kidney": anatomy.frame.slice_index(middle), "tumor": anatomy.frame.slice_index(tumor[0])},
    )
