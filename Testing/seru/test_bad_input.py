"""Every kind of unusable input: one sentence on stderr, its exit code, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import seru
from seru.errors import BadInputError
from Testing.seru.command_by_hand import files_of, make_random_model, run_command
from Testing.seru.image_files_by_hand import (
    itk_image,
    oblique,
    small_ct,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_nrrd,
)

PLAIN = [(0.8, 0, 0), (0, 0.8, 0), (0, 0, 2.5)]


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


def color(ending: str) -> Callable[[Path], Path]:
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
    "half of a pair": (text_file("ct.hdr"), "half of an Analyze or NIfTI pair"),
    "text as nifti": (text_file("ct.nii"), "is no NIfTI file"),
    "text as nifti gz": (text_file("ct.nii.gz"), "is no NIfTI file"),
    "text as nrrd": (text_file("ct.nrrd"), "is no NRRD file"),
    "text as metaimage": (text_file("ct.mha"), "is no MetaImage"),
    "nifti cut in the middle": (cut("ct.nii.gz", 0.5), "cut or damaged"),
    "nifti cut in the header": (cut("ct.nii.gz", 0.01), "cut or damaged"),
    "nifti cut at the end": (cut("ct.nii.gz", 1), "cut or damaged"),
    "plain nifti cut": (cut("ct.nii", 0.9), "cut or damaged"),
    "nifti with flipped bits": (flipped_bits, "cut or damaged"),
    "nrrd cut in the middle": (cut("ct.nrrd", 0.5), "cut or damaged"),
    "nrrd cut in the header": (cut("ct.nrrd", 0.005), "cut or damaged"),
    "nrrd cut at the end": (cut("ct.nrrd", 1), "cut or damaged"),
    "nhdr with cut voxels": (cut("ct.nhdr", 0.5), "cut or damaged"),
    "nhdr without voxels": (lost_voxel_file, "is missing"),
    "metaimage cut": (cut("ct.mha", 0.5), "cut or damaged"),
    "2D nifti": (two_dimensional(".nii.gz"), "2D image"),
    "2D nrrd": (two_dimensional(".nrrd"), "2D image"),
    "2D metaimage": (two_dimensional(".mha"), "2D image"),
    "color nifti": (color(".nii.gz"), "colors or vectors (3 numbers"),
    "color nrrd": (color(".nrrd"), "colors or vectors"),
    "color metaimage": (color(".mha"), "colors or vectors"),
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
    return make_random_model(tmp_path_factory.mktemp("models") / "random")


@pytest.mark.parametrize("case", INPUTS)
def test_unusable_input_is_one_sentence_and_leaves_nothing(
    case: str, tmp_path: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, expected = INPUTS[case]
    path = make(tmp_path)
    (tmp_path / "results").mkdir()
    before = files_of(tmp_path)

    code, line = run_command(
        capsys, "segment", path, "-o", tmp_path / "results/out.nii.gz", "--model", random_model,
        "--report", tmp_path / "results/out.json", "--maps", tmp_path / "results/maps",
    )  # fmt: skip

    assert expected in line
    assert code == 2
    assert line.endswith(".")
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("given", ["ct.nii.gz", Path("ct.nii.gz"), np.zeros((3, 4, 5), np.int16), None])
def test_what_is_no_volume_is_refused_before_a_model_is_loaded(given: object) -> None:
    with pytest.raises(BadInputError, match=r"read a file with seru\.read_volume"):
        seru.segment(given, "no-such-model")
