"""Stand-ins for qMRMLWidget and qMRMLNodeComboBox, over the real scene.

Source: qMRMLNodeComboBox.cxx, qMRMLNodeFactory.cxx of Slicer/Slicer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import shiboken6
import slicer
import vtk
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QLineEdit, QSizePolicy, QWidget

from Testing.desktop.qproperty import field, setters

SCENE_EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndBatchProcessEvent", "EndCloseEvent", "EndImportEvent")
ACTION_ROLE = Qt.ItemDataRole.UserRole + 1


class SceneObserver:
    """Keeps a widget's observers and takes them away together, at the latest when the widget is gone."""

    def __init__(self, owner: QWidget) -> None:
        self._owner = owner
        self._observed: list[tuple[Any, int]] = []

    def add(self, subject: Any, event: int, callback: Callable[[], None]) -> None:
        """Observe an event of a VTK object."""

        def call(_caller: Any, _event: str) -> None:
            if shiboken6.isValid(self._owner):
                callback()
            else:
                self.clear()

        self._observed.append((subject, subject.AddObserver(event, call)))

    def clear(self) -> None:
        """Stop observing."""
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()


class qMRMLWidget(QWidget):  # noqa: N801
    """A widget that knows the scene and tells its children; also a module's ``qSlicerWidget``. Nothing is left out."""

    mrmlSceneChanged = Signal(object)
    SIGNATURES: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


