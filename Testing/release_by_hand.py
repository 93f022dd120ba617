"""A release of this tree as it is now, with a tiny model as the bundled one, and a server that serves its archive."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from seru.model.registry import read_registry
from Testing import REPOSITORY
from tools.release.make import Release, make_release

TAG = "v0.1.0"
ID = "phantom-tiny"
RESOURCES = Path("SERUSegmentation") / "Resources"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    return subprocess.run(
        ["git", "-C", folder, *who, *arguments], check=True, capture_output=True, encoding="utf-8"
    ).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This tree as it is now, with the tiny model as the bundled one, under a tag."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this tree is no git repository")
    if any(entry.url is not None for entry in read_registry().models):
        pytest.skip("these are the sources of a release, and no release is made of them")
    folder = tmp_path_factory.mktemp("project") / "seru"
    for name in git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source, place = REPOSITORY / name, folder / name
        if name and source.is_file() and not name.startswith((RESOURCES / "Models").as_posix()):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
    bundle_tiny_model(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "-m", "As it is")
    git(folder, "tag", TAG)
    return folder


def bundle_tiny_model(folder: Path) -> None:
    model = folder / RESOURCES / "Models" / ID
    shutil.copytree(REPOSITORY / "Testing" / "models" / ID, model)
    (bundled,) = (REPOSITORY / RESOURCES / "Models").glob("*/LICENSE.txt")
    shutil.copy(bundled, model)
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    card["licence"] = "CC-BY-NC-SA-4.0"
    (model / "model.json").write_text(json.dumps(card), encoding="utf-8")
    listed = {"id": ID, "title": card["title"], "licence": card["licence"]}
    (folder / RESOURCES / "models.json").write_text(json.dumps({"version": 1, "default": ID, "models": [listed]}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("served")
    handler = partial(QuietHandler, directory=str(folder))
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", folder
    running.shutdown()
    running.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def release(project: Path, server: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Release:
    made = make_release(project, TAG, tmp_path_factory.mktemp("release"), server[0])
    shutil.copy(made.archive(made.entries[0]), server[1])
    return made
