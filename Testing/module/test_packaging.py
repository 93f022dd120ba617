"""What reaches the user: the package's files, the form, the extension's description."""

from __future__ import annotations

import ast
import json
import re
import struct
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest

from seru.options import switches
from Testing import REPOSITORY
from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import MODULE_FILE
from tools.packaged_files import files_in_cmake, files_in_tree

__all__ = ["slicer_desktop"]

MODULE = REPOSITORY / "SERUSegmentation"
FORM = MODULE / "Resources" / "UI" / "SERUSegmentation.ui"
INPUTS = {
    "qMRMLNodeComboBox", "QComboBox", "QCheckBox", "QPushButton", "QToolButton", "QDoubleSpinBox", "ctkSliderWidget",
    "QPlainTextEdit", "QTableWidget", "QProgressBar",
}  # fmt: skip
# The packages that come with Slicer, and the module each requirement is imported as.
WITH_SLICER = {"numpy", "scipy", "SimpleITK", "vtk", "requests"}
IMPORTED_AS = {"opencv-python-headless": "cv2", "scikit-image": "skimage"}


def test_cmake_lists_every_file_and_no_other() -> None:
    assert files_in_cmake() == files_in_tree(), "run: python -m tools.packaged_files"


def test_every_input_has_one_tooltip_and_every_button_is_used() -> None:
    form = ElementTree.parse(FORM)
    code = "".join(path.read_text(encoding="utf-8") for path in MODULE.glob("SERUSegmentationLib/**/*.py"))
    code += (MODULE / "SERUSegmentation.py").read_text(encoding="utf-8")

    options = {switch.camel_case for switch in switches()}
    without_one_tip, unused = [], []
    for widget in form.iter("widget"):
        properties = {item.get("name"): item.findtext("string") for item in widget.findall("property")}
        name = widget.get("name")
        # An option's widget gets the option's help when the panel is built: one text, in one place.
        has_help = (properties.get("SlicerParameterName") or properties.get("SERUOption")) in options
        if widget.get("class") in INPUTS and ("toolTip" in properties) == has_help:
            without_one_tip.append(name)
        is_side = re.sub(r"^(right|left)", "", name)
        is_bound = "SlicerParameterName" in properties or "SERUOption" in properties
        is_used = is_bound or any(text in code for text in (name, is_side, button_stem(name)))
        if widget.get("class") in INPUTS and not is_used:
            unused.append(name)

    assert without_one_tip == []
    assert unused == []


def button_stem(name: str) -> str:
    """The text that names a button of the setup section in code: ("install", ...)."""
    return f'("{name.removesuffix("Button")}"'


def test_the_parameters_of_the_form_are_those_of_the_parameter_node(slicer_desktop: Desktop) -> None:
    slicer_desktop.load_module(MODULE_FILE)
    from SERUSegmentation import SERUSegmentationParameterNode

    bound = [
        item.findtext("string")
        for item in ElementTree.parse(FORM).iter("property")
        if item.get("name") in ("SlicerParameterName", "SERUOption")
    ]

    assert sorted(bound) == sorted(SERUSegmentationParameterNode.allParameters)


def test_texts_of_the_panel_are_translated() -> None:
    untranslated = []
    for path in [*(MODULE / "SERUSegmentationLib" / "panel").glob("*.py"), MODULE / "SERUSegmentation.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_text = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
            if is_text and node.targets[0].attr in ("text", "toolTip") and isinstance(node.value, ast.Constant):
                untranslated.append(f"{path.name}: {node.value.value}")

    assert untranslated == []


def test_nothing_but_slicer_s_own_is_imported_when_the_module_is_loaded() -> None:
    allowed = {"seru", "SERUSegmentationLib", "slicer", "vtk", "qt", "ctk", "numpy"}
    standard = set(__import__("sys").stdlib_module_names)
    foreign = {}
    for path in [*(MODULE / "SERUSegmentationLib").rglob("*.py"), MODULE / "SERUSegmentation.py"]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            wrong = {name.partition(".")[0] for name in names} - allowed - standard
            if wrong:
                foreign[path.name] = wrong

    assert foreign == {}


def test_the_requirements_are_what_the_command_imports() -> None:
    requirements = {
        re.split(r"[<>=\[ ]", line)[0]
        for line in (MODULE / "Resources" / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    optional = {"openvino", "torch", "pydicom", "highdicom", "jinja2", "markupsafe", "dask", "distributed", "pyarrow"}
    imported = set()
    for path in (MODULE / "seru").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.partition(".")[0])
    third_party = imported - set(__import__("sys").stdlib_module_names) - {"seru"} - WITH_SLICER - optional

    assert {IMPORTED_AS.get(name, name) for name in requirements} == third_party
    assert not {"torch", "numpy", "opencv-python"} & requirements


EXTENSION = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")


def field(name: str) -> str:
    found = re.findall(rf'^set\({name} "(.*)"\)$', EXTENSION, flags=re.M)
    assert len(found) == 1, f"{name} must stand on one quoted line"
    return found[0]


def test_the_extension_describes_itself_as_the_index_asks() -> None:
    description = field("EXTENSION_DESCRIPTION").lower()
    assert all(word in description for word in ("kidney", "tumor", "ct", "segmentation"))
    assert field("EXTENSION_DEPENDS") == "PyTorch"
    assert re.fullmatch(r"[^()]+ \([^()]+\)", field("EXTENSION_CONTRIBUTORS"))
    assert field("EXTENSION_HOMEPAGE").endswith("/SlicerSERUSegmentation")
    assert re.search(r"^project\(SERUSegmentation\)$", EXTENSION, flags=re.M)
    assert "cmake_minimum_required(VERSION 3.16.3...3.28.0 FATAL_ERROR)" in EXTENSION


@pytest.mark.parametrize("name", ["EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"])
def test_the_extension_s_pictures_are_there(name: str) -> None:
    for address in field(name).split():
        path = REPOSITORY / address.partition("/main/")[2]
        assert path.suffix in (".png", ".jpg", ".gif")
        assert path.is_file(), f"{path} is missing; run: make screenshots"


def test_the_extension_s_icon_has_128_pixels() -> None:
    header = (REPOSITORY / "Resources" / "SERUSegmentation.png").read_bytes()[:24]

    assert struct.unpack(">II", header[16:24]) == (128, 128)


def test_the_licence_is_where_the_index_looks() -> None:
    assert (REPOSITORY / "LICENSE").is_file()


def test_the_package_is_under_the_licences_of_the_code_and_of_the_bundled_weights() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cards = sorted((MODULE / "Resources" / "Models").glob("*/model.json"))
    licences = {json.loads(path.read_text(encoding="utf-8"))["licence"] for path in cards}

    assert project["license"] == " AND ".join(["Apache-2.0", *sorted(licences)])
    assert all((path.parent / "LICENSE.txt").is_file() for path in cards)
