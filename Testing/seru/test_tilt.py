"""Series of a tilted gantry: set straight to find and measure, and everything written lies where the CT lies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from seru.cascade.batches import BatchRunner
from seru.cascade.cascade import Segmenter, SegmentResult
from seru.cascade.preprocessing import prepare, preprocess_slice
from seru.cli import main
from seru.cohort.finished import read_finished
from seru.cohort.outputs import Outputs, hash_labels, write_results
from seru.errors import BadInputError
from seru.grid import Grid, Lattice
from seru.io.images import read_file, read_volume, write_labels
from seru.io.label_maps import read_label_map
from seru.model.card import ModelCard
from seru.model.engines import Engine
from seru.model.store import Model, open_model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress, RunRecord
from seru.result.labelled import measure_labels
from seru.result.maps import load_maps
from seru.tilt import Tilt
from seru.volume import Volume
from Testing.seru.image_files_by_hand import RAS_OF_LPS, itk_matrix, small_ct
from training.scoring import dice

pytest.importorskip("pydicom")
from Testing.seru.dicom_by_hand import write_slices

SHAPE = (24, 48, 64)
# Half axes and centres in RAS mm: body, right kidney, left kidney, a tumor in the left one; and their HU.
BODY = (110, 80, 500), (0, 0, 0), 40
SHAPES = [((22, 18, 45), (45, -20, 0), 180), ((22, 18, 45), (-45, -20, 6), 180), ((11, 11, 14), (-50, -18, 10), 100)]
CARD = ModelCard("hand", "By hand", "Apache-2.0", "nothing", crop_size=32, clahe_clip_limit=0.0)


class Bright(Engine):
    """Sees kidney and tumor where they are, by how bright they are: of an answer that is known."""

    name = "torch"

    def __init__(self, model: Model, device: str) -> None:
        super().__init__(model, device)
        self.shown: list[np.ndarray] = []

    def predict(self, stage: str, images: np.ndarray) -> np.ndarray:
        if stage == "coarse":
            self.shown += list(images[:, 0])
        image = images[:, images.shape[1] // 2]
        kidney, tumor = image > 150, (image > 100) & (image <= 150)
        return np.stack([kidney, tumor], axis=1).astype(np.uint8) * 255

    def batch_size(self, shape_rc: tuple[int, int]) -> int:
        return 8

    def release(self, stage: str | None = None) -> None:
        pass


def lattice(degrees: float, about: str = "x", turned: str = "", shape: tuple[int, int, int] = SHAPE) -> Lattice:
    """Slices of a gantry that is tilted about x or y of LPS, while the table moves along z."""
    angle = np.radians(degrees)
    i, j = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    if about == "x":
        j = np.array([0, np.cos(angle), np.sin(angle)])
    else:
        i = np.array([np.cos(angle), 0, np.sin(angle)])
    lps = np.eye(4)
    lps[:3, :3] = np.column_stack([i * 4, j * 4, [0, 0, 6]])
    # Feet first the columns and the table run the other way, prone the rows and the columns.
    signs = {"": (1, 1, 1), "feet first": (-1, 1, -1), "prone": (-1, -1, 1)}[turned]
    lps[:3, :3] *= signs
    lps[:3, 3] = -lps[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Lattice(shape, RAS_OF_LPS @ lps)


def truth_and_ct(where: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """The labels and the HU at each voxel's own place."""
    k, j, i = np.indices(where.shape_kji).reshape(3, -1)
    ras = (where.ijk_to_ras @ np.stack([i, j, k, np.ones_like(i)]))[:3].T
    hu, labels = np.full(len(ras), -1000, np.int16), np.zeros(len(ras), np.uint8)
    for (half, centre, value), label in zip([BODY, *SHAPES], (0, 1, 1, 2), strict=True):
        inside = (((ras - centre) / half) ** 2).sum(axis=1) < 1
        hu[inside], labels[inside] = value, label
    return labels.reshape(where.shape_kji), hu.reshape(where.shape_kji)


