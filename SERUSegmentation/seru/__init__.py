"""SERU: coarse-to-fine kidney and kidney-tumor segmentation in CT.

Importing the package loads neither torch nor OpenCV; each room imports what it needs.
"""

__version__ = "0.1.0"
