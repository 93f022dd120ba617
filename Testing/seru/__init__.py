"""Tests of the cascade and the command."""
