"""Draws the rooms and the arrows between them, from the imports themselves: ``docs/rooms.png``.

python -m tools.draw_rooms
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

REPOSITORY = Path(__file__).resolve().parent.parent
_LIB, _SERU = "SERUSegmentationLib", "seru"
# Where each room stands: column and storey; arrows may point down or stay on a storey.
_PLACES = {
    "module file": (0.4, 7),
    "panel": (0.4, 6.2),
    "run": (0.0, 5.4),
    "scene": (0.8, 5.4),
    "training": (4.6, 5),
    "cli": (2.6, 5),
    "cohort": (2.0, 4),
    "cascade": (3.2, 3),
    "io": (1.9, 2),
    "model": (4.2, 2),
    "result": (3.0, 2),
    "phantom": (1.2, 3),
    "ground": (2.6, 1),
}
_COLORS = {
    "panel": "#cfe3f5",
    "run": "#cfe3f5",
    "scene": "#cfe3f5",
    "module file": "#a9cdee",
    "training": "#f5dfc0",
}


def room_of(module: str) -> str | None:
    """Return the room of a module of this project.

    Args:
        module: dotted name.

    Returns:
        The room; None for modules of others.
    """
    parts = module.split(".")
    if parts[0] == "SERUSegmentation":
        return "module file"
    if parts[0] == "training":
        return "training"
    if parts[0] == _LIB:
        return parts[1] if len(parts) > 1 and parts[1] in _PLACES else None
    if parts[0] != _SERU or len(parts) == 1:
        return None
    if parts[1] == "__main__":
        return "cli"
    return parts[1] if parts[1] in _PLACES else "ground"


def count_arrows() -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Count the imports between rooms, and the lines of each room.

    Returns:
        Imports by (importing room, imported room), and lines by room.
    """
    arrows: Counter[tuple[str, str]] = Counter()
    lines: Counter[str] = Counter()
    module = REPOSITORY / "SERUSegmentation"
    for path in [*module.rglob("*.py"), *(REPOSITORY / "training").rglob("*.py")]:
        base = REPOSITORY if path.is_relative_to(REPOSITORY / "training") else module
        room = room_of(".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"))
        text = path.read_text(encoding="utf-8")
        if room is None:
            continue
        lines[room] += text.count("\n")
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.append(node.module)
            for target in filter(None, map(room_of, names)):
                if target != room:
                    arrows[room, target] += 1
    return arrows, lines


def draw(path: Path) -> None:
    """Draw the picture.

    Args:
        path: of the PNG file.
    """
    arrows, lines = count_arrows()
    figure = Figure(figsize=(12, 9))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-0.6, 5.2)
    axes.set_ylim(0.5, 7.5)
    axes.axis("off")
    for (source, target), count in sorted(arrows.items()):
        points_up = _PLACES[source][1] < _PLACES[target][1]
        axes.add_patch(
            FancyArrowPatch(
                _PLACES[source],
                _PLACES[target],
                arrowstyle="-|>",
                mutation_scale=14,
                shrinkA=28,
                shrinkB=34,
                connectionstyle="arc3,rad=0.08",
                linewidth=0.5 + min(count, 40) / 14,
                color="#c03030" if points_up else "#8a8a8a" if target != "ground" else "#cccccc",
                zorder=1,
            )
        )
    for room, (x, y) in _PLACES.items():
        axes.add_patch(
            FancyBboxPatch(
                (x - 0.36, y - 0.17),
                0.72,
                0.34,
                boxstyle="round,pad=0.03",
                facecolor=_COLORS.get(room, "#dcefd8"),
                edgecolor="#555555",
                zorder=2,
            )
        )
        axes.text(x, y + 0.045, room, ha="center", va="center", fontsize=11, weight="bold", zorder=3)
        axes.text(x, y - 0.1, f"{lines[room]:,} lines", ha="center", va="center", fontsize=8.5, zorder=3)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    draw(REPOSITORY / "docs" / "rooms.png")
