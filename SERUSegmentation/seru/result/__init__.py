"""Everything after the networks: fusion, gate, clean-up, findings, maps, figures.

Neither torch nor OpenCV is needed to open a result; SciPy and scikit-image are loaded with the first one.
"""

from seru.result.finish import Finished, finish
from seru.result.measurements import measure

__all__ = ["Finished", "finish", "measure"]
