"""The arrows of the house: who may import whom, and what a command loads."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import seru
from seru.grid import Grid
from seru.result.maps import Maps, save_maps
from Testing import REPOSITORY
from Testing.reports import make_report

MODULE = REPOSITORY / "SERUSegmentation"

GROUND = {
    "ct_check", "errors", "files", "findings", "grid", "hounsfield", "memory", "options", "orientation",
    "packages", "places", "progress", "records", "scores", "signals", "terminology", "threads", "tilt", "volume",
}  # fmt: skip
LIB = "SERUSegmentationLib"

# A room, and the rooms it may import besides its own; every room of seru may import the ground.
ARROWS: dict[str, set[str]] = {
    "ground": set(),
    "seru.model": set(),
    "seru.io": set(),
    "seru.result": set(),
    "seru.cascade": {"seru.model", "seru.result"},
    "seru.phantom": {"seru.io"},
    "seru.cohort": {"seru.cascade", "seru.result", "seru.io"},
    "seru.cli": {"seru.cohort", "seru.cascade", "seru.model", "seru.result", "seru.io", "seru.phantom", "seru"},
    # The front door names what is public for type checkers, and loads it when it is asked for.
    "seru": {"seru.cascade", "seru.model", "seru.io", "seru.phantom"},
    "seru.__main__": {"seru.cli"},
}
LIB_ARROWS: dict[str, set[str]] = {
    f"{LIB}.texts": set(),
    f"{LIB}.scene": {f"{LIB}.texts"},
    f"{LIB}.run": {f"{LIB}.scene", f"{LIB}.texts"},
    f"{LIB}.panel": {f"{LIB}.scene", f"{LIB}.run", f"{LIB}.texts"},
    f"{LIB}.self_test": {f"{LIB}.scene", f"{LIB}.run", f"{LIB}.texts"},
    "SERUSegmentation": {f"{LIB}.{room}" for room in ("panel", "scene", "run", "self_test", "texts")},
}

SCENE = {"slicer", "qt", "ctk", "vtk", LIB, "SERUSegmentation"}
FORBIDDEN = {
    "seru": {*SCENE, "training", "Testing"},
    LIB: {"torch", "cv2", "training", "Testing", "SERUSegmentation"},
    "SERUSegmentation": {"torch", "cv2", "training", "Testing"},
    "training": {*SCENE, "Testing"},
}

# Slicer imports these at its own start.
LOADED_BY_SLICER = [
    "errors", "findings", "grid", "options", "orientation", "progress", "records", "terminology", "volume",
    "model.architecture", "model.card", "model.engines", "model.registry", "model.store",
    "result", "result.cleanup", "result.fusion", "result.maps", "result.measurements", "result.sides",
]  # fmt: skip


class Import(NamedTuple):
    """One import statement, wherever it stands: in a function and under ``TYPE_CHECKING`` it counts like any other."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported} (line {self.line})"


