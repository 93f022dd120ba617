"""Tests, the demo and the headless desktop."""
