"""Outputs, options and models that cannot be used, and full disks: one sentence, and nothing written."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from seru.cli import main
from Testing.seru.command_by_hand import files_of, make_random_model, run_command
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_random_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())


def refuse(capsys: pytest.CaptureFixture[str], ct: Path, output: object, *more: object) -> str:
    before = files_of(ct.parent)
    code, line = run_command(capsys, "segment", ct, "-o", output, *more)
    assert code == 2
    assert files_of(ct.parent) == before
    return line


def test_a_missing_output_folder_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not exist" in refuse(capsys, ct, ct.parent / "no" / "out.nii.gz")


def test_an_unknown_output_ending_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("out.png", "out.nii", "out", ".nii.gz"):
        assert "unknown ending" in refuse(capsys, ct, ct.parent / name)


def test_a_folder_as_output_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ct.parent / "folder.nii.gz").mkdir()

    assert "is a folder" in refuse(capsys, ct, ct.parent / "folder.nii.gz")


def test_too_long_an_output_name_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "too long" in refuse(capsys, ct, ct.parent / f"{'x' * 300}.nii.gz")


def test_a_name_that_no_file_can_have_is_refused_as_input(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, said in ((f"{'x' * 300}.nii.gz", "too long"), ("~no-such-user/ct.nii.gz", "home folder")):
        code, sentence = run_command(capsys, "segment", name, "-o", ct.parent / "out.nii.gz")
        assert code == 2
        assert said in sentence


def test_a_file_that_is_no_maps_is_named_as_such(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, sentence = run_command(capsys, "fuse", ct, "-o", ct.parent / "out.nii.gz", "--alpha", "0.5")

    assert code == 2
    assert "no file that --maps wrote" in sentence
    assert "pickle" not in sentence


def test_the_input_as_output_is_refused_under_any_name(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ct.parent / "link.nii.gz").symlink_to(ct)
    os.link(ct, ct.parent / "hard.nii.gz")

    for name in ("ct.nii.gz", "../" + ct.parent.name + "/ct.nii.gz", "link.nii.gz", "hard.nii.gz"):
        assert "is the input itself" in refuse(capsys, ct, ct.parent / name)


def test_the_output_as_report_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ct.parent / "out.nii.gz"

    assert "same name" in refuse(capsys, ct, output, "--report", output)


def test_a_file_as_maps_folder_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ct.parent / "maps").write_text("a file")

    assert "is a file" in refuse(capsys, ct, ct.parent / "out.nii.gz", "--maps", ct.parent / "maps")


def test_a_series_of_a_file_is_refused(ct: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--series" in refuse(capsys, ct, ct.parent / "o.nii.gz", "--series", "1.2", "--model", random_model)


@pytest.mark.parametrize(
    "option",
    [
        ("--alpha", "1.01"), ("--alpha", "-0.1"), ("--alpha", "nan"), ("--alpha", "much"), ("--device", "gpu"),
        ("--threads", "0"), ("--minimum-volume", "-1"), ("--engine", "tea"), ("--crop", "big"), ("--nonsense",),
        ("--alp", "0.5"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_sentence(ct: Path, option: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    refuse(capsys, ct, ct.parent / "out.nii.gz", *option)


def test_missing_arguments_and_unknown_commands_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["segment"], ["segment", "ct.nii.gz"], ["dance"], ["models", "burn"]):
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_a_command_alone_shows_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments)

    shown = capsys.readouterr()
    assert code == 2
    assert shown.err == ""
    assert shown.out.startswith(f"usage: {' '.join(['seru', *arguments])}")


@pytest.mark.parametrize(
    ("arguments", "help_of"),
    [
        (["segment", "ct.nii.gz", "-o", "o.nii.gz", "--nonsense"], "seru segment"),
        (["models", "list", "--nonsense"], "seru models list"),
        (["--nonsense", "info"], "seru"),
    ],
)
def test_an_unknown_option_names_the_subcommand_whose_help_tells_the_known_ones(
    arguments: list[str], help_of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"seru: Unrecognized arguments: --nonsense; see '{help_of} --help'.\n"


needs_second_user = pytest.mark.skipif(
    not hasattr(os, "setuid") or os.getuid() != 0, reason="needs a second user to lack permission"
)


def run_as_nobody(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user who may enter ``folder`` and what is above it, and no more."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for place in (folder, *folder.parents):
        if temporary in place.parents:
            place.chmod(0o755)
    # The other user may not read Python's own folder: what the commands need is loaded before.
    program = (
        "import locale, os, sys; sys.path[:0] = sys.argv[1].split(os.pathsep); from seru.cli import main; "
        "import seru.cli.batch, seru.cli.fuse, seru.cli.segment; os.setuid(65534); sys.exit(main(sys.argv[2:]))"
    )
    command = [sys.executable, "-c", program, os.pathsep.join(filter(None, sys.path)), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8")


@needs_second_user
def test_an_output_folder_without_permission_is_refused(tmp_path: Path, ct: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o755)

    done = run_as_nobody(tmp_path, "segment", ct, "-o", folder / "out.nii.gz", "--progress", "none")

    assert done.returncode == 2, done.stderr
    assert "cannot be written (Permission denied)" in done.stderr


@needs_second_user
@pytest.mark.parametrize("command", ["segment", "batch", "fuse"])
def test_an_input_behind_a_locked_folder_is_refused(tmp_path: Path, ct: Path, command: str) -> None:
    locked, output = tmp_path / "locked", tmp_path / "open"
    locked.mkdir()
    output.mkdir()
    output.chmod(0o777)
    source = {"segment": ct.rename(locked / "ct.nii.gz"), "batch": locked, "fuse": locked / "maps"}[command]
    locked.chmod(0o700)

    alpha = ["--alpha", "0.5"] if command == "fuse" else []
    done = run_as_nobody(tmp_path, command, source, "-o", output / "out.nii.gz", *alpha)

    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert str(locked) in done.stderr
    assert "Permission denied" in done.stderr


# Models: exit code 3.


def model_line(capsys: pytest.CaptureFixture[str], ct: Path, model: object) -> str:
    before = files_of(ct.parent)
    code, line = run_command(capsys, "segment", ct, "-o", ct.parent / "out.nii.gz", "--model", model)
    assert code == 3
    assert files_of(ct.parent) == before
    return line


def test_an_unknown_model_is_refused(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is unknown" in model_line(capsys, ct, "no-such-model")


def test_a_pickled_file_as_model_is_never_loaded(ct: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ct.parent / "weights.pt"
    path.write_bytes(pickle.dumps({"weight": 1}))

    assert "pickled weights are never loaded" in model_line(capsys, ct, path)


def test_a_folder_of_pickles_is_no_model(ct: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ct.parent / "model"
    shutil.copytree(random_model, folder)
    for stage in ("coarse", "refine"):
        (folder / f"{stage}.safetensors").unlink()
        (folder / f"{stage}.pth").write_bytes(pickle.dumps({"weight": 1}))

    assert "lacks coarse.safetensors" in model_line(capsys, ct, folder)


def test_damaged_weights_are_found_by_their_checksum(
    ct: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ct.parent / "model"
    shutil.copytree(random_model, folder)
    data = bytearray((folder / "refine.safetensors").read_bytes())
    data[-5] ^= 1
    (folder / "refine.safetensors").write_bytes(data)

    assert "refine.safetensors is damaged" in model_line(capsys, ct, folder)


class _Bomb:
    """A pickle that would make a file when it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (open, (self.path, "w"))