def modules_below(*places: Path) -> dict[str, Path]:
    """The files of a package or a module by the names that they are imported under."""
    found = {}
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            parts = path.relative_to(place.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules_below(MODULE / "seru", MODULE / LIB, MODULE / "SERUSegmentation.py", REPOSITORY / "training")


def imports_of(name: str) -> Iterator[Import]:
    """Every import of a module; of ``from a import b`` the module a.b where b is one, else a."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{name} imports from '.' (line {node.lineno}); write the whole name"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(name, whole if whole in MODULES else node.module, node.lineno)


def package_of(name: str) -> str:
    return name.partition(".")[0]


@functools.cache
def imports() -> list[Import]:
    return [found for name in MODULES for found in imports_of(name)]


def room_of(name: str) -> str:
    package, _, rest = name.partition(".")
    first = rest.partition(".")[0]
    if package == "seru" and first in GROUND:
        return "ground"
    return f"{package}.{first}" if first else package


def test_every_module_belongs_to_a_room() -> None:
    rooms = {room_of(name) for name in MODULES if package_of(name) != "training"}

    assert rooms == {*ARROWS, *LIB_ARROWS, LIB}


def test_imports_follow_the_arrows_inside_seru() -> None:
    against = []
    for found in imports():
        if package_of(found.importer) == package_of(found.imported) == "seru":
            room = room_of(found.importer)
            if room_of(found.imported) not in {room, "ground", *ARROWS[room]}:
                against.append(str(found))

    assert against == []


def test_imports_follow_the_arrows_inside_the_module() -> None:
    against = []
    for found in imports():
        if package_of(found.importer) in (LIB, "SERUSegmentation") and package_of(found.imported) == LIB:
            room = room_of(found.importer)
            if room_of(found.imported) not in {room, *LIB_ARROWS[room]}:
                against.append(str(found))

    assert against == []


def test_the_ground_needs_the_standard_library_and_numpy_alone() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "seru"}

    foreign = [
        str(found)
        for found in imports()
        if room_of(found.importer) == "ground" and package_of(found.imported) not in allowed
    ]

    assert foreign == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_package_imports_what_is_not_its_own(package: str) -> None:
    wrong = [
        str(found)
        for found in imports()
        if package_of(found.importer) == package and package_of(found.imported) in FORBIDDEN[package]
    ]

    assert wrong == []


def test_no_imports_run_in_a_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in imports():
        if found.imported in MODULES:
            graph[found.importer].add(found.imported)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def run_python(program: str, *arguments: str) -> list[str]:
    """Lines that a program prints in a fresh interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(MODULE)}
    command = [sys.executable, "-c", program, *arguments]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=True)
    return ended.stdout.splitlines()


def loaded_by(statement: str) -> set[str]:
    """Modules that a statement loads in a fresh interpreter."""
    return set(run_python(f"import sys; {statement}; print(*sys.modules)")[-1].split())


def loaded_by_command(*arguments: str) -> set[str]:
    """Modules that a run of the command loads."""
    program = (
        "import sys\n"
        "from seru.__main__ import main\n"
        "code = main(sys.argv[1:])\n"
        "print(*sys.modules)\n"
        "sys.exit(code)\n"
    )  # fmt: skip
    return set(run_python(program, *arguments)[-1].split())


HEAVY = {"torch", "cv2", "SimpleITK", "scipy", "skimage", "numpy", "openvino"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import seru")

    assert loaded & HEAVY == set()
    assert {name for name in loaded if package_of(name) == "seru"} == {"seru"}


@pytest.mark.parametrize("name", seru.__all__)
def test_the_package_gives_its_public_names(name: str) -> None:
    value = getattr(seru, name)

    assert value.__name__ == name
    assert name in dir(seru)


def test_the_package_gives_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'segmnt'"):
        _ = seru.segmnt  # type: ignore[attr-defined]


@pytest.mark.parametrize("room", LOADED_BY_SLICER)
def test_what_slicer_loads_needs_numpy_alone(room: str) -> None:
    assert loaded_by(f"import seru.{room}") & (HEAVY - {"numpy", "scipy"}) == set()


@pytest.mark.parametrize("arguments", ["--help", "models list", "models where"])
def test_a_command_that_segments_nothing_loads_no_network_and_no_phantom(arguments: str) -> None:
    loaded = loaded_by_command(*arguments.split())

    assert loaded & (HEAVY - {"numpy"}) == set()
    assert "seru.phantom" not in loaded


def test_info_loads_no_phantom() -> None:
    loaded = loaded_by_command("info")

    assert loaded & {"seru.phantom", "cv2", "seru.cascade"} == set()


def test_fusing_again_loads_neither_torch_nor_opencv(tmp_path: Path) -> None:
    grid = Grid((1, 1, 2), np.eye(4))
    coarse, refined = np.array([[[200, 0], [0, 90]], [[0, 200], [90, 0]]], np.uint8)
    maps = Maps(
        grid,
        0.4,
        (0, 0, 0),
        np.ones((1, 1, 2), bool),
        coarse,
        refined,
        np.array([1, 2], np.uint8),
        np.zeros(2, np.int16),
    )
    save_maps(maps, make_report(grid), tmp_path)

    loaded = loaded_by_command("fuse", str(tmp_path), "-o", str(tmp_path / "again.nii.gz"), "--alpha", "0.5")

    assert loaded & {"torch", "cv2", "openvino", "seru.phantom"} == set()
