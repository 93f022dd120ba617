"""Stand-ins for qMRMLWidget and qMRMLNodeComboBox, over the real scene.

Source: qMRMLNodeComboBox.cxx, qMRMLNodeFactory.cxx of Slicer/Slicer.
"""

from __future__ import annotations

from typing import Any, ClassVar

import shiboken6
import slicer
import vtk
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QLineEdit, QSizePolicy, QWidget

from Testing.desktop.ctk_inputs import ctkComboBox
from Testing.desktop.qproperty import accessors, field, setters

SCENE_EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndBatchProcessEvent", "EndCloseEvent", "EndImportEvent")
ACTION_ROLE = Qt.ItemDataRole.UserRole + 1


class SceneObserver:
    """Keeps a widget's observers and takes them away together, at the latest when the widget is gone."""

    def __init__(self, owner: QWidget) -> None:
        self._owner = owner
        self._observed: list[tuple[Any, int]] = []

    def add(self, subject: Any, event: Any, callback: Any) -> None:
        """Observe an event of a VTK object."""

        def call(caller: Any, name: str, data: Any = None) -> None:
            if not shiboken6.isValid(self._owner):
                self.clear()
            elif data is None:
                callback(caller, name)
            else:
                callback(caller, name, data)

        if hasattr(callback, "CallDataType"):
            call.CallDataType = callback.CallDataType
        self._observed.append((subject, subject.AddObserver(event, call)))

    def clear(self) -> None:
        """Stop observing."""
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()


class qMRMLWidget(QWidget):  # noqa: N801
    """A widget that knows the scene and tells its children."""

    mrmlSceneChanged = Signal(object)
    SIGNATURES: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QWidget | None = None, *_flags: Any) -> None:
        super().__init__(parent)
        self._scene = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class _NodeActions:
    """What the last entries of the node combo box do."""

    def addNode(self, node_type: str | None = None) -> Any:
        node_type = node_type or (self._node_types[0] if self._node_types else None)
        if self._scene is None or node_type not in self._node_types:
            return None
        node = self._scene.CreateNodeByClass(node_type)
        if node is None:
            return None
        node.UnRegister(None)
        base = self._base_names.get(node_type) or (None if node.GetName() else node.GetDefaultNodeNamePrefix())
        if base:
            node.SetName(self._scene.GetUniqueNameByString(base))
        for kind, attribute, value in self._attributes:
            if kind == node_type:
                node.SetAttribute(attribute, "" if value is None else str(value))
        node = self._scene.AddNode(node)
        if self._select_upon_creation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        if self.currentNode() is not None:
            self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def renameCurrentNode(self) -> None:
        node = self.currentNode()
        if node is None:
            return
        title = f"Rename {self.nodeTypeLabel(node.GetClassName())}"
        name, is_ok = QInputDialog.getText(self, title, "New name:", QLineEdit.EchoMode.Normal, node.GetName())
        if is_ok and name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def _create_as(self, node_type: str) -> None:
        title = f"Create new {self.nodeTypeLabel(node_type)}"
        name, is_ok = QInputDialog.getText(self, title, "New name:")
        if is_ok and name:
            node = self.addNode(node_type)
            node.SetName(name)
            self.setCurrentNode(node)
            self.nodeAddedByUserAction.emit(node)

    def _run_action(self, action: tuple[str, str]) -> None:
        verb, node_type = action
        if verb == "create":
            node = self.addNode(node_type)
            self.setCurrentNode(node)
            self.nodeAddedByUserAction.emit(node)
        elif verb == "create as":
            self._create_as(node_type)
        else:
            {"rename": self.renameCurrentNode, "edit": self.editCurrentNode, "delete": self.removeCurrentNode}[verb]()

    def _actions(self) -> list[tuple[str, tuple[str, str]]]:
        types = self._node_types
        label = self.nodeTypeLabel(types[0]) if len(types) == 1 else "node"
        actions = []
        if self._rename_enabled:
            actions.append((f"Rename current {label}", ("rename", "")))
        if self._edit_enabled:
            actions.append((f"Edit current {label}", ("edit", "")))
        for node_type in types if self._add_enabled else ():
            actions.append((f"Create new {self.nodeTypeLabel(node_type)}", ("create", node_type)))
            if self._rename_enabled:
                actions.append((f"Create new {self.nodeTypeLabel(node_type)} as...", ("create as", node_type)))
        if self._remove_enabled:
            actions.append((f"Delete current {label}", ("delete", "")))
        return actions


