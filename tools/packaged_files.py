"""What the extension's package holds: the lists in SERUSegmentation/CMakeLists.txt, and the tree they must match.

    python -m tools.packaged_files [REPOSITORY]

brings the lists in line with the tree.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"
_NOT_PACKAGED = {"__pycache__", "seru.egg-info", "CMakeLists.txt"}
_NOT_FILES = {".pyc", ".pyo", ".part"}


def files_in_tree(repository: Path = REPOSITORY) -> dict[str, list[str]]:
    """Return the files that belong into the package, for each list, as CMake writes paths."""
    found: dict[str, list[str]] = {SCRIPTS: [], RESOURCES: []}
    module = repository / "SERUSegmentation"
    for path in sorted(module.rglob("*")):
        relative = path.relative_to(module)
        if path.is_file() and not _NOT_PACKAGED & set(relative.parts) and path.suffix not in _NOT_FILES:
            is_hidden = any(part.startswith(".") for part in relative.parts)
            if not is_hidden:
                found[SCRIPTS if path.suffix == ".py" else RESOURCES].append(relative.as_posix())
    return found


def files_in_cmake(repository: Path = REPOSITORY) -> dict[str, list[str]]:
    """Return the files that CMakeLists.txt lists."""
    text = _cmake(repository).read_text(encoding="utf-8").replace("${MODULE_NAME}", "SERUSegmentation")
    return {name: _body(text, name).split() for name in (SCRIPTS, RESOURCES)}


def update(repository: Path = REPOSITORY) -> None:
    """Write the tree's files into CMakeLists.txt."""
    cmake = _cmake(repository)
    text = cmake.read_text(encoding="utf-8")
    for name, files in files_in_tree(repository).items():
        lines = "".join(f"  {file}\n" for file in files)
        start = text.index(f"set({name}\n") + len(f"set({name}\n")
        text = text[:start] + lines + text[text.index("  )", start) :]
    cmake.write_text(text, encoding="utf-8")


def _cmake(repository: Path) -> Path:
    return repository / "SERUSegmentation" / "CMakeLists.txt"


def _body(text: str, name: str) -> str:
    return str(re.findall(rf"set\({name}\n(.*?)\)", text, flags=re.DOTALL)[0])


if __name__ == "__main__":
    update(*map(Path, sys.argv[1:2]))
