"""Tests of the Slicer module, in the headless desktop."""