@setters("nodeTypes", "noneEnabled", "addEnabled", "removeEnabled", "editEnabled", "renameEnabled", "showHidden")
@setters("showChildNodeTypes", "hideChildNodeTypes", "noneDisplay", "selectNodeUponCreation")
@setters("interactionNodeSingletonTag")
class qMRMLNodeComboBox(QWidget, _NodeActions):  # noqa: N801
    """Chooses a node of the scene; its last entries create, rename and delete one."""

    currentNodeChanged = Signal(object)
    currentNodeIsValid = Signal(bool)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    nodeAboutToBeEdited = Signal(object)
    currentNodeRenamed = Signal(str)
    SIGNATURES: ClassVar = {
        "currentNodeChanged(bool)": "currentNodeIsValid",
        **{
            f"{name}(vtkMRMLNode*)": name
            for name in (
                "currentNodeChanged",
                "nodeActivated",
                "nodeAdded",
                "nodeAddedByUser",
                "nodeAddedByUserAction",
                "nodeAboutToBeRemoved",
                "nodeAboutToBeEdited",
            )
        },
    }

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self._requested, self._observer = None, "", SceneObserver(self)
        self._node_types: list[str] = []
        self._base_names: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._attributes: list[tuple[str, str, Any]] = []
        self._add_enabled, self._remove_enabled, self._edit_enabled, self._rename_enabled = True, True, False, False
        self._none_enabled, self._none_display, self._select_upon_creation = False, "None", True
        self._show_hidden, self._show_child_types, self._hidden_types = False, True, []
        self._interaction_tag, self._last_id = "Singleton", ""
        self._combo = ctkComboBox(self)
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
        self._observer.clear()
        self._scene = scene
        if scene is not None:
            for event in SCENE_EVENTS:
                self._observer.add(scene, getattr(scene, event), lambda *_: self._rebuild())
            callback = self._on_about_to_be_removed
            callback.__func__.CallDataType = vtk.VTK_OBJECT
            self._observer.add(scene, scene.NodeAboutToBeRemovedEvent, callback)
        self._rebuild(self._requested or None)
        self._requested = ""
        self.setEnabled(scene is not None)

    def mrmlScene(self) -> Any:
        return self._scene

    def _on_about_to_be_removed(self, _scene: Any, _event: str, node: Any) -> None:
        if self._combo.findData(node.GetID()) >= 0:
            self.nodeAboutToBeRemoved.emit(node)

    def _shows(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self._show_hidden:
            return False
        kinds = [t for t in self._node_types if node.IsA(t)]
        exact = node.GetClassName() in self._node_types
        if not kinds or (not self._show_child_types and not exact):
            return False
        if any(node.IsA(hidden) for hidden in self._hidden_types):
            return False
        wanted = [(a, v) for kind, a, v in self._attributes if node.IsA(kind)]
        return all(node.GetAttribute(a) is not None and v in (None, node.GetAttribute(a)) for a, v in wanted)

    def nodes(self) -> list[Any]:
        """Return the nodes on offer."""
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._shows(node)]

    def _rebuild(self, wanted: str | None = None) -> None:
        """Fill the list again and keep, request or fall back to a node as a QComboBox over the scene would."""
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        nodes, actions = self.nodes(), self._actions() if self._scene is not None else []
        old_index, keep = self._combo.currentIndex, wanted if wanted is not None else self._last_id
        blocker = QSignalBlocker(self._combo)
        self._combo.clear()
        if self._none_enabled and self._scene is not None:
            self._combo.addItem(self._none_display, "")
        for node in nodes:
            self._combo.addItem(node.GetName() or "", node.GetID())
            self._watch_name(node)
        if actions:
            self._combo.insertSeparator(self._combo.count)
        for text, action in actions:
            self._combo.addItem(text)
            self._combo.setItemData(self._combo.count - 1, action, ACTION_ROLE)
        label = self.nodeTypeLabel(self._node_types[0]) if self._node_types else "node"
        self._combo.setDefaultText(f"Select a {label}")
        self._combo.setCurrentIndex(self._index_after_rebuild(keep, old_index, len(nodes), bool(actions)))
        blocker.unblock()
        self._tell_if_changed()

    def _index_after_rebuild(self, keep: str, old_index: int, node_count: int, has_actions: bool) -> int:
        index = self._combo.findData(keep) if keep else -1
        first = 1 if self._none_enabled else 0
        if index >= 0:
            return index
        if keep and node_count:  # the current node went away: its neighbour comes
            return min(max(old_index - 1, 0), first + node_count - 1)
        if self._none_enabled:
            return 0
        return 0 if node_count and not has_actions else -1

    def _watch_name(self, node: Any) -> None:
        watched = self.__dict__.setdefault("_watched", set())
        if node.GetID() not in watched:
            watched.add(node.GetID())
            self._observer.add(node, vtk.vtkCommand.ModifiedEvent, lambda caller, _event: self._on_node(caller))

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
            self.currentNodeIsValid.emit(node is not None)
            self.currentNodeIDChanged.emit(node_id)

    def _on_index(self, index: int) -> None:
        if self._combo.itemData(index, ACTION_ROLE) is None:
            self._tell_if_changed()

    def _on_activated(self, index: int) -> None:
        action = self._combo.itemData(index, ACTION_ROLE)
        if action is None:
            self.nodeActivated.emit(self.currentNode())
            return
        blocker = QSignalBlocker(self._combo)
        self._combo.setCurrentIndex(max(self._combo.findData(self._last_id), -1))
        blocker.unblock()
        self._run_action(tuple(action))

    def currentNode(self) -> Any:
        node_id = self._combo.itemData(self._combo.currentIndex)
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    def setCurrentNode(self, node: Any) -> None:
        if isinstance(node, str):
            self.setCurrentNodeID(node)
        else:
            self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:
        if self._scene is None:
            self._requested = node_id or ""
            return
        index = self._combo.findData(node_id) if node_id else -1
        self._combo.setCurrentIndex(index if index >= 0 else (0 if self._none_enabled else -1))
        self._tell_if_changed()

    def setCurrentNodeIndex(self, index: int) -> None:
        index = index if index < self.nodeCount() else -1
        self._combo.setCurrentIndex(index + 1 if self._none_enabled else index)

    def nodeCount(self) -> int:
        return len(self.nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self.nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def addAttribute(self, node_type: str, attribute: str, value: Any = None) -> None:
        self._attributes.append((node_type, attribute, value if value is None else str(value)))
        self._rebuild()

    def removeAttribute(self, node_type: str, attribute: str) -> None:
        self._attributes = [a for a in self._attributes if a[:2] != (node_type, attribute)]
        self._rebuild()

    def setBaseName(self, name: str, node_type: str = "") -> None:
        for kind in [node_type] if node_type else self._node_types:
            self._base_names[kind] = name

    def setNodeTypeLabel(self, label: str, node_type: str) -> None:
        self._labels[node_type] = label
        self._rebuild()

    def nodeTypeLabel(self, node_type: str) -> str:
        if node_type in self._labels:
            return self._labels[node_type]
        scene = self._scene if self._scene is not None else slicer.mrmlScene
        return scene.GetTypeDisplayNameByClassName(node_type) or "node"

    def comboBox(self) -> QComboBox:
        """Return the combo box inside, for a test's mouse (protected in Slicer)."""
        return self._combo

    def _base_name(self) -> str:
        return self._base_names.get(self._node_types[0], "") if self._node_types else ""

    currentNodeID = accessors(str, lambda self: self._last_id, setCurrentNodeID)
    baseName = accessors(str, _base_name, setBaseName)
    nodeTypes = field("QStringList", "node_types", "_rebuild")
    noneEnabled = field(bool, "none_enabled", "_rebuild")
    addEnabled = field(bool, "add_enabled", "_rebuild")
    removeEnabled = field(bool, "remove_enabled", "_rebuild")
    editEnabled = field(bool, "edit_enabled", "_rebuild")
    renameEnabled = field(bool, "rename_enabled", "_rebuild")
    showHidden = field(bool, "show_hidden", "_rebuild")
    showChildNodeTypes = field(bool, "show_child_types", "_rebuild")
    hideChildNodeTypes = field("QStringList", "hidden_types", "_rebuild")
    noneDisplay = field(str, "none_display", "_rebuild")
    selectNodeUponCreation = field(bool, "select_upon_creation")
    interactionNodeSingletonTag = field(str, "interaction_tag")
