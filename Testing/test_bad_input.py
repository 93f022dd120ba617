"""Every kind of unusable input: one sentence on stderr, its exit code, and nothing written."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from seru.cli import main
from Testing.image_files_by_hand import (
    itk_image,
    oblique,
    small_ct,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_nrrd,
)

PLAIN = [(0.8, 0, 0), (0, 0.8, 0), (0, 0, 2.5)]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run the command; return its exit code and its one line on stderr."""
    code = main([*map(str, arguments), "--progress", "none"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("seru: ")
    return code, lines[0]


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def missing(folder: Path) -> Path:
    return folder / "nothing.nii.gz"


def no_bytes(folder: Path) -> Path:
    (folder / "ct.nii.gz").write_bytes(b"")
    return folder / "ct.nii.gz"


def text_file(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text("this is no image\n" * 100)
        return folder / name

    return make


def cut(name: str, part: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        values = np.random.default_rng(0).integers(-1000, 1000, (8, 32, 40)).astype(np.int16)
        path = folder / name
        if name.endswith(".nhdr"):
            sitk.WriteImage(itk_image(values, oblique()), str(path), useCompression=False)
            os.truncate(folder / "ct.raw", 5000)
            return path
        sitk.WriteImage(itk_image(values, oblique()), str(path), useCompression=True)
        os.truncate(path, int(path.stat().st_size * part) if part < 1 else path.stat().st_size - 4)
        return path

    return make


def flipped_bits(folder: Path) -> Path:
    path = write_nifti(
        folder / "ct.nii.gz", np.random.default_rng(0).integers(-9, 9, (8, 32, 40)).astype("i2"), np.eye(4)
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return path


def lost_voxel_file(folder: Path) -> Path:
    sitk.WriteImage(itk_image(small_ct(), oblique()), str(folder / "ct.nhdr"))
    next(path for path in folder.iterdir() if path.suffix != ".nhdr").unlink()
    return folder / "ct.nhdr"


def two_dimensional(ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sitk.WriteImage(sitk.GetImageFromArray(small_ct()[0]), str(folder / f"ct{ending}"))
        return folder / f"ct{ending}"

    return make


def colour(ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        image = sitk.GetImageFromArray(np.zeros((6, 32, 40, 3), np.uint8), isVector=True)
        sitk.WriteImage(image, str(folder / f"ct{ending}"))
        return folder / f"ct{ending}"

    return make


def four_dimensional(ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        image = sitk.JoinSeries([itk_image(small_ct(), np.eye(4))] * 2)
        sitk.WriteImage(image, str(folder / f"ct{ending}"))
        return folder / f"ct{ending}"

    return make


def no_voxels(folder: Path) -> Path:
    return write_nifti(folder / "ct.nii", small_ct()[:, :0], np.eye(4))


def no_voxels_nrrd(folder: Path) -> Path:
    path = write_nrrd(folder / "ct.nrrd", small_ct(), PLAIN, "raw")
    path.write_bytes(path.read_bytes().replace(b"sizes: 40 32 6", b"sizes: 40 32 0"))
    return path


def values(make_values: Callable[[np.ndarray], np.ndarray], name: str = "ct.nii.gz") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sitk.WriteImage(itk_image(make_values(small_ct()), oblique()), str(folder / name))
        return folder / name

    return make


def with_nan(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.float32)
    array[3, :4] = np.nan
    return array


def with_infinity(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.float64)
    array[0, 0, 0] = np.inf
    return array


def magnetic_resonance(array: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 80, array.shape)
    return np.clip(np.where(array > -500, 500 + 3 * array + noise, noise), 0, 1500).astype(np.int16)


def eight_bit(array: np.ndarray) -> np.ndarray:
    return np.interp(array, (-160, 240), (0, 255)).astype(np.uint8)


def nifti(**arguments: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return write_nifti(folder / "ct.nii.gz", small_ct(), **{"sform": np.eye(4), **arguments})

    return make


def nrrd(directions: list[tuple[float, ...]]) -> Callable[[Path], Path]:
    return lambda folder: write_nrrd(folder / "ct.nrrd", small_ct(), directions)


def metaimage(**arguments: object) -> Callable[[Path], Path]:
    return lambda folder: write_metaimage(folder / "ct.mha", small_ct(), **arguments)


def sheared() -> np.ndarray:
    matrix = np.diag([0.8, 0.8, 2.5, 1.0])
    matrix[1, 2] = 0.5
    return matrix


def empty_folder(folder: Path) -> Path:
    (folder / "series").mkdir()
    return folder / "series"


def dicom(change: Callable[[Path], None], **tags: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_dicom(folder / "series", small_ct(), oblique(), **tags)
        change(folder / "series")
        return folder / "series"

    return make


def nothing(folder: Path) -> None:
    pass


def cut_a_slice(folder: Path) -> None:
    path = sorted(folder.iterdir())[2]
    os.truncate(path, path.stat().st_size // 2)


def drop_a_slice(folder: Path) -> None:
    sorted(folder.iterdir())[2].unlink()


def mix(folder: Path) -> None:
    write_dicom(folder, small_ct((8, 16, 20)), oblique(), prefix="small", numbers=[6, 7])


INPUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (missing, "does not exist"),
    "no bytes": (no_bytes, "empty (0 bytes)"),
    "unknown ending": (text_file("ct.txt"), "unknown ending"),
    "text as nifti": (text_file("ct.nii"), "is no NIfTI file"),
    "text as nifti gz": (text_file("ct.nii.gz"), "is no NIfTI file"),
    "text as nrrd": (text_file("ct.nrrd"), "no image"),
    "text as metaimage": (text_file("ct.mha"), "no image"),
    "nifti cut in the middle": (cut("ct.nii.gz", 0.5), "cut or damaged"),
    "nifti cut in the header": (cut("ct.nii.gz", 0.01), "cut or damaged"),
    "nifti cut at the end": (cut("ct.nii.gz", 1), "cut or damaged"),
    "plain nifti cut": (cut("ct.nii", 0.9), "cut or damaged"),
    "nifti with flipped bits": (flipped_bits, "cut or damaged"),
    "nrrd cut in the middle": (cut("ct.nrrd", 0.5), "cut or damaged"),
    "nrrd cut in the header": (cut("ct.nrrd", 0.005), "no image"),
    "nrrd cut at the end": (cut("ct.nrrd", 1), "cut or damaged"),
    "nhdr with cut voxels": (cut("ct.nhdr", 0.5), "cut or damaged"),
    "nhdr without voxels": (lost_voxel_file, "is missing"),
    "metaimage cut": (cut("ct.mha", 0.5), "cut, damaged"),
    "2D nifti": (two_dimensional(".nii.gz"), "2D image"),
    "2D nrrd": (two_dimensional(".nrrd"), "2D image"),
    "2D metaimage": (two_dimensional(".mha"), "2D image"),
    "colour nifti": (colour(".nii.gz"), "colours or vectors (3 numbers"),
    "colour nrrd": (colour(".nrrd"), "colours or vectors"),
    "colour metaimage": (colour(".mha"), "colours or vectors"),
    "4D nifti": (four_dimensional(".nii.gz"), "4D image"),
    "4D nrrd": (four_dimensional(".nrrd"), "4D image"),
    "4D metaimage": (four_dimensional(".mha"), "4D image"),
    "no voxels": (no_voxels, "empty"),
    "no voxels in nrrd": (no_voxels_nrrd, "empty"),
    "NaN": (values(with_nan), "not numbers (NaN or infinite, first in slice 3)"),
    "NaN in nrrd": (values(with_nan, "ct.nrrd"), "not numbers (NaN or infinite, first in slice 3)"),
    "NaN in metaimage": (values(with_nan, "ct.mha"), "not numbers (NaN or infinite, first in slice 3)"),
    "infinity": (values(with_infinity), "not numbers"),
    "constant": (values(lambda array: np.full_like(array, -1000)), "Every voxel of the image is -1000"),
    "magnetic resonance": (values(magnetic_resonance), "no CT in Hounsfield units"),
    "8 bit": (values(eight_bit), "no CT in Hounsfield units (its values run from 0 to 131"),
    "normalised": (values(lambda a: (a / 1000).astype(np.float32)), "no CT in Hounsfield units"),
    "label map": (values(lambda a: (a > 0).astype(np.uint8)), "no CT in Hounsfield units"),
    "zero voxel size in nifti": (nifti(pixdim=(1.0, 0.0, 1.0)), "voxel size of 1 x 0 x 1 mm"),
    "negative voxel size in nifti": (nifti(pixdim=(1.0, 1.0, -2.0)), "voxel size of 1 x 1 x -2 mm"),
    "NaN voxel size in nifti": (nifti(pixdim=(1.0, 1.0, float("nan"))), "voxel size of 1 x 1 x nan mm"),
    "two voxel sizes in nifti": (nifti(pixdim=(1.0, 1.0, 3.0)), "two voxel sizes"),
    "flat matrix in nifti": (nifti(sform=np.diag([1.0, 1.0, 0.0, 1.0]), pixdim=(1, 1, 1)), "1 x 1 x 0 mm"),
    "metres taken for millimetres": (nifti(sform=np.diag([0.0008, 0.0008, 0.003, 1.0])), "which no CT has"),
    "zero voxel size in nrrd": (nrrd([(0.8, 0, 0), (0, 0, 0), (0, 0, 2.5)]), "0.8 x 0 x 2.5 mm"),
    "NaN voxel size in nrrd": (nrrd([(0.8, 0, 0), (0, float("nan"), 0), (0, 0, 2.5)]), "0.8 x nan x 2.5 mm"),
    "zero voxel size in metaimage": (metaimage(spacing=(1, 0, 1)), "1 x 0 x 1 mm"),
    "negative voxel size in metaimage": (metaimage(spacing=(1, 1, -3)), "1 x 1 x -3 mm"),
    "sheared nifti": (nifti(sform=sheared()), "sheared by 11.31 degrees"),
    "sheared nifti with a good qform": (nifti(sform=sheared(), codes=(1, 1)), "sheared by 11.31 degrees"),
    "sheared nrrd": (nrrd([(0.8, 0, 0), (0.1, 0.8, 0), (0, 0, 2.5)]), "sheared by 7.13 degrees"),
    "sheared metaimage": (metaimage(directions=(1, 0, 0, 0.2, 1, 0, 0, 0, 1)), "sheared by 11.31 degrees"),
    "empty folder": (empty_folder, "holds no CT series (found: no DICOM images)"),
    "folder of another modality": (dicom(nothing, t0008_0060="PT"), "holds no CT series (found: 6 PT)"),
    "cut DICOM slice": (dicom(cut_a_slice), "is cut or damaged"),
    "missing DICOM slice": (dicom(drop_a_slice), "slices are missing"),
    "mixed DICOM series": (dicom(mix), "mixes images"),
}


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with random weights: enough where no network is to run."""
    from seru.architecture import Architecture
    from seru.models import ModelCard
    from seru.network import SERU
    from seru.weights import write_model_folder

    shape = Architecture(
        blocks=(1, 1, 1, 1), base_channels=8, cardinality=4, base_width=8, decoder_channels=(8, 8, 8, 8, 8), reduction=4
    )
    folder = tmp_path_factory.mktemp("models") / "random"
    card = ModelCard("random", "Random", "Apache-2.0", "nothing", architecture=shape, crop_size=64, coarse_size=64)
    write_model_folder(folder, card, SERU(shape).state_dict(), SERU(shape).state_dict())
    return folder


@pytest.mark.parametrize("case", INPUTS)
def test_unusable_input_is_one_sentence_and_leaves_nothing(
    case: str, tmp_path: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, expected = INPUTS[case]
    path = make(tmp_path)
    (tmp_path / "results").mkdir()
    before = files_of(tmp_path)

    code, line = run(
        capsys, "segment", path, "-o", tmp_path / "results/out.nii.gz", "--model", random_model,
        "--report", tmp_path / "results/out.json", "--maps", tmp_path / "results/maps",
    )  # fmt: skip

    assert expected in line
    assert code == 2
    assert line.endswith(".")
    assert files_of(tmp_path) == before


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())


def refuse(capsys: pytest.CaptureFixture[str], ct: Path, output: object, *more: object) -> str:
    before = files_of(ct.parent)
    code, line = run(capsys, "segment", ct, "-o", output, *more)
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
    assert "cannot be written" in refuse(capsys, ct, ct.parent / f"{'x' * 300}.nii.gz")


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
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_sentence(ct: Path, option: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    refuse(capsys, ct, ct.parent / "out.nii.gz", *option)


def test_missing_arguments_and_unknown_commands_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["segment"], ["segment", "ct.nii.gz"], ["dance"], ["models"], ["models", "burn"]):
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="needs a second user to lack permission")
def test_an_output_folder_without_permission_is_refused(tmp_path: Path, ct: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o755)
    for place in (tmp_path, *tmp_path.parents[:2]):
        place.chmod(0o755)
    program = (
        "import os, sys; sys.path[:0] = sys.argv[3:]; from seru.cli import main; os.setuid(65534); "
        "sys.exit(main(['segment', sys.argv[1], '-o', sys.argv[2], '--progress', 'none']))"
    )
    command = [sys.executable, "-c", program, ct, folder / "out.nii.gz", *filter(None, sys.path)]

    done = subprocess.run(command, capture_output=True, encoding="utf-8")

    assert done.returncode == 2, done.stderr
    assert "cannot be written (Permission denied)" in done.stderr


# Models: exit code 3.


def model_line(capsys: pytest.CaptureFixture[str], ct: Path, model: object) -> str:
    before = files_of(ct.parent)
    code, line = run(capsys, "segment", ct, "-o", ct.parent / "out.nii.gz", "--model", model)
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
    from seru.models import sha256_of

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
from seru.volume_io import write_labels
from seru.segmentation_io import write_segmentation
from seru.errors import SeruError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
labels = np.random.default_rng(0).integers(0, 3, (40, 64, 64)).astype(np.uint8)
write = write_segmentation if sys.argv[1].endswith(".seg.nrrd") else write_labels
try:
    write(labels, Volume(labels, np.eye(4)), sys.argv[1])
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
    from seru.volume import Volume
    from seru.volume_io import write_labels

    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    try:
        labels = np.random.default_rng(0).integers(0, 3, (160, 64, 64)).astype(np.uint8)
        with pytest.raises(BadInputError, match="The disk is full"):
            write_labels(labels, Volume(labels, np.eye(4)), tmp_path / "out.nii.gz")
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
    tmp_path: Path, ct: Path, random_model: Path
) -> None:
    arguments = ["segment", ct, "-o", tmp_path / "first.nii.gz", "--maps", tmp_path / "maps", "--model", random_model]
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
