"""The modules a Slicer module imports: qt, ctk, and Slicer's Qt classes inside slicer."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import slicer
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets

from Testing.desktop import i18n, packaging_standin, parameter_node, sample_data, scripted_module, ui_loader
from Testing.desktop.ctk_collapsible_button import ctkCollapsibleButton
from Testing.desktop.ctk_message_box import ctkMessageBox
from Testing.desktop.ctk_slider import ctkDoubleSlider, ctkSliderWidget
from Testing.desktop.modules import qSlicerScriptedLoadableModule, qSlicerScriptedLoadableModuleWidget
from Testing.desktop.qmrml_table_view import qMRMLTableView
from Testing.desktop.qmrml_widgets import qMRMLNodeComboBox, qMRMLWidget

SLICER_PYTHON = "SLICER_PYTHON"
# What ``ctk`` and ``slicer`` offer by name; the other stand-ins are handed out by slicer.app.
CTK_CLASSES = (ctkCollapsibleButton, ctkDoubleSlider, ctkMessageBox, ctkSliderWidget)
SLICER_CLASSES = (
    qMRMLNodeComboBox,
    qMRMLTableView,
    qMRMLWidget,
    qSlicerScriptedLoadableModule,
    qSlicerScriptedLoadableModuleWidget,
)
# Slicer's own parameterNodeWrapper cannot be imported without these names; no widget is of these classes here.
NAMED_BY_SLICER = (
    "ctkCheckBox",
    "ctkCheckablePushButton",
    "ctkColorPickerButton",
    "ctkComboBox",
    "ctkDirectoryButton",
    "ctkDoubleRangeSlider",
    "ctkDoubleSpinBox",
    "ctkPathLineEdit",
    "ctkRangeWidget",
    "qMRMLRangeWidget",
    "qMRMLSliderWidget",
    "qMRMLSpinBox",
)


def make_qt() -> ModuleType:
    """Return the ``qt`` module: the classes of QtCore, QtGui, QtWidgets and QtNetwork in one place."""
    qt = ModuleType("qt")
    for source in (QtCore, QtGui, QtWidgets, QtNetwork):
        for name in dir(source):
            if (name.startswith("Q") and not name.startswith("Qt")) or name == "Qt":
                setattr(qt, name, getattr(source, name))
    qt.Signal, qt.Slot, qt.Property = QtCore.Signal, QtCore.Slot, QtCore.Property
    qt.QUiLoader = ui_loader.QUiLoader
    return qt


def install() -> None:
    """Put the stand-ins where modules import them from."""
    ctk_classes = {kind.__name__: kind for kind in CTK_CLASSES}
    slicer_classes = {kind.__name__: kind for kind in SLICER_CLASSES} | {"qSlicerWidget": qMRMLWidget}
    ctk = ModuleType("ctk")
    vars(ctk).update(ctk_classes)
    vars(slicer).update(slicer_classes)
    ui_loader.QUiLoader.stand_ins.update({**ctk_classes, **slicer_classes})
    sys.modules["qt"], sys.modules["ctk"], sys.modules["SampleData"] = make_qt(), ctk, sample_data
    if os.environ.get(SLICER_PYTHON):
        _use_slicers_own(Path(os.environ[SLICER_PYTHON]))
    else:
        i18n.install()
        packaging_standin.install()
        scripted_module.install()
        parameter_node.install()


def _use_slicers_own(folder: Path) -> None:
    """Let ScriptedLoadableModule, parameterNodeWrapper, i18n and packaging come from Slicer's source."""
    if not (folder / "slicer" / "ScriptedLoadableModule.py").is_file():
        raise FileNotFoundError(f"{SLICER_PYTHON}={folder} is not <Slicer source>/Base/Python")
    slicer.__path__.append(str(folder / "slicer"))
    for name in NAMED_BY_SLICER:
        setattr(slicer if name.startswith("qMRML") else sys.modules["ctk"], name, type(name, (), {}))
    for name in ("ScriptedLoadableModule", "i18n", "packaging", "parameterNodeWrapper"):
        setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
