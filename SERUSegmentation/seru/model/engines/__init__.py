"""Engines run a stage's network on batches of slices; one small interface, several back ends."""

from seru.model.engines.base import Engine, make_engine, memory_error, resolve_device

__all__ = ["Engine", "make_engine", "memory_error", "resolve_device"]
