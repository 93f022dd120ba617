"""What the extension's package holds: the lists in SERUSegmentation/CMakeLists.txt, and the tree they must match.

    python -m tools.packaged_files

brings the lists in line with the tree.
"""

from __future__ import annotations

import re
from pathlib import Path

MODULE = Path(__file__).resolve().parent.parent / "SERUSegmentation"
CMAKE = MODULE / "CMakeLists.txt"
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"
_NOT_PACKAGED = {"__pycache__", "seru.egg-info", "CMakeLists.txt"}
_NOT_FILES = {".pyc", ".pyo", ".part"}


def files_in_tree() -> dict[str, list[str]]:
    """Return the files that belong into the package, for each list, as CMake writes paths."""
    found: dict[str, list[str]] = {SCRIPTS: [], RESOURCES: []}
    for path in sorted(MODULE.rglob("*")):
        relative = path.relative_to(MODULE)
        if path.is_file() and not _NOT_PACKAGED & set(relative.parts) and path.suffix not in _NOT_FILES:
            is_hidden = any(part.startswith(".") for part in relative.parts)
            if not is_hidden:
                found[SCRIPTS if path.suffix == ".py" else RESOURCES].append(relative.as_posix())
    return found


def files_in_cmake() -> dict[str, list[str]]:
    """Return the files that CMakeLists.txt lists."""
    text = CMAKE.read_text(encoding="utf-8").replace("${MODULE_NAME}", "SERUSegmentation")
    return {name: _body(text, name).split() for name in (SCRIPTS, RESOURCES)}


def update() -> None:
    """Write the tree's files into CMakeLists.txt."""
    text = CMAKE.read_text(encoding="utf-8")
    for name, files in files_in_tree().items():
        lines = "".join(f"  {file}\n" for file in files)
        start = text.index(f"set({name}\n") + len(f"set({name}\n")
        text = text[:start] + lines + text[text.index("  )", start) :]
    CMAKE.write_text(text, encoding="utf-8")


def _body(text: str, name: str) -> str:
    return re.search(rf"set\({name}\n(.*?)\)", text, flags=re.S)[1]


if __name__ == "__main__":
    update()
