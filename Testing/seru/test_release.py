"""A release of this tree with a tiny model: its checks, its wheel, and a checkout that fetches and segments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.io.images import read_volume, write_volume
from seru.model.registry import read_registry
from seru.phantom import PhantomOptions, make_phantom
from Testing.release_by_hand import ID, RESOURCES, TAG, git, project, release, server
from tools.release.checks import _CHECKS, check_release
from tools.release.failure import CheckError
from tools.release.make import Release, make_release
from tools.release.wheel import build_wheel, licence_of

__all__ = ["project", "release", "server"]

pytestmark = pytest.mark.slow


def test_a_release_passes_every_check(release: Release) -> None:
    outcomes = check_release(release)

    assert [f"{outcome.name}: {outcome.text}" for outcome in outcomes if not outcome.is_passed] == []
    assert len(outcomes) == len(_CHECKS) >= 15
    assert git(release.tree, "log", "--format=%an %s") == "Somebody SERU 0.1.0\n"
    assert git(release.tree, "tag").split() == [TAG]


def test_the_list_of_models_says_where_the_archive_is_and_what_it_holds(release: Release) -> None:
    entry = read_registry(release.tree / RESOURCES / "models.json").entry(ID)

    assert entry.url.endswith(f"/{ID}-{TAG}.zip")
    assert set(entry.files) == {"model.json", "README.md", "LICENSE.txt", "coarse.safetensors", "refine.safetensors"}
    assert entry.size == release.archive(entry).stat().st_size
    assert sorted(path.name for path in (release.tree / RESOURCES / "Models" / ID).iterdir()) == [
        "LICENSE.txt",
        "README.md",
    ]


def test_a_wheel_names_the_licence_of_the_weights_where_they_are_inside_alone(release: Release, tmp_path: Path) -> None:
    shutil.copytree(release.tree, tmp_path / "tree")
    bare = licence_of(build_wheel(tmp_path / "tree", tmp_path))
    whole = licence_of(release.wheel)

    assert (whole.expression, len(whole.texts), len(whole.weights)) == ("Apache-2.0 AND CC-BY-NC-SA-4.0", 2, 2)
    assert (bare.expression, list(bare.texts), bare.weights) == ("Apache-2.0", ["LICENSE"], ())


def seru(tree: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "SERUSegmentation"),
        "XDG_CACHE_HOME": str(home),
        "HOME": str(home),
    }
    command = [sys.executable, "-m", "seru", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_a_checkout_fetches_its_model_and_segments_with_it(release: Release, tmp_path: Path) -> None:
    tree = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", "--branch", TAG, str(release.tree), str(tree))
    phantom = make_phantom(PhantomOptions(shape_kji=(24, 128, 128), spacing_kji_mm=(10.0, 3.0, 3.0)))
    write_volume(phantom.volume, tmp_path / "ct.nii.gz")

    before = seru(tree, tmp_path, "segment", "ct.nii.gz", "-o", "labels.nii.gz")
    told, listed = seru(tree, tmp_path, "info"), seru(tree, tmp_path, "models", "list")
    asked = seru(tree, tmp_path, "models", "fetch")
    fetched = seru(tree, tmp_path, "models", "fetch", "--accept-licence")
    after = seru(tree, tmp_path, "segment", "ct.nii.gz", "-o", "labels.nii.gz", "--device", "cpu", "--engine", "torch")

    assert before.returncode == 3
    assert f"run 'seru models fetch {ID}'" in before.stderr
    size_mb = round(release.archive(release.entries[0]).stat().st_size / 1e6)
    assert f"models:\n  {ID}, default, {size_mb} MB by 'seru models fetch {ID}'\n" in told.stdout
    assert listed.stdout.startswith(f"{ID} (default): ")
    assert (asked.returncode, "--accept-licence" in asked.stderr, "CC-BY-NC-SA-4.0" in asked.stderr) == (2, True, True)
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert "NonCommercial" in (tmp_path / "SERU" / "models" / ID / "LICENSE.txt").read_text(encoding="utf-8")
    assert after.returncode == 0, after.stderr
    found, truth = read_volume(tmp_path / "labels.nii.gz").array_kji > 0, phantom.labels_kji > 0
    assert 2 * np.sum(found & truth) / (found.sum() + truth.sum()) > 0.5


def test_an_archive_that_was_damaged_on_its_server_is_not_taken(
    release: Release, server: tuple[str, Path], tmp_path: Path
) -> None:
    served = server[1] / release.archive(release.entries[0]).name
    whole = served.read_bytes()
    served.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])

    result = seru(release.tree, tmp_path, "models", "fetch", "--accept-licence")
    served.write_bytes(whole)

    assert result.returncode == 3
    assert "gave a wrong file" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list((tmp_path / "SERU" / "models").iterdir()) == []


def test_what_is_no_tag_is_refused_unless_it_is_a_trial(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "release"
    for name in ("HEAD", "main", "v0*", git(project, "rev-parse", "HEAD").strip()):
        with pytest.raises(BadInputError, match="is no tag of"):
            make_release(project, name, output)

    assert not output.exists()


def change_catalogue(release: Release, **values: object) -> None:
    content = json.loads(release.catalogue.read_text(encoding="utf-8"))
    release.catalogue.write_text(json.dumps(content | values))


def change_cmake(release: Release, old: str, new: str) -> None:
    path = release.tree / "CMakeLists.txt"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


FAULTS: dict[str, tuple[str, Callable[[Release], object]]] = {
    "a second commit": ("Repository size", lambda r: git(r.tree, "commit", "--quiet", "--allow-empty", "-m", "More")),
    "a file that is not committed": ("Sources", lambda r: (r.tree / "notes.txt").write_text("x")),
    "another version": ("Version", lambda r: git(r.tree, "tag", "v9.9.9")),
    "line ends of Windows": ("Catalogue format", lambda r: r.catalogue.write_bytes(b"{}\r\n")),
    "no JSON": ("Catalogue format", lambda r: r.catalogue.write_bytes(b"{\n")),
    "an unknown key": ("Catalogue schema", lambda r: change_catalogue(r, icon="x")),
    "a tier in letters": ("Catalogue schema", lambda r: change_catalogue(r, tier="1")),
    "a tier of 6": ("Catalogue schema", lambda r: change_catalogue(r, tier=6)),
    "a repository without Slicer": ("Names", lambda r: change_catalogue(r, scm_url="https://example.org/a/SERU.git")),
    "an address of ssh": ("Address", lambda r: change_catalogue(r, scm_url="git@github.com:a/SlicerSERU.git")),
    "an unknown category": ("Category", lambda r: change_catalogue(r, category="Kidneys")),
    "another dependency": ("Dependencies", lambda r: change_catalogue(r, build_dependencies=["NNUNet"])),
    "another project": ("CMakeLists.txt", lambda r: change_cmake(r, "project(SERU", "project(SERUs")),
    "a picture that is missing": ("Pictures", lambda r: change_cmake(r, "panel.png", "panels.png")),
    "a picture elsewhere": ("Pictures", lambda r: change_cmake(r, "raw.githubusercontent.com", "example.org")),
    "no word of research": ("Description", lambda r: change_cmake(r, "Research use only", "For all")),
    "no licence": ("Licence file", lambda r: (r.tree / "LICENSE").unlink()),
    "a file that CMake does not list": (
        "Packaged files",
        lambda r: (r.tree / "SERUSegmentation" / "seru" / "more.py").write_text(""),
    ),
    "a damaged archive": ("Archives", lambda r: r.archive(r.entries[0]).write_bytes(b"x")),
    "a file that is not summed": ("Checksums", lambda r: (r.folder / "more.txt").write_text("x")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_release_fails_its_check(fault: str, release: Release, tmp_path: Path) -> None:
    name, damage = FAULTS[fault]
    folder = tmp_path / "release"
    shutil.copytree(release.folder, folder)
    copy = replace(
        release, folder=folder, tree=folder / release.tree.name, catalogue=folder / release.catalogue.name,
        wheel=folder / release.wheel.name, tag="v9.9.9" if name == "Version" else release.tag,
    )  # fmt: skip
    damage(copy)

    with pytest.raises(CheckError):
        _CHECKS[name](copy)