def segmenter(tmp_path: Path) -> Segmenter:
    """The cascade with a network that sees what is bright."""
    model = Model(CARD, tmp_path)
    made = Segmenter(model, SegmentOptions(engine="torch", device="cpu"))
    made._runner = BatchRunner(model, made.options)
    made._runner.engine = Bright(model, "cpu")
    return made


def read_series(folder: Path, where: Lattice, hu: np.ndarray | None = None, edit: Callable | None = None) -> Volume:
    write_slices(folder, edit, truth_and_ct(where)[1] if hu is None else hu, where.ijk_to_ras)
    return read_volume(folder)


# By hand


def test_slices_are_moved_by_whole_pixels_and_back() -> None:
    matrix = np.eye(4)
    matrix[:3, 2] = 0, -1.4, 3  # of three slices the moves are 0, -1.4 and -2.8 rows
    tilt = Tilt.of(Lattice((3, 2, 1), matrix))
    slices = np.arange(1, 7, dtype=np.int16).reshape(3, 2, 1)

    straight = tilt.straighten(slices, -9)

    assert straight[..., 0].tolist() == [[-9, -9, -9, 1, 2], [-9, -9, 3, 4, -9], [5, 6, -9, -9, -9]]
    np.testing.assert_array_equal(tilt.slices_of(straight), slices)
    np.testing.assert_allclose(tilt.grid.ijk_to_ras, [[1, 0, 0, 0], [0, 1, 0, -3], [0, 0, 3, 0], [0, 0, 0, 1]])
    assert tilt.degrees == pytest.approx(np.degrees(np.arctan(1.4 / 3)))


@pytest.mark.parametrize("degrees", [-25, -10, 10, 25])
@pytest.mark.parametrize("about", ["x", "y"])
def test_every_voxel_lies_within_half_a_pixel_of_its_place(degrees: float, about: str) -> None:
    where = lattice(degrees, about)
    tilt = Tilt.of(where)

    for k, (j, i) in itertools.product(range(SHAPE[0]), [(0, 0), (47, 63), (20, 3)]):
        first_j, first_i = tilt.firsts_ji[k]
        apart = np.subtract(tilt.grid.ras_of_ijk((i + first_i, j + first_j, k)), where.ras_of_ijk((i, j, k)))
        assert np.abs(apart @ where.directions_ras[:, :2]).max() <= 2.001
        normal = tilt.grid.directions_ras[:, 2]
        assert apart @ normal == pytest.approx(0, abs=1e-6)
    # Voxels are as large as those of the slices: the volume of what three steps span.
    assert tilt.grid.voxel_ml == pytest.approx(abs(np.linalg.det(where.ijk_to_ras[:3, :3])) / 1000)
    assert tilt.degrees == pytest.approx(abs(degrees))


def test_a_matrix_of_32_bits_sets_the_same_slices_straight() -> None:
    matrix = np.eye(4)
    matrix[:3, 2] = 0, 0.5, 2  # every other slice lies half a row beside a pixel
    exact = Lattice((200, 64, 4), matrix)

    for noise in (1e-7, -1e-7):
        stored = exact.ijk_to_ras.copy()
        stored[1, 2] += noise
        np.testing.assert_array_equal(Tilt.of(Lattice((200, 64, 4), stored)).firsts_ji, Tilt.of(exact).firsts_ji)


def test_axes_that_are_no_tilt_are_refused() -> None:
    for column, vector in ((1, (0.2, 1, 0)), (2, (0, 2.1, 2))):
        matrix = np.eye(4)
        matrix[:3, column] = vector
        with pytest.raises(BadInputError, match="sheared by"):
            Lattice((2, 3, 4), matrix)


def test_slices_far_beside_each_other_are_refused_before_they_take_memory() -> None:
    matrix = np.diag([0.01, 0.01, 1.0, 1.0])
    matrix[1, 2] = 0.9

    with pytest.raises(BadInputError, match="up to 89910 pixels beside each other"):
        Tilt.of(Lattice((1000, 512, 512), matrix))


