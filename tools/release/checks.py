"""The checks of a release: those of the Extensions Index, as far as they need no network, and our own.

What only the network can tell (the topic of the repository on GitHub, whether the pictures' addresses answer) is not
checked; docs/releasing.md lists it.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seru.errors import SeruError
from seru.model.registry import read_registry
from seru.records import to_plain
from tools.packaged_files import files_in_cmake, files_in_tree
from tools.release.catalogue import CATALOGUE_CHECKS
from tools.release.failure import CheckError, require
from tools.release.make import SUMS, Release
from tools.release.source import RESOURCES, WEIGHTS, extension_field, git, is_tag, version_of
from tools.release.wheel import licence_of

_MB = 1 << 20
_MOST_MB = 20.0
_LICENCE_NAMES = ("LICENSE", "LICENSE.txt", "LICENCE", "COPYING", "COPYING.txt")
_CODE_LICENCE = "Apache-2.0"
# The beginning of each licence's text.
_TITLES = {
    _CODE_LICENCE: "Apache License",
    "CC-BY-NC-SA-4.0": "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International",
}


@dataclass(frozen=True)
class Outcome:
    """How a check went.

    Attributes:
        name: of the check.
        is_passed: whether the release may be published, as far as it goes.
        text: what was found, or what is wrong.
    """

    name: str
    is_passed: bool
    text: str


def check_release(release: Release) -> list[Outcome]:
    """Run every check.

    Args:
        release: as it was made.

    Returns:
        An outcome for each check.
    """
    return [_outcome(name, check, release) for name, check in _CHECKS.items()]


def _outcome(name: str, check: Callable[[Release], str], release: Release) -> Outcome:
    try:
        return Outcome(name, True, check(release))
    except (CheckError, SeruError, OSError) as error:
        return Outcome(name, False, str(error))


def _check_clone(release: Release) -> str:
    """What the Index measures: a whole clone, its history included."""
    with tempfile.TemporaryDirectory(prefix="seru-clone-") as folder:
        clone = Path(folder) / release.tree.name
        command = ["git", "clone", "--quiet", release.tree.as_uri(), str(clone)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        require(done.returncode == 0, f"the repository cannot be cloned ({done.stderr.strip()})")
        commits = int(git(clone, "rev-list", "--all", "--count"))
        require(commits == 1, f"the repository has {commits} commits, a release has one")
        size_mb = sum(path.stat().st_size for path in clone.rglob("*") if path.is_file()) / _MB
    require(size_mb < _MOST_MB, f"a clone has {size_mb:.1f} MB, {_MOST_MB:.0f} are allowed (the Index takes 100)")
    return f"one commit, a clone has {size_mb:.1f} MB of {_MOST_MB:.0f}"


def _check_committed(release: Release) -> str:
    changed = git(release.tree, "status", "--porcelain", "--ignored").decode().splitlines()
    require(not changed, f"what is in the folder is not what is committed ({', '.join(changed[:3])})")
    weights = [path.name for path in release.tree.rglob("*") if path.suffix in WEIGHTS and "Testing" not in path.parts]
    require(not weights, f"weights are among the sources ({', '.join(weights)})")
    return "no weights, nothing that is not committed"


def _check_version(release: Release) -> str:
    version = version_of(release.tree)
    is_named = not is_tag(release.tree, release.tag) or release.tag.removeprefix("v") == version
    require(is_named, f"the tag is {release.tag}, the package says {version}")
    return version if is_tag(release.tree, release.tag) else f"{version}, from {release.tag}, which is no tag"


def _check_licence_file(release: Release) -> str:
    found = [name for name in _LICENCE_NAMES if (release.tree / name).is_file()]
    require(bool(found), f"the repository has none of {', '.join(_LICENCE_NAMES)}")
    text = (release.tree / found[0]).read_text(encoding="utf-8")
    require(_TITLES[_CODE_LICENCE] in text[:200], f"{found[0]} is not the text of {_CODE_LICENCE}")
    return f"{found[0]}, {_CODE_LICENCE}"


def _check_packaged_files(release: Release) -> str:
    listed, there = files_in_cmake(release.tree), files_in_tree(release.tree)
    require(listed == there, "the lists of CMake are not the files of the tree")
    return f"CMake lists {sum(map(len, there.values()))} files, those of the tree"


def _check_archives(release: Release) -> str:
    require(bool(release.entries), "there is no model to publish")
    registry = read_registry(release.tree / RESOURCES / "models.json")
    texts = []
    for entry in release.entries:
        require(to_plain(registry.entry(entry.id)) == to_plain(entry), f"models.json says something else of {entry.id}")
        content = release.archive(entry).read_bytes()
        is_listed = entry.archive is not None and hashlib.sha256(content).hexdigest() == entry.archive.sha256
        require(is_listed and len(content) == entry.size, f"the archive of {entry.id} is not the listed one")
        text = (release.tree / RESOURCES / "Models" / entry.id / "LICENSE.txt").read_text(encoding="utf-8")
        require(_TITLES.get(entry.licence, "?") in text[:200], f"{entry.id} lacks its licence's text")
        texts.append(f"{release.archive(entry).name}, {entry.size / 1e6:.1f} MB, {entry.licence}, at {entry.url}")
    return "; ".join(texts)


def _check_wheel(release: Release) -> str:
    licence = licence_of(release.wheel)
    names = [_CODE_LICENCE, *sorted({entry.licence for entry in release.entries})]
    require(licence.expression == " AND ".join(names), f"its metadata says {licence.expression!r}")
    for name in names:
        has_text = any(_TITLES.get(name, "?") in text[:200] for text in licence.texts.values())
        require(has_text, f"the text of {name} is not inside")
    stages = 2 * len(release.entries)
    require(len(licence.weights) == stages, f"it holds {len(licence.weights)} weight files, {stages} belong into it")
    return f"{release.wheel.name}, {release.wheel.stat().st_size / 1e6:.1f} MB, {licence.expression}, with both texts"


def _check_description(release: Release) -> str:
    text = extension_field(release.tree, "DESCRIPTION")
    words: tuple[str, ...] = ("kidney", "tumor", "ct", "segmentation", "research use only", "non-commercial")
    words += tuple(entry.licence.lower() for entry in release.entries)
    missing = [word for word in words if word.replace("-", " ") not in text.lower().replace("-", " ")]
    require(not missing, f"EXTENSION_DESCRIPTION does not say {', '.join(missing)}")
    require(";" not in text, "EXTENSION_DESCRIPTION has a semicolon, which ends an item of a list in CMake")
    return "says what it is for, and the licence of the weights"


def _check_sums(release: Release) -> str:
    lines = (release.folder / SUMS).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {path.name for path in release.folder.iterdir() if path.is_file() and path.name != SUMS}
    require(set(listed) == there, f"{SUMS} lists other files than there are")
    for name, digest in listed.items():
        found = hashlib.sha256((release.folder / name).read_bytes()).hexdigest()
        require(found == digest, f"{name} is not the one that {SUMS} lists")
    return f"{len(listed)} files"


_CHECKS: dict[str, Callable[[Release], str]] = {
    "Repository size": _check_clone,
    "Sources": _check_committed,
    "Version": _check_version,
    **CATALOGUE_CHECKS,
    "Description": _check_description,
    "Licence file": _check_licence_file,
    "Packaged files": _check_packaged_files,
    "Archives": _check_archives,
    "Wheel": _check_wheel,
    "Checksums": _check_sums,
}
