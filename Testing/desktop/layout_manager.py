"""slicer.app.layoutManager(): the real layout node and logic, laid out with Qt's splitters and boxes.

Source: qMRMLLayoutManager.h, vtkMRMLLayoutLogic.cxx of Slicer/Slicer, ctkLayoutManager.cpp of commontk/CTK.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from Testing.desktop.qproperty import accessors
from Testing.desktop.view_widgets import qMRMLSliceWidget, qMRMLTableWidget, qMRMLThreeDWidget

VIEW_WIDGETS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLViewNode": qMRMLThreeDWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
}


class qSlicerLayoutManager(QObject):  # noqa: N801
    """Shows the views of the current layout in one widget, its viewport.

    Left out: layouts in tabs or grids, plot views, several windows, the active view.
    """

    layoutChanged = Signal(int)

    def __init__(self, application_logic: Any, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._application_logic, self._viewport = application_logic, viewport
        self._box = QVBoxLayout(viewport)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._content: QWidget | None = None
        self._widgets: dict[str, QWidget] = {}
        self._shown: list[QWidget] = []
        self._arrangement = None
        application_logic.SetSliceLogics(vtk.vtkCollection())
        application_logic.SetViewLogics(vtk.vtkCollection())
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetMRMLScene(slicer.mrmlScene)
        self._node = self._logic.GetLayoutNode()
        self._tags = [(self._node, self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update()))]
        scene = slicer.mrmlScene
        # Slicer lays its views out anew each time; that is what makes them draw the nodes of a scene just opened.
        for event in (scene.EndCloseEvent, scene.EndBatchProcessEvent, scene.EndRestoreEvent):
            self._tags.append((scene, scene.AddObserver(event, lambda *_: self._update(True))))

    # The layout

    def setLayout(self, layout: int) -> None:
        self._node.SetViewArrangement(layout)

    def layoutLogic(self) -> Any:
        return self._logic

    def _update(self, is_scene_changed: bool = False) -> None:
        if slicer.mrmlScene.IsBatchProcessing():
            return
        key = (self._node.GetViewArrangement(), self._node.GetCurrentLayoutDescription())
        if is_scene_changed:
            self._forget_gone_views()
        elif key == self._arrangement:
            return
        root = self._node.GetLayoutRootElement()
        if root is None:
            self._blank(key)
            return
        self._arrangement = key
        self._lay_out(root)
        self.layoutChanged.emit(self._node.GetViewArrangement())

    def _forget_gone_views(self) -> None:
        for node_id, widget in list(self._widgets.items()):
            node = widget.mrmlAbstractViewNode()
            if node is None or slicer.mrmlScene.GetNodeByID(node_id) is not node:
                del self._widgets[node_id]
                widget.close_view()
                widget.setParent(None)
                widget.deleteLater()
            else:
                self._schedule(widget)

    def _lay_out(self, root: Any) -> None:
        for node in self._nodes():
            node.SetMappedInLayout(0)
        for widget in self._widgets.values():
            widget.setParent(None)
        if self._content is not None:
            self._content.deleteLater()
        self._shown = []
        self._content = self._build(root)
        self._box.addWidget(self._content)
        for node in self._nodes():
            node.SetMappedInLayout(1 if any(w.mrmlAbstractViewNode() is node for w in self._shown) else 0)
        for widget in self._shown:
            widget.show()
        self._content.show()

    def _blank(self, key: tuple[int, str | None]) -> None:
        """Show no view at all, as Slicer does in a layout that it does not know."""
        self._arrangement = key
        for widget in self._widgets.values():
            widget.setParent(None)
        self._shown = []
        if self._content is not None:
            self._content.deleteLater()
            self._content = None

    def _nodes(self) -> list[Any]:
        return [widget.mrmlAbstractViewNode() for widget in self._widgets.values()]

    def _build(self, element: Any) -> QWidget:
        if element.GetName() == "view":
            return self._view(element)
        items = [element.GetNestedElement(i) for i in range(element.GetNumberOfNestedElements())]
        kind = element.GetAttribute("type") or "horizontal"
        if kind not in ("horizontal", "vertical"):
            return QLabel(f"a layout of type '{kind}': not in this desktop")
        return self._build_row(items, kind)

    def _build_row(self, items: list[Any], kind: str) -> QWidget:
        is_row = kind == "horizontal"
        splitter = QSplitter(Qt.Orientation.Horizontal if is_row else Qt.Orientation.Vertical)
        splitter.setHandleWidth(3)
        splitter.setChildrenCollapsible(False)
        sizes = []
        for item in items:
            splitter.addWidget(self._build(item.GetNestedElement(0)))
            sizes.append(int(item.GetAttribute("splitSize") or 1000))
        splitter.setSizes(sizes)
        for index in range(len(items)):
            splitter.setStretchFactor(index, 1)
        return splitter

    def _view(self, element: Any) -> QWidget:
        node = self._logic.GetViewFromElement(element)
        kind = VIEW_WIDGETS.get(element.GetAttribute("class"))
        if kind is None or node is None:
            return QLabel(f"{element.GetAttribute('class')}: not in this desktop")
        if node.GetID() not in self._widgets:
            self._widgets[node.GetID()] = kind(node, self._application_logic)
        self._shown.append(self._widgets[node.GetID()])
        return self._widgets[node.GetID()]

    # The views

    def _of(self, kind: type) -> list[Any]:
        return [widget for widget in self._widgets.values() if isinstance(widget, kind)]

    def sliceWidget(self, name: str) -> Any:
        return next((w for w in self._of(qMRMLSliceWidget) if w.mrmlSliceNode().GetLayoutName() == name), None)

    def threeDWidget(self, key: int | str) -> Any:
        widgets = self._of(qMRMLThreeDWidget)
        if isinstance(key, str):
            return next((w for w in widgets if w.mrmlViewNode().GetLayoutName() == key), None)
        return widgets[key] if 0 <= key < len(widgets) else None

    def tableWidget(self, index: int) -> Any:
        widgets = self._of(qMRMLTableWidget)
        return widgets[index] if 0 <= index < len(widgets) else None

    def shownWidgets(self) -> list[QWidget]:
        """Return the views of the current layout in its order (the desktop's own)."""
        return list(self._shown)

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(w.mrmlSliceNode().GetLayoutName() for w in self._of(qMRMLSliceWidget))

    def mrmlSliceLogics(self) -> Any:
        return self._application_logic.GetSliceLogics()

    def resetThreeDViews(self) -> None:
        for widget in self._of(qMRMLThreeDWidget):
            widget.threeDView().resetFocalPoint()
            widget.threeDView().resetCamera()

    def resetSliceViews(self) -> None:
        for widget in self._of(qMRMLSliceWidget):
            widget.sliceLogic().FitSliceToBackground()

    # Rendering

    def _schedule(self, widget: QWidget) -> None:
        if hasattr(widget.viewWidget(), "scheduleRender"):
            widget.viewWidget().scheduleRender()

    def setRenderPaused(self, is_paused: bool) -> None:
        for widget in self._widgets.values():
            view = widget.viewWidget()
            if hasattr(view, "pauseRender"):
                (view.pauseRender if is_paused else view.resumeRender)()

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def close_views(self) -> None:
        """Let go of the scene, before the process ends."""
        for subject, tag in self._tags:
            subject.RemoveObserver(tag)
        for widget in self._widgets.values():
            widget.close_view()
        self._widgets.clear()

    layout = accessors(int, lambda self: self._node.GetViewArrangement(), setLayout)
    threeDViewCount = accessors(int, lambda self: len(self._of(qMRMLThreeDWidget)))
    tableViewCount = accessors(int, lambda self: len(self._of(qMRMLTableWidget)))
    plotViewCount = accessors(int, lambda self: 0)