# The cascade


@pytest.mark.parametrize(
    ("degrees", "about", "turned"),
    [
        (0, "x", ""),
        *itertools.product((-25, 10), "xy", [""]),
        (25, "x", "feet first"),
        (-10, "y", "feet first"),
        (10, "x", "prone"),
    ],
)
def test_labels_lie_on_the_tilted_slices_where_the_truth_lies(
    tmp_path: Path, degrees: float, about: str, turned: str
) -> None:
    where = lattice(degrees, about, turned)
    truth, _ = truth_and_ct(where)

    volume = read_series(tmp_path / "ct", where)
    result = segmenter(tmp_path).segment(volume)

    np.testing.assert_allclose(volume.lattice.ijk_to_ras[:, :3], where_by_normal(where)[:, :3], atol=1e-4)
    if not np.allclose(volume.lattice.ijk_to_ras, where.ijk_to_ras, atol=1e-3):  # the table ran the other way
        truth = truth[::-1]
    np.testing.assert_array_equal(volume.on_slices(result.labels_kji), truth)
    # An ellipsoid of these half axes has 74.6 ml; its tumor of 7.1 ml is half in it.
    for side in (result.report.right, result.report.left):
        assert side.kidney_ml + side.tumor_ml == pytest.approx(75, rel=0.06)
    ml = abs(np.linalg.det(where.ijk_to_ras[:3, :3])) / 1000
    assert result.report.left.tumor_ml == pytest.approx(np.count_nonzero(truth == 2) * ml, abs=1e-3)
    (tumor,) = (finding for finding in result.report.findings if finding.kind == "tumor")
    np.testing.assert_allclose(tumor.centre_ras, SHAPES[2][1], atol=2.5)
    assert tumor.longest_3d_mm == pytest.approx(28, abs=6)
    told = [text for text in result.report.warnings if "gantry" in text]
    assert len(told) == (degrees != 0)


def where_by_normal(where: Lattice) -> np.ndarray:
    """The matrix of a series is that of its slices, ordered along their normal."""
    matrix = where.ijk_to_lps.copy()
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    matrix[:3, 2] *= np.sign(matrix[:3, 2] @ normal)
    return RAS_OF_LPS @ matrix


def test_a_tilted_series_of_sagittal_images_is_segmented_too(tmp_path: Path) -> None:
    matrix = np.eye(4)
    # i to the back, j to the feet, k to the left and somewhat to the feet.
    matrix[:3, :3] = np.column_stack([[0, -4, 0], [0, 0, -4], [-6, 0, -1.5]])
    matrix[:3, 3] = -matrix[:3, :3] @ ((np.array([48, 40, 40]) - 1) / 2)
    where = Lattice((40, 40, 48), matrix)

    volume = read_series(tmp_path / "ct", where)
    result = segmenter(tmp_path).segment(volume)

    assert volume.tilt is not None
    truth = truth_and_ct(volume.lattice)[0]
    np.testing.assert_array_equal(volume.on_slices(result.labels_kji), truth)


def test_the_tiny_network_does_as_well_as_on_perpendicular_slices_of_the_same_directions(tiny_model: Path) -> None:
    made = Segmenter(open_model(tiny_model), SegmentOptions(engine="torch", device="cpu"))
    phantom = make_phantom(PhantomOptions(shape_kji=(48, 96, 96), spacing_kji_mm=(6.0, 4.0, 4.0), seed=3))
    tilted = lattice(12, shape=(30, 96, 96)).ijk_to_ras.copy()
    tilted[:3, 3] += phantom.volume.grid.ras_of_ijk((np.array([96, 96, 48]) - 1) / 2)
    perpendicular = tilted.copy()
    normal = np.cross(tilted[:3, 0], tilted[:3, 1]) / 16
    perpendicular[:3, 2] = normal * (normal @ tilted[:3, 2])
    perpendicular[:3, 3] += (tilted[:3, 2] - perpendicular[:3, 2]) * 29 / 2

    found = []
    for matrix in (tilted, perpendicular):
        where = Lattice((30, 96, 96), matrix).simplest()
        hu, truth = sampled(phantom.volume.array_kji, phantom, where, 1), sampled(phantom.labels_kji, phantom, where, 0)
        volume = Volume.of_slices(hu, where, {})
        labels = volume.on_slices(made.segment(volume).labels_kji)
        found.append(dice(labels > 0, truth > 0))

    assert found[0] > max(0.9, found[1] - 0.02)


