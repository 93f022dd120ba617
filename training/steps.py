"""Steps that are done once: a folder each, with what went in and what came out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.files import write_text

_STARTED, _DONE = "started.json", "done.json"


@dataclass(frozen=True)
class Step:
    """A step of the recipe.

    Attributes:
        folder: holds what the step makes.
        inputs: everything the result depends on, JSON-ready.
    """

    folder: Path
    inputs: dict[str, Any]

    @property
    def result(self) -> dict[str, Any] | None:
        """What the step gave, or None while it is not done with these inputs."""
        done = read_json(self.folder / _DONE)
        return done["result"] if done and done["inputs"] == digest(self.inputs) else None

    def begin(self, restart: bool = False) -> None:
        """Mark the step as started, or go on with one that was started with the same inputs.

        Args:
            restart: delete what other inputs made.

        Raises:
            BadInputError: the folder holds what other inputs made.
        """
        started = read_json(self.folder / _STARTED)
        if started is not None and digest(started) != digest(self.inputs):
            if not restart:
                changed = sorted(key for key in {*started, *self.inputs} if started.get(key) != self.inputs.get(key))
                raise BadInputError(
                    f"{self.folder} was made with other inputs ({', '.join(changed)} changed); "
                    "choose another work folder, or give --restart to make it again."
                )
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / _STARTED, self.inputs)

    def finish(self, result: dict[str, Any]) -> dict[str, Any]:
        """Mark the step as done.

        Args:
            result: what later steps and people need, JSON-ready.

        Returns:
            The same result.
        """
        write_json(self.folder / _DONE, {"inputs": digest(self.inputs), "result": result})
        return result

    def wait(self, seconds: float = 1.0) -> dict[str, Any]:
        """Wait until another process has done the step.

        Args:
            seconds: between two looks.

        Returns:
            Its result.
        """
        while (result := self.result) is None:
            time.sleep(seconds)
        return result


def digest(value: Any) -> str:
    """Return a short hash of JSON-ready values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} cannot be read ({error}); delete it to make it again.") from error


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def git_revision() -> str:
    """Return the revision of this checkout, with ``+`` where files differ from it; ``unknown`` without git."""
    folder = Path(__file__).resolve().parent
    try:
        run = lambda *command: subprocess.run(  # noqa: E731
            ["git", *command], cwd=folder, capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
        return run("rev-parse", "HEAD") + ("+" if run("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def process_rank() -> int:
    """Return the rank of this process under ``torchrun``; 0 without it."""
    return int(os.environ.get("RANK", "0"))