@setters("nodeTypes", "noneEnabled", "noneDisplay", "addEnabled", "removeEnabled", "renameEnabled")
@setters("showChildNodeTypes")
class qMRMLNodeComboBox(QWidget):  # noqa: N801
    """Chooses a node of the scene; its last entries create, rename and delete one.

    Left out: filters by attribute, hidden nodes, base names and labels of own, "Edit current", the signals that tell
    who added a node. The box inside is a QComboBox, not a ctkComboBox.
    """

    currentNodeChanged = Signal(object)
    SIGNATURES: ClassVar = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self._requested, self._last_id = None, "", ""
        self._scene_observer, self._node_observer = SceneObserver(self), SceneObserver(self)
        self._node_types: list[str] = []
        self._add_enabled, self._remove_enabled, self._rename_enabled = True, True, False
        self._none_enabled, self._none_display, self._show_child_types = False, "None", True
        self._combo = QComboBox(self)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.setMinimumContentsLength(8)
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._combo.currentIndexChanged.connect(self._on_index)
        self._combo.activated.connect(self._on_activated)
        self.setEnabled(False)

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._scene_observer.clear()
        self._scene = scene
        if scene is not None:
            for event in SCENE_EVENTS:
                self._scene_observer.add(scene, getattr(scene, event), self._rebuild)
        self._rebuild(self._requested or None)
        self._requested = ""
        self.setEnabled(scene is not None)

    def mrmlScene(self) -> Any:
        return self._scene

    def currentNode(self) -> Any:
        node_id = self._combo.itemData(self._combo.currentIndex)
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str) -> None:
        if self._scene is None:
            self._requested = node_id
            return
        index = self._combo.findData(node_id) if node_id else -1
        self._combo.setCurrentIndex(index if index >= 0 else (0 if self._none_enabled else -1))
        self._tell_if_changed()

    def comboBox(self) -> QComboBox:
        """Return the combo box inside, for a test's mouse (protected in Slicer)."""
        return self._combo

    # The list

    def _nodes(self) -> list[Any]:
        """Return the nodes on offer."""
        if self._scene is None:
            return []
        if len(self._node_types) == 1:
            nodes = slicer.util.getNodesByClass(self._node_types[0], self._scene)
        else:
            nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._shows(node)]

    def _shows(self, node: Any) -> bool:
        is_exact = node.GetClassName() in self._node_types
        is_child = self._show_child_types and any(node.IsA(kind) for kind in self._node_types)
        return not node.GetHideFromEditors() and (is_exact or is_child)

    def _rebuild(self, wanted: str | None = None) -> None:
        """Fill the list again and keep, request or fall back to a node as a QComboBox over the scene would."""
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        nodes, actions = self._nodes(), self._actions() if self._scene is not None else []
        old_index, keep = self._combo.currentIndex, wanted if wanted is not None else self._last_id
        blocker = QSignalBlocker(self._combo)
        self._combo.clear()
        self._node_observer.clear()
        if self._none_enabled and self._scene is not None:
            self._combo.addItem(self._none_display, "")
        for node in nodes:
            self._combo.addItem(node.GetName() or "", node.GetID())
            self._node_observer.add(node, vtk.vtkCommand.ModifiedEvent, lambda node=node: self._on_node(node))
        if actions:
            self._combo.insertSeparator(self._combo.count)
        for text, action in actions:
            self._combo.addItem(text)
            self._combo.setItemData(self._combo.count - 1, action, ACTION_ROLE)
        self._combo.setPlaceholderText(f"Select a {self._label(self._node_types[0]) if self._node_types else 'node'}")
        self._combo.setCurrentIndex(self._index_after_rebuild(keep, old_index, len(nodes), bool(actions)))
        blocker.unblock()
        self._tell_if_changed()

    def _index_after_rebuild(self, keep: str, old_index: int, node_count: int, has_actions: bool) -> int:
        index = self._combo.findData(keep) if keep else -1
        first = 1 if self._none_enabled else 0
        if index >= 0:
            return index
        if keep and node_count:  # the current node went away: the next comes, the last where there is none
            return min(max(old_index, first), first + node_count - 1)
        if self._none_enabled:
            return 0
        return 0 if node_count and not has_actions else -1

    def _on_node(self, node: Any) -> None:
        index = self._combo.findData(node.GetID())
        if index < 0 or not self._shows(node):
            self._rebuild()
        elif self._combo.itemText(index) != (node.GetName() or ""):
            self._combo.setItemText(index, node.GetName() or "")

    def _tell_if_changed(self) -> None:
        node = self.currentNode()
        node_id = node.GetID() if node else ""
        if node_id != self._last_id:
            self._last_id = node_id
            self.currentNodeChanged.emit(node)

    def _on_index(self, index: int) -> None:
        if self._combo.itemData(index, ACTION_ROLE) is None:
            self._tell_if_changed()

    # Its last entries

    def _label(self, node_type: str) -> str:
        scene = self._scene if self._scene is not None else slicer.mrmlScene
        return scene.GetTypeDisplayNameByClassName(node_type) or "node"

    def _actions(self) -> list[tuple[str, tuple[str, str]]]:
        types = self._node_types
        label = self._label(types[0]) if len(types) == 1 else "node"
        actions = [(f"Rename current {label}", ("rename", ""))] if self._rename_enabled else []
        for node_type in types if self._add_enabled else ():
            text = f"Create new {self._label(node_type)}"
            actions.append((text, ("create", node_type)))
            if self._rename_enabled:
                actions.append((f"{text} as...", ("create as", node_type)))
        if self._remove_enabled:
            actions.append((f"Delete current {label}", ("delete", "")))
        return actions

    def _on_activated(self, index: int) -> None:
        action = self._combo.itemData(index, ACTION_ROLE)
        if action is None:
            return
        blocker = QSignalBlocker(self._combo)
        self._combo.setCurrentIndex(self._combo.findData(self._last_id))
        blocker.unblock()
        verb, node_type = action
        if verb == "create":
            self._create(node_type)
        elif verb == "create as":
            self._create_as(node_type)
        elif self.currentNode() is not None and verb == "rename":
            self._rename()
        elif self.currentNode() is not None:
            self._scene.RemoveNode(self.currentNode())

    def _create(self, node_type: str) -> None:
        self.setCurrentNode(self._scene.AddNewNodeByClass(node_type))

    def _create_as(self, node_type: str) -> None:
        name, is_ok = QInputDialog.getText(self, f"Create new {self._label(node_type)}", "New name:")
        if is_ok and name:
            self._create(node_type)
            self.currentNode().SetName(name)

    def _rename(self) -> None:
        node = self.currentNode()
        title = f"Rename {self._label(node.GetClassName())}"
        name, is_ok = QInputDialog.getText(self, title, "New name:", QLineEdit.EchoMode.Normal, node.GetName())
        if is_ok and name:
            node.SetName(name)

    nodeTypes = field("QStringList", "node_types", "_rebuild")
    noneEnabled = field(bool, "none_enabled", "_rebuild")
    addEnabled = field(bool, "add_enabled", "_rebuild")
    removeEnabled = field(bool, "remove_enabled", "_rebuild")
    renameEnabled = field(bool, "rename_enabled", "_rebuild")
    showChildNodeTypes = field(bool, "show_child_types", "_rebuild")
    noneDisplay = field(str, "none_display", "_rebuild")
