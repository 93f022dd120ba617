"""DICOM results under the eyes of tools that nobody here wrote: dciodvfy of dicom3tools and the readers of dcmqi."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.files import replacing
from seru.io.dicom_seg import write_dicom_seg
from seru.io.dicom_source import SourceHeaders
from seru.options import SegType
from Testing.seru.dicom_by_hand import MATRIX
from Testing.seru.dicom_seg_by_hand import ALGORITHM, SHAPE, read_series, some_labels
from Testing.seru.image_files_by_hand import RAS_OF_LPS, oblique
from Testing.seru.programs import run_program

pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")


def tilted() -> np.ndarray:
    matrix = oblique()
    matrix[:3, 2] += 0.7 * matrix[:3, 1]
    return matrix


MATRICES = {"straight": MATRIX, "oblique": oblique(), "tilted": tilted()}


def written(folder: Path, matrix: np.ndarray, seg_type: SegType) -> Path:
    """A segmentation of a small CT."""
    volume, path = read_series(folder / "ct", matrix), folder / "x.seg.dcm"
    probabilities = None
    if seg_type == "fractional":
        probabilities = some_labels() * np.uint8(100), some_labels() * np.uint8(50)
    headers = SourceHeaders.read(volume.slice_files)
    write_dicom_seg(some_labels(), volume.lattice, headers, ALGORITHM, seg_type, path, replacing, probabilities)
    return path


@pytest.mark.parametrize("seg_type", ["binary", "labelmap", "fractional"])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_dciodvfy_finds_no_error_in_a_segmentation(tmp_path: Path, matrix: np.ndarray, seg_type: SegType) -> None:
    said = run_program("dciodvfy", "dicom3tools", "-new", written(tmp_path, matrix, seg_type))

    assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_dciodvfy_finds_no_error_in_a_report(tmp_path: Path) -> None:
    from Testing.seru.test_dicom_sr import written as write_report

    write_report(tmp_path)

    said = run_program("dciodvfy", "dicom3tools", "-new", tmp_path / "x.sr.dcm")

    assert [line for line in said.splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("seg_type", ["binary", "labelmap"])
@pytest.mark.parametrize("name", ["straight", "oblique"])
def test_dcmqi_has_the_voxels_where_the_ct_has_them(tmp_path: Path, name: str, seg_type: SegType) -> None:
    image = read_by_dcmqi(written(tmp_path, MATRICES[name], seg_type))

    assert image is not None
    found = sitk.GetArrayFromImage(image)
    assert found.shape == (2, *SHAPE[1:])  # planes that show nothing are left out
    for label in (1, 2):
        # dcmqi may order the planes the other way.
        assert places_in(image, label) == wanted_places(MATRICES[name], label)


def test_dcmqi_lays_tilted_slices_elsewhere_which_the_command_warns_of(tmp_path: Path) -> None:
    matrix = tilted()

    image = read_by_dcmqi(written(tmp_path, matrix, "binary"))

    # Once this fails, the warning may go.
    assert image is None or places_in(image, 1) != wanted_places(matrix, 1)


def read_by_dcmqi(path: Path) -> sitk.Image | None:
    """What dcmqi makes of a segmentation; None where it refuses it."""
    folder = path.parent / "out"
    folder.mkdir()
    given = ["--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd", "--mergeSegments"]
    run_program("segimage2itkimage", "dcmqi", *given)
    return sitk.ReadImage(str(folder / "1.nrrd")) if (folder / "1.nrrd").exists() else None


def places_in(image: sitk.Image, label: int) -> set[tuple[float, ...]]:
    """Where an image has a label, in LPS mm."""
    return {
        tuple(np.round(image.TransformIndexToPhysicalPoint(tuple(map(int, index[::-1]))), 1) + 0.0)
        for index in np.argwhere(sitk.GetArrayFromImage(image) == label)
    }


def wanted_places(matrix: np.ndarray, label: int) -> set[tuple[float, ...]]:
    """Where the labels have it."""
    lps = RAS_OF_LPS @ matrix
    return {tuple(np.round((lps @ [i, j, k, 1])[:3], 1) + 0.0) for k, j, i in np.argwhere(some_labels() == label)}
