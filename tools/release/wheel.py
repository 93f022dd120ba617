"""The wheel, and what its metadata says of licences."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from seru.errors import BadInputError


@dataclass(frozen=True)
class WheelLicence:
    """What a wheel says of its licences.

    Attributes:
        expression: an SPDX licence expression.
        texts: the licence files inside, by their names in the metadata.
        weights: names of the weight files inside.
    """

    expression: str
    texts: dict[str, str]
    weights: tuple[str, ...]


def build_wheel(tree: Path, output: Path) -> Path:
    """Build the wheel of a tree, with the setuptools that is installed here.

    Args:
        tree: of the sources; what is built stays in it.
        output: folder for the wheel.

    Returns:
        The wheel.

    Raises:
        BadInputError: it cannot be built.
    """
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(output), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(output.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["no wheel was made"])[-1]
        raise BadInputError(f"The wheel cannot be built ({last}); install the extra 'dev' and try again.")
    return wheels[0]


def licence_of(wheel: Path) -> WheelLicence:
    """Read what a wheel says of its licences.

    Args:
        wheel: a file.

    Returns:
        Expression, texts and weights.
    """
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        folder = next(name for name in names if name.endswith(".dist-info/METADATA")).removesuffix("METADATA")
        metadata = HeaderParser().parsestr(content.read(f"{folder}METADATA").decode("utf-8"))
        files = metadata.get_all("License-File", [])
        texts = {name: content.read(f"{folder}licenses/{name}").decode("utf-8") for name in files}
    weights = tuple(name for name in names if name.endswith(".safetensors"))
    return WheelLicence(metadata["License-Expression"] or "", texts, weights)
