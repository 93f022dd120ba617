"""The modules a Slicer module imports: qt, ctk, and Slicer's Qt classes inside slicer."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import slicer
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets

from Testing.desktop import (
    app,
    ctk_containers,
    ctk_inputs,
    ctk_slider,
    i18n,
    layout_manager,
    modules,
    packaging_standin,
    parameter_node,
    qmrml_tables,
    qmrml_widgets,
    sample_data,
    scripted_module,
    ui_loader,
    view_widgets,
    views,
)

SLICER_PYTHON = "SLICER_PYTHON"


class qMRMLSliderWidget(ctk_slider.ctkSliderWidget):  # noqa: N801
    """CTK's slider; units of the scene are left out."""

    def setMRMLScene(self, scene: object) -> None:
        """Take the scene, of which only the units would be used."""


class qMRMLSpinBox(ctk_slider.ctkDoubleSpinBox):  # noqa: N801
    """CTK's spin box; units of the scene are left out."""

    def setMRMLScene(self, scene: object) -> None:
        """Take the scene, of which only the units would be used."""


class qMRMLRangeWidget(ctk_slider.ctkRangeWidget):  # noqa: N801
    """CTK's range; units of the scene are left out."""

    def setMRMLScene(self, scene: object) -> None:
        """Take the scene, of which only the units would be used."""


class qMRMLCollapsibleButton(ctk_containers.ctkCollapsibleButton):  # noqa: N801
    """CTK's collapsible button, which keeps the scene for its children."""

    mrmlSceneChanged = QtCore.Signal(object)
    SIGNATURES: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def setMRMLScene(self, scene: object) -> None:
        self.mrmlSceneChanged.emit(scene)


class ctkWidgetsUtils:  # noqa: N801
    """The one static function of CTK's utilities that modules use."""

    @staticmethod
    def grabWidget(widget: QtWidgets.QWidget, *_size: object) -> QtGui.QImage:
        """Return a picture of the widget."""
        return widget.grab().toImage()


def _classes(*sources: ModuleType, starts: tuple[str, ...]) -> dict[str, type]:
    found = {}
    for source in sources:
        for name, member in vars(source).items():
            if isinstance(member, type) and name.startswith(starts):
                found[name] = member
    return found


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
    here = sys.modules[__name__]
    ctk = ModuleType("ctk")
    ctk_classes = _classes(ctk_containers, ctk_inputs, ctk_slider, here, starts=("ctk",))
    vars(ctk).update(ctk_classes)
    sys.modules["qt"], sys.modules["ctk"] = make_qt(), ctk
    sources = (qmrml_widgets, qmrml_tables, view_widgets, views, layout_manager, modules, app, here)
    slicer_classes = _classes(*sources, starts=("qMRML", "qSlicer"))
    vars(slicer).update(slicer_classes)
    ui_loader.QUiLoader.stand_ins.update({**ctk_classes, **slicer_classes, "qSlicerWidget": qmrml_widgets.qMRMLWidget})
    slicer.qSlicerWidget = qmrml_widgets.qMRMLWidget
    sys.modules["SampleData"] = sample_data
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
    for name in ("ScriptedLoadableModule", "i18n", "packaging", "parameterNodeWrapper"):
        setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
