"""Draws the project's icons: two kidneys, one with a tumor, in the crop boxes of both sides.

    python -m tools.draw_icons

needs PySide6 and writes the PNG files that are checked in.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QRadialGradient,
)

REPOSITORY = Path(__file__).resolve().parent.parent
MODULE_ICONS = REPOSITORY / "SERUSegmentation" / "Resources" / "Icons"
SIZE = 128
KIDNEY, TUMOR = QColor(205, 112, 92), QColor(250, 210, 80)
RIGHT_BOX, LEFT_BOX = QColor(79, 190, 235), QColor(240, 186, 79)


def kidney() -> QPainterPath:
    """The kidney on the picture's left, hilum to the middle, about 34 x 62 pixels around (0, 0)."""
    path = QPainterPath(QPointF(6, -30))
    path.cubicTo(QPointF(-8, -36), QPointF(-20, -18), QPointF(-19, 2))
    path.cubicTo(QPointF(-18, 22), QPointF(-6, 35), QPointF(7, 30))
    path.cubicTo(QPointF(18, 25), QPointF(15, 13), QPointF(7, 8))
    path.cubicTo(QPointF(1, 4), QPointF(1, -3), QPointF(8, -8))
    path.cubicTo(QPointF(17, -14), QPointF(18, -26), QPointF(6, -30))
    return path


def draw_background(painter: QPainter) -> None:
    """A rounded tile as dark as a CT's air."""
    shade = QLinearGradient(0, 0, 0, SIZE)
    shade.setColorAt(0, QColor(52, 60, 74))
    shade.setColorAt(1, QColor(24, 28, 36))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawRoundedRect(QRectF(2, 2, SIZE - 4, SIZE - 4), 22, 22)


def draw_kidney(painter: QPainter, x: float, y: float, mirrored: bool) -> None:
    """One kidney with a lighter middle."""
    painter.save()
    painter.translate(x, y)
    painter.scale(-1.0 if mirrored else 1.0, 1.0)
    shade = QRadialGradient(QPointF(-4, -4), 36)
    shade.setColorAt(0, KIDNEY.lighter(122))
    shade.setColorAt(1, KIDNEY.darker(118))
    painter.setPen(QPen(KIDNEY.darker(175), 1.5))
    painter.setBrush(shade)
    painter.drawPath(kidney())
    painter.restore()


def draw_tumor(painter: QPainter, x: float, y: float, radius: float) -> None:
    """A round tumor."""
    shade = QRadialGradient(QPointF(x - 3, y - 4), 1.6 * radius)
    shade.setColorAt(0, TUMOR.lighter(115))
    shade.setColorAt(1, TUMOR.darker(130))
    painter.setPen(QPen(TUMOR.darker(190), 1.5))
    painter.setBrush(shade)
    painter.drawEllipse(QPointF(x, y), radius, radius)


def draw_box(painter: QPainter, box: QRectF, color: QColor) -> None:
    """The four corners of a crop box."""
    painter.setPen(QPen(color, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    arm = 12
    for x, dx in ((box.left(), arm), (box.right(), -arm)):
        for y, dy in ((box.top(), arm), (box.bottom(), -arm)):
            painter.drawPolyline([QPointF(x + dx, y), QPointF(x, y), QPointF(x, y + dy)])


def draw_icon() -> QImage:
    """The icon of module and extension, 128 x 128 pixels."""
    image = QImage(SIZE, SIZE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_background(painter)
    draw_kidney(painter, 37, 68, mirrored=False)
    draw_kidney(painter, 91, 62, mirrored=True)
    draw_tumor(painter, 103, 41, 12.5)
    draw_box(painter, QRectF(12, 28, 47, 80), RIGHT_BOX)
    draw_box(painter, QRectF(69, 20, 47, 82), LEFT_BOX)
    painter.end()
    return image


def draw_thumbnail() -> QImage:
    """A coronal slice of the phantom, for Sample Data."""
    import sys

    sys.path.insert(0, str(REPOSITORY / "SERUSegmentation"))
    import numpy as np

    from seru.phantom import make_phantom

    hu = make_phantom().volume.array_kji[::-1, 138]
    grey = np.clip((hu + 140.0) / 400.0 * 255, 0, 255).astype(np.uint8)
    rows, columns = grey.shape
    image = QImage(np.ascontiguousarray(grey).data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    # Slices are twice as thick as pixels are wide.
    smooth = Qt.TransformationMode.SmoothTransformation
    tall = image.scaled(columns, 2 * rows, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    square = tall.copy((columns - 2 * rows) // 2, 0, 2 * rows, 2 * rows)
    return square.scaled(SIZE, SIZE, Qt.AspectRatioMode.KeepAspectRatio, smooth)


def main() -> None:
    """Write every icon."""
    application = QGuiApplication([])
    icon = draw_icon()
    for path in (MODULE_ICONS / "SERUSegmentation.png", REPOSITORY / "Resources" / "SERUSegmentation.png"):
        icon.save(str(path))
    draw_thumbnail().save(str(MODULE_ICONS / "SERUPhantom.png"))
    del application


if __name__ == "__main__":
    main()