def sampled(array: np.ndarray, phantom: Any, where: Lattice, order: int) -> np.ndarray:
    from scipy import ndimage

    to_ijk = np.linalg.inv(phantom.volume.grid.ijk_to_ras) @ where.ijk_to_ras
    swap = [2, 1, 0]
    matrix, offset = to_ijk[:3, :3][swap][:, swap], to_ijk[:3, 3][swap]
    return ndimage.affine_transform(array, matrix, offset, where.shape_kji, order=order, cval=float(array.min()))


def test_the_coarse_network_sees_each_slice_as_it_was_taken(tmp_path: Path) -> None:
    where = lattice(25)
    _, hu = truth_and_ct(where)
    made = segmenter(tmp_path).with_options(SegmentOptions(engine="torch", device="cpu", all_slices=True))

    made.segment(Volume.of_slices(hu, where, {}))

    shown = made.ready().engine.shown
    assert len(shown) == len(hu)
    for image, plane in zip(shown, hu, strict=True):
        np.testing.assert_array_equal(image, preprocess_slice(plane, CARD))


def test_the_histogram_of_a_slice_is_its_own_and_its_neighbours_lie_over_it() -> None:
    card = replace(CARD, clahe_clip_limit=2.0, input_slices=3)
    where = lattice(25)
    _, hu = truth_and_ct(where)
    stack = AxialStack.of(Volume.of_slices(hu, where, {}))

    prepared = prepare(stack, card)

    for index in (0, 11, 23):
        # The stack is from feet to head, as the series is.
        own = preprocess_slice(hu[index], card)
        np.testing.assert_array_equal(prepared.channels(index)[1][prepared.window(index)], own)
    # Its neighbours lie over it where they are.
    np.testing.assert_array_equal(prepared.channels(11)[0][prepared.window(10)], preprocess_slice(hu[10], card))
    assert prepared.window(10) != prepared.window(11)


def test_what_reaches_the_edge_of_its_own_slice_is_cut() -> None:
    # Moves of 0, 1 and 2 rows: the slices end at rows 4, 5 and 6 of the grid's seven.
    matrix = np.diag([10.0, 10, 30, 1])
    matrix[1, 2] = 10
    tilt = Tilt.of(Lattice((3, 5, 6), matrix))
    cut = {}
    for name, rows, columns in (("above", 1, 2), ("inside", 2, 2), ("below", 5, 2), ("right", 3, 0), ("left", 3, 5)):
        labels = np.zeros(tilt.grid.shape_kji, np.uint8)
        labels[1, rows, columns] = 1
        (finding,) = measure_labels(labels, tilt.grid, None, tilt).findings
        cut[name] = finding.cut_by_edge

    assert cut == {"above": True, "inside": False, "below": True, "right": True, "left": True}


# What is written


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Volume, SegmentResult, Segmenter]:
    """A tilted series with its results: labels in every format, maps and report."""
    folder = tmp_path_factory.mktemp("tilted")
    volume = read_series(folder / "ct", lattice(-20))
    volume = replace(volume, source={**volume.source, "sha256": volume.sha256()})
    made = segmenter(folder)
    result = made.segment(volume)
    names = ("x.nii.gz", "x.nrrd", "x.mha", "x.seg.nrrd")
    outputs = Outputs(
        folder / names[0], folder / "x.json", folder / "maps", further=tuple(folder / name for name in names[1:])
    )
    write_results(outputs, volume, result, Progress())
    return folder, volume, result, made


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nrrd", "x.mha", "x.seg.nrrd"])
def test_labels_in_a_file_lie_where_the_slices_lie(case: Any, name: str) -> None:
    folder, volume, _, _ = case

    read = read_file(folder / name)

    np.testing.assert_allclose(read.lattice.ijk_to_ras, volume.lattice.ijk_to_ras, atol=1e-4)
    np.testing.assert_array_equal(read.on_slices(read.array_kji), truth_and_ct(volume.lattice)[0])


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha"])
def test_itk_has_them_there_too(case: Any, name: str) -> None:
    folder, volume, _, _ = case

    image = sitk.ReadImage(str(folder / name))

    np.testing.assert_allclose(itk_matrix(image), volume.lattice.ijk_to_ras, atol=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), truth_and_ct(volume.lattice)[0])


