"""Stand-in for the used part of slicer.parameterNodeWrapper, over the real vtkMRMLScriptedModuleNode.

It writes the same strings and references into the node as Slicer's own, so that a scene saved here opens there. Left
out: caching, typing.Any, QColor, FloatRange, generated user interfaces.

Source: Base/Python/slicer/parameterNodeWrapper of Slicer/Slicer (behaviour, not text).
"""

from __future__ import annotations

import sys

import slicer

from Testing.desktop.parameter_node.annotations import (
    Choice,
    Decimals,
    Default,
    Exclude,
    IsInstance,
    Maximum,
    Minimum,
    NotNone,
    SingleStep,
    Validator,
    WithinRange,
    findFirstAnnotation,
    splitAnnotations,
    unannotatedType,
)
from Testing.desktop.parameter_node.containers import ObservedList
from Testing.desktop.parameter_node.gui import GuiConnector, createGuiConnector, parameterNodeGuiConnector
from Testing.desktop.parameter_node.pack import isParameterPack, nestedParameterNames, parameterPack
from Testing.desktop.parameter_node.serializers import Serializer, parameterNodeSerializer
from Testing.desktop.parameter_node.wrapper import (
    SlicerParameterNamePropertyName,
    findChildWidgetForParameter,
    isParameterNodeWrapper,
    parameterNodeWrapper,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "GuiConnector",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "ObservedList",
    "Serializer",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "createGuiConnector",
    "findChildWidgetForParameter",
    "findFirstAnnotation",
    "isParameterNodeWrapper",
    "isParameterPack",
    "nestedParameterNames",
    "parameterNodeGuiConnector",
    "parameterNodeSerializer",
    "parameterNodeWrapper",
    "parameterPack",
    "splitAnnotations",
    "unannotatedType",
]


def install() -> None:
    """Make this package ``slicer.parameterNodeWrapper``."""
    module = sys.modules[__name__]
    sys.modules["slicer.parameterNodeWrapper"] = module
    slicer.parameterNodeWrapper = module
