"""The source tree: a tag's files, without history and weights, as a repository of one commit."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from seru.errors import BadInputError
from seru.model.registry import RegistryEntry
from seru.records import to_plain
from tools.packaged_files import update

RESOURCES = Path("SERUSegmentation") / "Resources"
WEIGHTS = (".safetensors",)


def git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """Run git in a folder.

    Args:
        folder: a repository.
        arguments: of git.
        environment: beside this process's own.

    Returns:
        What it printed.

    Raises:
        BadInputError: it failed.
    """
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **(environment or {})}, check=False)
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise BadInputError(f"'git {arguments[0]}' failed in '{folder}' ({reason}).")
    return done.stdout


def export(repository: Path, tag: str, tree: Path) -> None:
    """Write the files of a tag into a folder.

    Args:
        repository: that has the tag.
        tag: or another revision.
        tree: folder that does not exist yet.

    Raises:
        BadInputError: there is no such revision.
    """
    with tarfile.open(fileobj=io.BytesIO(git(repository, "archive", "--format=tar", tag))) as archive:
        archive.extractall(tree, filter="data")


def extension_field(tree: Path, name: str) -> str:
    """Return a value that the extension gives of itself in CMakeLists.txt.

    Args:
        tree: of the sources.
        name: without ``EXTENSION_``.

    Raises:
        BadInputError: it does not stand on one quoted line.
    """
    text = (tree / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.findall(rf'^set\(EXTENSION_{name} "([^"]+)"\)$', text, flags=re.MULTILINE)
    if len(found) != 1:
        raise BadInputError(f"CMakeLists.txt must give EXTENSION_{name} once, on one quoted line.")
    return str(found[0])


def version_of(tree: Path) -> str:
    """Return the version that the package in a tree gives of itself."""
    text = (tree / "SERUSegmentation" / "seru" / "__init__.py").read_text(encoding="utf-8")
    return str(re.findall(r'^__version__ = "([^"]+)"$', text, flags=re.MULTILINE)[0])


def without_weights(tree: Path, entries: Sequence[RegistryEntry]) -> None:
    """Take cards and weights out of a tree: its list of models then says where they are fetched from.

    A model's page and licence stay.

    Args:
        tree: of the sources; it is changed.
        entries: of the models that are fetched from now on.
    """
    for entry in entries:
        for path in (tree / RESOURCES / "Models" / entry.id).iterdir():
            if path.suffix in WEIGHTS or path.name == "model.json":
                path.unlink()
    _list_models(tree / RESOURCES / "models.json", entries)
    _leave_their_licence_out(tree / "pyproject.toml")
    update(tree)


def commit(repository: Path, tag: str, tree: Path, branch: str) -> None:
    """Make a repository of one commit out of a tree, with author and date of the tagged one.

    Args:
        repository: that has the tag.
        tag: its name, which the new repository gets too where it is one.
        tree: of the sources.
        branch: of the new repository.
    """
    name, email, date = git(repository, "log", "-1", "--format=%an%n%ae%n%aI", tag).decode().strip().split("\n")
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    git(tree, "init", "--quiet", f"--initial-branch={branch}")
    git(tree, "add", "--all", "--force", ".")
    git(tree, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", f"SERU {version_of(tree)}", environment=who)
    git(tree, "gc", "--quiet")
    if is_tag(repository, tag):
        git(tree, "tag", tag)


def is_tag(repository: Path, name: str) -> bool:
    """Return whether a revision is the name of a tag."""
    return name.encode() in git(repository, "tag", "--list").split()


def _list_models(path: Path, entries: Sequence[RegistryEntry]) -> None:
    registry = json.loads(path.read_text(encoding="utf-8"))
    fetched = {entry.id: to_plain(entry) for entry in entries}
    registry["models"] = [fetched.get(listed["id"], listed) for listed in registry["models"]]
    path.write_text(json.dumps(registry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _leave_their_licence_out(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^# The code's and that of the weights.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r'^license = "(\S+) AND .*"$', r'license = "\1"', text, flags=re.MULTILINE)
    text = re.sub(r"^license-files = .*$", 'license-files = ["LICENSE"]', text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
