"""Everything after the networks: fusion, clean-up, measures, maps, figures.

Neither torch nor OpenCV is needed to open a result; SciPy and scikit-image are loaded with the first one.
"""

from seru.result.finish import Finished, finish, fuse
from seru.result.measurements import measure

__all__ = ["Finished", "finish", "fuse", "measure"]
