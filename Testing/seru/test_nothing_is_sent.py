"""Nothing is ever sent anywhere, and no file is made but those that were asked for and the model's own cache."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from Testing import REPOSITORY
from Testing.seru.command_by_hand import files_of, make_random_model
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti

# Runs commands one after the other, with a hook that sees them reach for the network, start programs and open files
# to write into.
PROGRAM = """
import json, os, sys
seen, allowed = [], sys.argv[1]
WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def hook(event, facts):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")) and event != "socket.__new__":
        seen.append([event, str(facts)])
    elif event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec") and facts[0] != "uname":  # of info
        seen.append([event, str(facts)])
    elif event == "open" and isinstance(facts[0], str) and (facts[2] or 0) & WRITE:
        if not os.path.abspath(facts[0]).startswith((allowed, os.devnull)):
            seen.append([event, facts[0]])
    elif event in ("os.mkdir", "os.rename", "os.remove") and not os.path.abspath(facts[0]).startswith(allowed):
        seen.append([event, str(facts)])
sys.addaudithook(hook)
from seru.__main__ import main
codes = [main(arguments) for arguments in json.loads(sys.argv[2])]
with open(sys.argv[1] + "/seen.json", "w") as file:
    json.dump({"codes": codes, "seen": seen, "openvino": "openvino" in sys.modules}, file)
"""


@pytest.mark.slow
def test_the_whole_command_reaches_for_no_network_and_leaves_no_foreign_file(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    home, out, temporary = (tmp_path / name for name in ("home", "out", "tmp"))
    for folder in (home, out, temporary):
        folder.mkdir()
    (tmp_path / "in").mkdir()
    ct = write_nifti(tmp_path / "in" / "ct.nii.gz", small_ct(), oblique())
    model = make_random_model(tmp_path / "model")
    common = ["--model", str(model), "--device", "cpu", "--progress", "none"]
    commands = [
        ["segment", str(ct), "-o", f"{out}/a.nii.gz", "--engine", "openvino", "--maps", f"{out}/maps", *common],
        ["segment", str(ct), "-o", f"{out}/b.seg.nrrd", "--engine", "torch", "--pictures", f"{out}/pictures", *common],
        ["batch", str(ct.parent), "-o", f"{out}/batch", "--engine", "openvino", *common],
        ["fuse", f"{out}/maps", "-o", f"{out}/c.nii.gz", "--alpha", "0.5", "--progress", "none"],
        ["models", "list"],
        ["info"],
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "CI"))}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(REPOSITORY / "SERUSegmentation")}

    command = [sys.executable, "-B", "-c", PROGRAM, str(tmp_path), json.dumps(commands)]
    ended = subprocess.run(command, cwd=temporary, env=environment, capture_output=True, encoding="utf-8")

    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert found["codes"] == [0] * len(commands), ended.stderr
    assert found["openvino"]
    assert found["seen"] == []
    assert {path.relative_to(home).parts[:3] for path in files_of(home)} == {(".cache", "SERU", "openvino")}
    assert list(temporary.iterdir()) == []


def test_openvino_is_imported_in_one_place_without_its_telemetry() -> None:
    importers = set()
    for path in [*REPOSITORY.glob("SERUSegmentation/**/*.py"), *REPOSITORY.glob("training/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in ("openvino", "openvino_telemetry") for name in names):
                importers.add(path.name)

    assert importers == {"quiet_openvino.py"}
