"""Reproduces the weights of SERU; imports ``seru`` and is never imported by it."""
