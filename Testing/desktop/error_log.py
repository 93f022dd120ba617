"""Slicer's error log: what VTK, Qt, Python and stand-ins report as an error. A clean one is part of every test."""

from __future__ import annotations

import logging

import vtk

# What a slot raises has a list of its own.
RAISED = "Testing.desktop.raised"
# slicer-core's wheel lacks Slicer's terminology lists, and says so whenever its logic looks for them.
_WITHOUT_LISTS = "vtkSlicerTerminologiesModuleLogic"


class ErrorLog(logging.Handler):
    """Keeps the texts of errors and critical messages, in the order in which they came.

    Attributes:
        errors: the texts; a test that expects one takes it out.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []
        logging.getLogger().addHandler(self)
        vtk.vtkOutputWindow.GetInstance().AddObserver(vtk.vtkCommand.ErrorEvent, self._on_vtk_error)

    def emit(self, record: logging.LogRecord) -> None:
        """Take in what Python code logs."""
        # What a box tells the user is logged as well, and kept by the dialogs.
        if record.name != RAISED and record.funcName != "_messageDisplay":
            self.errors.append(record.getMessage())

    def add(self, text: str) -> None:
        """Take in an error of Qt's or of a stand-in's."""
        self.errors.append(text)

    @vtk.calldata_type(vtk.VTK_STRING)
    def _on_vtk_error(self, _caller: object, _event: str, text: str) -> None:
        if not (_WITHOUT_LISTS in text and "Failed to load" in text):
            self.errors.append(text.strip())
