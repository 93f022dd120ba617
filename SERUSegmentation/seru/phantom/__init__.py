"""A synthetic abdominal CT with known kidneys and tumors, made from a seed."""

from seru.phantom.options import ORIENTATIONS, PhantomOptions
from seru.phantom.scan import Phantom, kidney_range_mm, make_phantom, sample_slices

__all__ = ["ORIENTATIONS", "Phantom", "PhantomOptions", "kidney_range_mm", "make_phantom", "sample_slices"]