def test_a_nifti_file_has_no_rotation_that_would_put_the_slices_elsewhere(case: Any) -> None:
    folder, *_ = case

    # ITK, and so Slicer, takes no oblique slices from NIfTI: it says so, where a rotation would be a wrong place.
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(folder / "x.nii.gz"))
    with pytest.raises(BadInputError, match=r"sheared by 20\.00 degrees"):
        read_volume(folder / "x.nii.gz")


def test_maps_give_the_same_labels_at_another_alpha(case: Any, tmp_path: Path) -> None:
    folder, volume, _, _ = case

    assert main(["fuse", str(folder / "maps"), "-o", str(tmp_path / "y.nrrd"), "--alpha", "0.1"]) == 0

    read = read_file(tmp_path / "y.nrrd")
    np.testing.assert_array_equal(read.on_slices(read.array_kji), truth_and_ct(volume.lattice)[0])
    np.testing.assert_allclose(read.lattice.ijk_to_ras, volume.lattice.ijk_to_ras, atol=1e-4)
    maps, _ = load_maps(folder / "maps")
    assert maps.tilt is not None
    np.testing.assert_array_equal(maps.tilt.firsts_ji, volume.tilt.firsts_ji)


def test_a_finished_case_is_known_again_and_an_edited_one_too(case: Any, tmp_path: Path) -> None:
    folder, volume, _, made = case
    outputs, record = Outputs(folder / "x.nii.gz", folder / "x.json"), RunRecord(Progress())

    report = read_finished(volume, outputs, made, record)

    assert report is not None
    assert not record.warnings
    read = read_file(folder / "x.nii.gz")
    assert report.labels_sha256 == hash_labels(read.on_slices(read.array_kji).astype(np.uint8))
    edited = read.array_kji.copy()
    edited[np.nonzero(edited)] = 1
    write_labels(edited, volume, tmp_path / "x.nii.gz")
    report = read_finished(volume, replace(outputs, output=tmp_path / "x.nii.gz"), made, record)
    assert report is not None
    assert "no longer as they were written" in record.warnings[0]


@pytest.mark.parametrize("name", ["x.nii.gz", "x.seg.nrrd"])
@pytest.mark.parametrize("has_ct", [True, False])
def test_labels_on_tilted_slices_are_measured_as_the_run_did(case: Any, name: str, has_ct: bool) -> None:
    folder, volume, result, _ = case

    labels = read_label_map(folder / name, ct=volume if has_ct else None)

    np.testing.assert_array_equal(labels.labels_kji, result.labels_kji)
    assert labels.grid.is_close(volume.grid)
    assert labels.volume().lattice.is_close(volume.lattice)
    told = [text for text in labels.warnings if "lie obliquely on each other, by 20.0 degrees" in text]
    assert len(told) == (not has_ct)


def test_labels_on_other_slices_are_refused(case: Any, tmp_path: Path) -> None:
    folder, *_ = case
    other = read_series(tmp_path / "ct", lattice(-19))

    with pytest.raises(BadInputError, match="do not lie on the CT's grid"):
        read_label_map(folder / "x.nrrd", ct=other)


