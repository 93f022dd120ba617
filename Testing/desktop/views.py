"""Views: a QWidget that paints what a real MRML view renders off screen, and gives it the mouse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import slicer
import vtk
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget
from vtk.util.numpy_support import vtk_to_numpy

from Testing.desktop.qproperty import field, setters

# Of ctkVTKAbstractView.
MAXIMUM_UPDATE_RATE = 60.0
SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
)
THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLVolumeRenderingDisplayableManager",
)
BUTTONS = {
    Qt.MouseButton.LeftButton: "LeftButton",
    Qt.MouseButton.MiddleButton: "MiddleButton",
    Qt.MouseButton.RightButton: "RightButton",
}


@setters("renderEnabled")
class MRMLView(QWidget):
    """One off-screen render window with its displayable managers; in Slicer a ctkVTKAbstractView.

    Rendered when it was: a request waits for the next frame, further ones join it, one that comes after the frame is
    rendered at once, and what is asked of a view that is hidden or not enabled is forgotten.

    Attributes:
        is_drawn: VTK renders each time; else each is counted, and rendered where the picture is asked for.
    """

    is_drawn: ClassVar[bool] = True
    resized = Signal(QSize)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_dirty = True
        self._image: QImage | None = None
        self._pauses, self._render_enabled = 0, True
        self._requested_s: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.requestRender)
        self._render_count = 0
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetNumberOfLayers(2)
        self._renderer = vtk.vtkRenderer()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._observations: list[tuple[Any, int]] = []
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(60, 60)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def _make_managers(self, factory: Any, names: tuple[str, ...], application_logic: Any, style: Any) -> Any:
        factory.SetMRMLApplicationLogic(application_logic)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        managers = factory.InstantiateDisplayableManagers(self._renderer)
        style.SetDisplayableManagers(managers)
        self._observe(managers, vtk.vtkCommand.UpdateEvent, lambda *_: self.scheduleRender())
        scene = slicer.mrmlScene
        self._observe(scene, scene.StartBatchProcessEvent, lambda *_: self.setRenderEnabled(False))
        # The last: until the slice logics have taken the batch in there is nothing to be rendered.
        self._observe(scene, scene.EndBatchProcessEvent, lambda *_: self._on_batch_ended(), -1.0)
        return managers

    def _observe(self, subject: Any, event: Any, callback: Callable, priority: float = 0.0) -> None:
        self._observations.append((subject, subject.AddObserver(event, callback, priority)))

    def close_view(self) -> None:
        """Let go of the scene; the widget may be deleted afterwards."""
        self._timer.stop()
        for subject, tag in self._observations:
            subject.RemoveObserver(tag)
        self._observations.clear()
        self._window.Finalize()

    # As on qMRMLThreeDView and qMRMLSliceView

    def interactorStyle(self) -> Any:
        return self._style

    def scheduleRender(self) -> None:
        if not self._render_enabled:
            return
        if self._requested_s is None:
            self._requested_s = time.monotonic()
            self._timer.start(int(1000 / MAXIMUM_UPDATE_RATE))
        elif time.monotonic() - self._requested_s > 1 / MAXIMUM_UPDATE_RATE:
            self.requestRender()

    def _on_batch_ended(self) -> None:
        self._requested_s, self._render_enabled = None, True
        self.scheduleRender()

    def requestRender(self) -> None:
        if not self._pauses:
            self.forceRender()

    def forceRender(self) -> None:
        self._timer.stop()
        self._requested_s = None
        # Once it is shown Qt asks for it.
        self._is_dirty = True
        if self._render_enabled and self.isVisible():
            self._render()
            self.update()

    def pauseRender(self) -> None:
        self._pauses += 1

    def resumeRender(self) -> None:
        self._pauses = max(0, self._pauses - 1)
        if not self._pauses and self._requested_s is not None:
            self.scheduleRender()

    def renderWindow(self) -> Any:
        return self._window

    renderEnabled = field(bool, "render_enabled")

    def _pixel_size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width * ratio)), max(1, round(self.height * ratio))

    def _is_held(self) -> bool:
        return bool(self._pauses) or bool(slicer.mrmlScene.IsBatchProcessing())

    def _render(self) -> None:
        if self._is_held():
            return
        self._render_count += 1
        if self.is_drawn:
            self._draw()

    def _draw(self) -> None:
        self._is_dirty = False
        self._window.SetDPI(round(72 * self.devicePixelRatioF()))
        self._window.SetSize(*self._pixel_size())
        self._window.Render()
        self._image = self._read_pixels()

    def _read_pixels(self) -> QImage:
        columns, rows = self._window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, columns - 1, rows - 1, 1, pixels, 0)
        array = vtk_to_numpy(pixels).reshape(rows, columns, 3)[::-1].copy()
        return QImage(array.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()

    def renderCount(self) -> int:
        """Return how often the view was rendered so far (the desktop's own, not Slicer's)."""
        return self._render_count

    def isRenderAwaited(self) -> bool:
        """Return whether the view was asked and not rendered since (the desktop's own, not Slicer's)."""
        return self._requested_s is not None

    def image(self) -> QImage:
        """Return the view as it is now, rendered if something changed since (the desktop's own, not Slicer's)."""
        if self._requested_s is not None:
            self.requestRender()
        if (self._is_dirty or self._image is None) and not self._is_held():
            self._draw()
        return self._image if self._image is not None else QImage()

    # Qt events

    def sizeHint(self) -> QSize:
        return QSize(300, 300)

    def paintEvent(self, _event: Any) -> None:
        if self.is_drawn and (self._is_dirty or self._image is None):
            self._render()
        painter = QPainter(self)
        if self._image is not None:
            painter.drawImage(self.rect, self._image)
        painter.end()

    def resizeEvent(self, _event: Any) -> None:
        columns, rows = self._pixel_size()
        self._interactor.UpdateSize(columns, rows)
        self._is_dirty = True
        self._on_resized(columns, rows)
        self.resized.emit(QSize(columns, rows))

    def _on_resized(self, columns: int, rows: int) -> None:
        """Tell the node; the slice view overrides it."""

    def _tell(self, event: Any, vtk_event: str, repeat: int = 0) -> None:
        ratio = self.devicePixelRatioF()
        position = event.position()
        modifiers = event.modifiers()
        control = int(bool(modifiers & Qt.KeyboardModifier.ControlModifier))
        shift = int(bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        x, y = round(position.x() * ratio), round(position.y() * ratio)
        self._interactor.SetEventInformationFlipY(x, y, control, shift, "\0", repeat)
        self._interactor.InvokeEvent(vtk_event)

    def mousePressEvent(self, event: Any) -> None:
        if event.button() in BUTTONS:
            self._tell(event, BUTTONS[event.button()] + "PressEvent")

    def mouseReleaseEvent(self, event: Any) -> None:
        if event.button() in BUTTONS:
            self._tell(event, BUTTONS[event.button()] + "ReleaseEvent")

    def mouseDoubleClickEvent(self, event: Any) -> None:
        if event.button() in BUTTONS:
            self._tell(event, BUTTONS[event.button()] + "DoubleClickEvent", 1)

    def mouseMoveEvent(self, event: Any) -> None:
        self._tell(event, "MouseMoveEvent")

    def wheelEvent(self, event: Any) -> None:
        direction = "Forward" if event.angleDelta().y() > 0 else "Backward"
        self._tell(event, f"MouseWheel{direction}Event")
        event.accept()

    def enterEvent(self, event: Any) -> None:
        self._tell(event, "EnterEvent")

    def leaveEvent(self, _event: Any) -> None:
        self._interactor.InvokeEvent("LeaveEvent")

    def keyPressEvent(self, event: Any) -> None:
        self._interactor.SetKeyEventInformation(0, 0, event.text()[:1] or "\0", 0, event.text()[:1])
        self._interactor.InvokeEvent("KeyPressEvent")
        self._interactor.InvokeEvent("CharEvent")


class qMRMLSliceView(MRMLView):  # noqa: N801
    """A slice view: the slice logic's image under what the displayable managers draw.

    Left out: conversions of coordinates, displayable managers by name, light boxes.
    """

    def __init__(self, slice_logic: Any, application_logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice_logic = slice_logic
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._image_actor = vtk.vtkActor2D()
        self._image_actor.SetMapper(self._mapper)
        self._image_actor.GetProperty().SetDisplayLocationToBackground()
        self._image_actor.SetVisibility(False)
        self._renderer.AddViewProp(self._image_actor)
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(slice_logic)
        self._style.SetInteractor(self._interactor)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self._managers = self._make_managers(factory, SLICE_MANAGERS, application_logic, self._style)
        slice_logic.SetDisplayableManagerGroup(self._managers)
        self._managers.SetMRMLDisplayableNode(slice_logic.GetSliceNode())
        self._observe(slice_logic, vtk.vtkCommand.ModifiedEvent, lambda *_: self._update_image())
        self._update_image()

    def _update_image(self) -> None:
        connection = self._slice_logic.GetImageDataConnection()
        self._mapper.SetInputConnection(connection)
        self._image_actor.SetVisibility(connection is not None)
        self.scheduleRender()

    def _on_resized(self, columns: int, rows: int) -> None:
        self._slice_logic.ResizeSliceNode(columns, rows)

    def mrmlSliceNode(self) -> Any:
        return self._slice_logic.GetSliceNode()


class qMRMLThreeDView(MRMLView):  # noqa: N801
    """A 3D view. Left out: views from an axis, spinning, stereo, displayable managers by name."""

    def __init__(self, view_node: Any, application_logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_node = view_node
        self._renderer.SetGradientBackground(True)
        self._style = slicer.vtkMRMLThreeDViewInteractorStyle()
        self._style.SetInteractor(self._interactor)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        self._managers = self._make_managers(factory, THREE_D_MANAGERS, application_logic, self._style)
        self._managers.SetMRMLDisplayableNode(view_node)
        self._renderer.ResetCamera()

    def mrmlViewNode(self) -> Any:
        return self._view_node

    def cameraNode(self) -> Any:
        manager = self._managers.GetDisplayableManagerByClassName("vtkMRMLCameraDisplayableManager")
        return manager.GetCameraNode() if manager else None

    def resetFocalPoint(self) -> None:
        """Look at the centre of what can be seen, the box and its letters apart."""
        node = self._view_node
        was_box_visible, were_labels_visible = node.GetBoxVisible(), node.GetAxisLabelsVisible()
        with slicer.util.NodeModify(node):
            node.SetBoxVisible(False)
            node.SetAxisLabelsVisible(False)
        bounds = self._renderer.ComputeVisiblePropBounds()
        if bounds[0] <= bounds[1]:
            centre = [(bounds[2 * i] + bounds[2 * i + 1]) / 2 for i in range(3)]
            self._renderer.GetActiveCamera().SetFocalPoint(*centre)
        with slicer.util.NodeModify(node):
            node.SetBoxVisible(was_box_visible)
            node.SetAxisLabelsVisible(were_labels_visible)
        node.InvokeEvent(slicer.vtkMRMLViewNode.ResetFocalPointRequestedEvent)
        self._renderer.ResetCameraClippingRange()
        self.scheduleRender()

    def resetCamera(self, rotation: bool = True, translation: bool = True, distance: bool = True) -> None:
        self.cameraNode().Reset(rotation, translation, distance, self._renderer)
        self.scheduleRender()