def test_a_pickle_renamed_to_safetensors_is_never_loaded(
    ct: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from seru.model.store import sha256_of

    folder = ct.parent / "model"
    shutil.copytree(random_model, folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    for name in card["files"]:
        (folder / name).write_bytes(pickle.dumps(_Bomb(str(ct.parent / "exploded"))))
        card["files"][name] = {"sha256": sha256_of(folder / name), "size": (folder / name).stat().st_size}
    (folder / "model.json").write_text(json.dumps(card))

    line = model_line(capsys, ct, folder)

    assert "safetensors" in line
    assert not (ct.parent / "exploded").exists()


# A full disk: the system itself refuses the write.

_LIMITED = """
import resource, signal, sys
sys.path[:0] = sys.argv[3:]
import numpy as np
from seru.volume import Volume
from seru.io.images import write_labels
from seru.io.segmentation import write_segmentation
from seru.errors import SeruError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
labels = np.random.default_rng(0).integers(0, 3, (40, 64, 64)).astype(np.uint8)
write = write_segmentation if sys.argv[1].endswith(".seg.nrrd") else write_labels
try:
    write(labels, Volume.from_array(labels, np.eye(4)), sys.argv[1])
except SeruError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha", ".seg.nrrd"])
def test_a_full_disk_is_said_and_leaves_the_older_file(tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"out{ending}"
    output.write_bytes(b"older")

    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, output, "-", *filter(None, sys.path)], capture_output=True, encoding="utf-8"
    )

    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"The disk is full: '{output}' was not written")
    assert output.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small file system")
def test_a_full_file_system_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    from seru.errors import BadInputError
    from seru.io.images import write_labels
    from seru.volume import Volume

    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    try:
        labels = np.random.default_rng(0).integers(0, 3, (160, 64, 64)).astype(np.uint8)
        with pytest.raises(BadInputError, match="The disk is full"):
            write_labels(labels, Volume.from_array(labels, np.eye(4)), tmp_path / "out.nii.gz")
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


_LIMITED_COMMAND = """
import resource, signal, sys
sys.path[:0] = sys.argv[4:]
from seru.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))
fuse = ["fuse", sys.argv[1], "-o", sys.argv[2], "--report", sys.argv[3], "--alpha", "0.5", "--progress", "none"]
sys.exit(main(fuse))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_the_command_says_that_the_disk_is_full_and_leaves_no_report(
    tmp_path: Path, ct: Path, tiny_model: Path
) -> None:
    arguments = ["segment", ct, "-o", tmp_path / "first.nii.gz", "--maps", tmp_path / "maps", "--model", tiny_model]
    assert main([*map(str, arguments), "--threads", "1", "--progress", "none"]) == 0
    before = files_of(tmp_path)
    places = [tmp_path / "maps", tmp_path / "out.nii.gz", tmp_path / "out.json"]

    done = subprocess.run(
        [sys.executable, "-c", _LIMITED_COMMAND, *places, *filter(None, sys.path)],
        capture_output=True,
        encoding="utf-8",
    )

    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("seru: The disk is full")
    assert files_of(tmp_path) == before