@pytest.mark.parametrize(("degrees", "about"), [(-25.0, "x"), (10.0, "y")])
def test_a_dicom_segmentation_lies_on_the_tilted_images(tmp_path: Path, degrees: float, about: str) -> None:
    pytest.importorskip("highdicom", reason="highdicom is not installed")
    from Testing.seru.dicom_seg_by_hand import places_by_the_ct, places_of, written

    volume = read_series(tmp_path / "ct", lattice(degrees, about))
    truth = truth_and_ct(volume.lattice)[0]

    made = written(volume, truth, tmp_path / "x.seg.dcm")

    assert places_of(made) == places_by_the_ct(volume, truth)
    (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    # Slices are apart along their normal; that they are a volume is not said of them.
    assert "SpacingBetweenSlices" not in measures
    assert float(measures.SliceThickness) == pytest.approx(6 * np.cos(np.radians(degrees)))
    for ct in (volume, None):
        labels = read_label_map(tmp_path / "x.seg.dcm", ct=ct)
        slices = labels.volume().on_slices(labels.labels_kji)
        shown = slices[np.flatnonzero(slices.any(axis=(1, 2)))]
        np.testing.assert_array_equal(shown, truth[np.flatnonzero(truth.any(axis=(1, 2)))])
        assert labels.grid.voxel_ml == pytest.approx(volume.grid.voxel_ml)


# What the headers say


def notes(folder: Path, degrees: float, edit: Callable) -> list[str]:
    where = lattice(degrees, shape=(6, 32, 40))
    return list(read_series(folder, where, small_ct(), edit).notes)


def test_labels_that_were_measured_have_dicom_results_on_the_tilted_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("highdicom")
    ct = read_series(tmp_path / "ct", lattice(20))
    labels = np.select([ct.array_kji > 150, ct.array_kji > 90], [1, 2], 0).astype(np.uint8)
    write_labels(labels, ct, tmp_path / "labels.nii.gz")
    paths = tmp_path / "x.seg.dcm", tmp_path / "x.sr.dcm"

    given = ["--ct", str(tmp_path / "ct"), "-o", str(paths[0]), "-o", str(paths[1]), "--made-by", "manual"]
    assert main(["measure", str(tmp_path / "labels.nii.gz"), *given, "--progress", "none"]) == 0

    # 6 mm from slice to slice at 20 degrees.
    assert "lay the DICOM segmentation wrong by 2.1 mm more with each slice" in capsys.readouterr().err
    np.testing.assert_array_equal(read_label_map(paths[0], None, None, ct).labels_kji, labels)
    assert paths[1].is_file()


def test_the_tilt_is_told_in_a_sentence(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, 15.5, lambda data, k: setattr(data, "GantryDetectorTilt", "-15.5"))

    assert note.startswith("The gantry was tilted by 15.5 degrees, so the slices lie obliquely on each other;")
    assert note.endswith("labels are written on the slices as they are.")


@pytest.mark.parametrize(("degrees", "said"), [(0, "15.5"), (20, "10")])
def test_a_header_of_another_tilt_than_the_positions_is_told_of(tmp_path: Path, degrees: float, said: str) -> None:
    found = notes(tmp_path, degrees, lambda data, k: setattr(data, "GantryDetectorTilt", said))

    expected = f"gantry tilt of {float(said):.1f} degrees and the positions of the slices of {degrees:.1f}"
    assert expected in found[-1]


def test_the_distance_of_slices_may_be_that_of_the_table(tmp_path: Path) -> None:
    for n, distance in enumerate((6.0, 6 * np.cos(np.radians(30)))):
        found = notes(tmp_path / str(n), 30, lambda data, k: setattr(data, "SpacingBetweenSlices", f"{distance:.4f}"))  # noqa: B023
        assert len(found) == 1

    assert len(notes(tmp_path / "other", 30, lambda data, k: setattr(data, "SpacingBetweenSlices", "12"))) == 2


def test_a_straight_series_stays_as_it_is(tmp_path: Path) -> None:
    volume = read_series(tmp_path / "ct", lattice(0))

    assert volume.tilt is None
    assert isinstance(volume.lattice, Grid)
    assert volume.lattice is volume.grid
