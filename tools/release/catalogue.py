"""What the Extensions Index asks of an extension's description and of its CMakeLists.txt.

Written from the rules: the catalogue's schema 1.0.2, the Index's checks of descriptions, its pull request template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from tools.release.failure import require
from tools.release.make import BRANCH, EXTENSION, SCHEMA, Release
from tools.release.source import extension_field

_REQUIRED = ("$schema", "category", "scm_url")
_TYPES: dict[str, type] = {
    "$schema": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "category": str,
    "dicom_support_rule": str,
    "enabled": bool,
    "scm_revision": str,
    "scm_type": str,
    "scm_url": str,
    "tier": int,
}
_CATEGORIES = ("Segmentation", "Quantification")
_SCHEMES = ("git", "https")
_PICTURES = {".png": b"\x89PNG\r\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".gif": b"GIF8"}


def _values(release: Release) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(release.catalogue.read_bytes()))


def _check_format(release: Release) -> str:
    content = release.catalogue.read_bytes()
    require(b"\r" not in content, "its lines do not end with LF alone")
    try:
        values = json.loads(content)
    except ValueError as error:
        values = error
    require(isinstance(values, dict), f"it is no JSON object ({values})")
    return "JSON, lines end with LF"


def _check_schema(release: Release) -> str:
    values = _values(release)
    require(values.get("$schema") == SCHEMA, f"its schema is {values.get('$schema')!r}")
    missing = [key for key in _REQUIRED if key not in values]
    require(not missing, f"it lacks {', '.join(missing)}")
    unknown = sorted(set(values) - set(_TYPES))
    require(not unknown, f"the schema does not know {', '.join(unknown)}")
    wrong = [key for key, value in values.items() if type(value) is not _TYPES[key]]
    wrong += ["build_dependencies"] * any(type(name) is not str for name in values.get("build_dependencies", []))
    require(not wrong, f"a value of the wrong type stands at {', '.join(wrong)}")
    require(1 <= values.get("tier", 1) <= 5, f"tier is {values.get('tier')}, not 1 to 5")
    require(values.get("scm_type", "git") in ("git", "local"), f"scm_type is {values.get('scm_type')}")
    return "1.0.2"


def _check_names(release: Release) -> str:
    name, url = release.catalogue.stem, _values(release)["scm_url"]
    repository = urlsplit(url.strip().strip("/")).path.split("/")[-1].removesuffix(".git")
    require(not name.lower().startswith("slicer"), f"the extension's name {name} starts with Slicer")
    require(repository.startswith("Slicer"), f"the repository's name {repository!r} does not start with Slicer")
    require(repository == release.tree.name, f"the repository is called {repository}, its folder {release.tree.name}")
    return f"extension {name}, repository {repository}"


def _check_url(release: Release) -> str:
    url = _values(release)["scm_url"]
    parts = urlsplit(url)
    require("://" in url and parts.scheme in _SCHEMES and bool(parts.netloc), f"scm_url {url!r} is no git or https URL")
    homepage = extension_field(release.tree, "HOMEPAGE")
    require(url.removesuffix(".git") == homepage, f"scm_url is {url}, EXTENSION_HOMEPAGE is {homepage}")
    return str(url)


def _check_category(release: Release) -> str:
    category = _values(release)["category"]
    require(category in _CATEGORIES, f"{category!r} is none of the Index's that fit ({', '.join(_CATEGORIES)})")
    return str(category)


def _check_dependencies(release: Release) -> str:
    listed, depends = _values(release).get("build_dependencies", []), extension_field(release.tree, "DEPENDS")
    require(listed == depends.split(), f"the catalogue says {listed}, EXTENSION_DEPENDS says {depends!r}")
    return depends


def _check_cmake(release: Release) -> str:
    text = (release.tree / "CMakeLists.txt").read_text(encoding="utf-8")
    projects = re.findall(r"project\s*\(\s*[\"']?([^\s)\"']+)", text, flags=re.IGNORECASE)
    require(projects[:1] == [release.catalogue.stem], f"its project is {projects[:1]}, not {release.catalogue.stem}")
    homepage = extension_field(release.tree, "HOMEPAGE")
    require(homepage.startswith("https://"), f"EXTENSION_HOMEPAGE {homepage!r} is no https URL")
    people = extension_field(release.tree, "CONTRIBUTORS")
    is_named = re.fullmatch(r"[^()]+ \([^()]+\)", people) is not None
    require(is_named, "EXTENSION_CONTRIBUTORS is no 'Name (Organisation)'")
    return f"project {EXTENSION}, {people}"


def _check_pictures(release: Release) -> str:
    icon = extension_field(release.tree, "ICONURL")
    addresses = [icon, *extension_field(release.tree, "SCREENSHOTURLS").split()]
    require(len(addresses) > 1, "there is no screenshot")
    site = urlsplit(extension_field(release.tree, "HOMEPAGE")).path
    base = f"https://raw.githubusercontent.com{site}/{BRANCH}/"
    for address in addresses:
        require(address.startswith(base), f"{address} is not below {base}")
        _require_picture(release.tree / address.removeprefix(base))
    return f"an icon and {len(addresses) - 1} screenshots, all in the tree"


def _require_picture(path: Path) -> None:
    start = _PICTURES.get(path.suffix.lower())
    require(start is not None, f"{path.name} is neither png nor jpg nor gif")
    is_picture = path.is_file() and path.read_bytes().startswith(start or b"")
    require(is_picture, f"{path.name} is not in the tree, or no picture")


CATALOGUE_CHECKS: dict[str, Callable[[Release], str]] = {
    "Catalogue format": _check_format,
    "Catalogue schema": _check_schema,
    "Names": _check_names,
    "Address": _check_url,
    "Category": _check_category,
    "Dependencies": _check_dependencies,
    "CMakeLists.txt": _check_cmake,
    "Pictures": _check_pictures,
}
