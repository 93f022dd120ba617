"""Stand-in for slicer.parameterNodeWrapper, over the real vtkMRMLScriptedModuleNode.

It writes the same strings and references into the node as Slicer's own, so that a scene saved here opens there. Left
out: every type but bool, int, float, str, Enum, MRML nodes and packs of them; every validator but WithinRange and
Choice; every widget but those in :mod:`~Testing.desktop.parameter_node.gui`; own serializers, validators and
connectors; caching; prefixes; generated user interfaces. What is left out raises.

Source: Base/Python/slicer/parameterNodeWrapper of Slicer/Slicer (behaviour, not text).
"""

from __future__ import annotations

import sys

import slicer

from Testing.desktop.parameter_node.annotations import Choice, Default, WithinRange
from Testing.desktop.parameter_node.pack import parameterPack
from Testing.desktop.parameter_node.wrapper import parameterNodeWrapper

__all__ = ["Choice", "Default", "WithinRange", "parameterNodeWrapper", "parameterPack"]


def install() -> None:
    """Make this package ``slicer.parameterNodeWrapper``."""
    sys.modules["slicer.parameterNodeWrapper"] = slicer.parameterNodeWrapper = sys.modules[__name__]
