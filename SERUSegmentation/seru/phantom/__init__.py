"""A synthetic abdominal CT with known kidneys and tumors, made from a seed."""

from seru.phantom.options import ORIENTATIONS, PhantomOptions
from seru.phantom.scan import Phantom, make_phantom, sample_slices

__all__ = ["ORIENTATIONS", "Phantom", "PhantomOptions", "make_phantom", "sample_slices"]
