"""Tests, and the headless desktop that some of them run in."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
