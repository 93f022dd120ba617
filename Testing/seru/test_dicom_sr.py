"""DICOM structured reports: the measures of each finding, on its own segment and its own images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cli import main
from seru.cohort.dicom_outputs import DicomChoice, check_dicom
from seru.errors import BadInputError
from seru.files import replacing
from seru.findings import Finding, KeySlice
from seru.grid import Grid
from seru.io.dicom_seg import write_dicom_seg
from seru.io.dicom_source import SourceHeaders
from seru.io.dicom_sr import write_dicom_sr
from seru.io.images import read_volume
from seru.io.label_maps import read_label_map
from seru.result.components import bounding_box
from seru.result.facts import geometry_facts
from seru.result.finding_segments import segments_of_findings
from seru.result.gated import Component
from seru.result.measurements import Field, Measured, measure
from seru.volume import Volume
from Testing.reports import NOTHING, make_report
from Testing.seru.dicom_by_hand import MATRIX, write_slices
from Testing.seru.dicom_seg_by_hand import ALGORITHM, SHAPE, read_series
from Testing.seru.image_files_by_hand import small_ct, write_nifti

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")


def some_labels() -> np.ndarray:
    """A left kidney of four voxels, a tumor of two, and a speck of tumor that is not listed."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 1, 1:4], labels[2, 1, 1] = 1, 1
    labels[2, 3, 3:5] = 2
    labels[3, 4, 0] = 2
    return labels


def some_findings(volume: Volume) -> list[Measured]:
    """The kidney and the tumor, with a confidence each, and a candidate."""
    labels = some_labels()
    components = []
    for kind, is_shown, confidence in (("kidney", labels == 1, 0.91), ("tumor", labels == 2, 0.625)):
        is_shown[3] = False
        box = bounding_box(is_shown)
        assert box is not None
        components.append(_component(kind, confidence, box, is_shown[box]))
    candidate = replace(components[1], status="candidate", box=(slice(0, 1),) * 3, voxels=np.ones((1, 1, 1), bool))
    return list(measure([*components, candidate], Field(volume.grid, (0, 0, 0), labels)))


def _component(kind: Any, confidence: float, box: Any, voxels: np.ndarray) -> Component:
    return Component(kind, "left", "believed", confidence, box, voxels)


def written(folder: Path, matrix: np.ndarray | None = None) -> tuple[Any, Any, list[Finding]]:
    """The report and the segmentation of a small CT, read by pydicom, and the findings in them."""

    def anonymous(data: Any, k: int) -> None:
        data.PatientID, data.PatientName, data.PatientIdentityRemoved = "anon-7", "Anon^A", "YES"
        data.DeidentificationMethod, data.InstitutionName = "by hand", "Somewhere"

    volume = read_series(folder / "ct", *(() if matrix is None else (matrix,)), edit=anonymous)
    measured = some_findings(volume)
    numbers, segments = segments_of_findings(some_labels(), (0, 0, 0), measured)
    key = KeySlice(1, (0.0, 0.0, 0.0), 1.0)
    report = make_report(
        volume.grid,
        geometry=geometry_facts(volume.grid),
        findings=tuple(one.finding for one in measured),
        left=replace(NOTHING, present=True, key_slice=key),
    )
    headers = SourceHeaders.read(volume.slice_files)
    paths = folder / "x.seg.dcm", folder / "x.sr.dcm"
    made = write_dicom_seg(numbers, volume.grid, headers, ALGORITHM, "binary", paths[0], replacing, segments=segments)
    write_dicom_sr(report, volume.grid, headers, ALGORITHM, made, paths[1], replacing)
    seg, sr = map(pydicom.dcmread, paths)
    return sr, seg, [finding for finding in report.findings if finding.is_counted]


def items(node: Any, meaning: str) -> list[Any]:
    """The content items of a name, at any depth."""
    found = []
    for item in getattr(node, "ContentSequence", ()):
        name = getattr(item, "ConceptNameCodeSequence", None)
        found += [item] if name and name[0].CodeMeaning == meaning else []
        found += items(item, meaning)
    return found


def number(group: Any, meaning: str) -> tuple[float, str]:
    """A measured value and its unit."""
    (item,) = items(group, meaning)
    (value,) = item.MeasuredValueSequence
    return float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue


def test_each_finding_in_the_labels_has_its_measures(tmp_path: Path) -> None:
    sr, _, findings = written(tmp_path)

    groups = items(sr, "Measurement Group")
    assert sr.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert [finding.kind for finding in findings] == ["kidney", "tumor"]
    for group, finding in zip(groups, findings, strict=True):
        assert number(group, "Volume") == (finding.volume_ml, "mL")
        assert number(group, "Long Axis") == (finding.longest.mm, "mm")
        assert number(group, "Short Axis") == (finding.across.mm, "mm")
        assert number(group, "Certainty of Finding") == (100 * (finding.confidence or 0), "%")
        (site,) = items(group, "Finding Site")
        assert site.ConceptCodeSequence[0].CodeValue == "64033007"
        assert items(site, "Laterality")[0].ConceptCodeSequence[0].CodeMeaning == "Left"
    assert [items(group, "Finding")[0].ConceptCodeSequence[0].CodeMeaning for group in groups] == ["Kidney", "Neoplasm"]


def test_each_finding_refers_to_a_segment_of_its_voxels_alone(tmp_path: Path) -> None:
    sr, seg, _ = written(tmp_path)

    voxels: dict[int, int] = {}
    for frame, facts in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True):
        segment = facts.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        voxels[segment] = voxels.get(segment, 0) + int(frame.sum())
    assert voxels == {1: 4, 2: 2, 3: 1}
    names = [item.SegmentLabel for item in seg.SegmentSequence]
    assert names == ["Left kidney", "Left tumor 1", "Tumor, too small to be listed"]
    for place, group in enumerate(items(sr, "Measurement Group")):
        (reference,) = items(group, "Referenced Segment")[0].ReferencedSOPSequence
        segment = seg.SegmentSequence[place]
        assert reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert reference.ReferencedSegmentNumber == segment.SegmentNumber
        assert segment.TrackingUID == items(group, "Tracking Unique Identifier")[0].UID
    kidney, tumor, _ = seg.SegmentSequence
    (kind,), (region,) = kidney.SegmentedPropertyTypeCodeSequence, tumor.AnatomicRegionSequence
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert region.AnatomicRegionModifierSequence[0].CodeMeaning == "Left"


def test_more_findings_than_a_byte_counts_have_a_segment_each() -> None:
    labels = np.zeros((1, 2, 520), np.uint8)
    labels[0, 0, ::2] = 1
    one = np.ones((1, 1, 1), bool)
    components = [
        Component("kidney", "left", "believed", 0.9, (slice(0, 1), slice(0, 1), slice(i, i + 1)), one)
        for i in range(0, 520, 2)
    ]
    measured = measure(components, Field(Grid(labels.shape, np.eye(4)), (0, 0, 0), labels))

    numbers, terms = segments_of_findings(labels, (0, 0, 0), measured)

    assert numbers[0, 0, ::2].tolist() == [term.label for term in terms] == list(range(1, 261))


@pytest.mark.parametrize(
    ("made_by", "way", "program"),
    [("manual", "MANUAL", None), ("semiautomatic: 3D Slicer 5.10", "SEMIAUTOMATIC", "3D Slicer 5.10")],
)
def test_labels_that_were_measured_have_both_which_say_who_made_them_and_what_is_cut(
    tmp_path: Path, made_by: str, way: str, program: str | None
) -> None:
    array = small_ct((20, 32, 40))
    labels = np.zeros_like(array, np.uint8)
    labels[:12, 8:20, 4:16], labels[6:10, 10:14, 6:10] = 1, 2
    write_slices(tmp_path / "ct", None, array)
    label_file = write_nifti(tmp_path / "labels.nii.gz", labels, MATRIX)
    paths = tmp_path / "x.seg.dcm", tmp_path / "x.sr.dcm"

    given = ["--ct", str(tmp_path / "ct"), "-o", str(paths[0]), "-o", str(paths[1]), "--progress", "none"]
    assert main(["measure", str(label_file), *given, "--made-by", made_by]) == 0

    seg, sr = map(pydicom.dcmread, paths)
    segments = {s.SegmentLabel: (s.SegmentAlgorithmType, s.get("SegmentAlgorithmName")) for s in seg.SegmentSequence}
    assert segments == {"Right kidney": (way, program), "Right tumor 1": (way, program)}
    volumes = [number(group, "Volume") for group in items(sr, "Measurement Group")]
    # Of 0.8 x 0.9 x 2.5 mm; the tumor is no part of the kidney's volume.
    assert volumes == [(pytest.approx((12**3 - 4**3) * 0.0018), "mL"), (pytest.approx(4**3 * 0.0018), "mL")]
    cut = [items(group, "Cut by the scan's edge: measures are at least") for group in items(sr, "Measurement Group")]
    assert [[item.ConceptCodeSequence[0].CodeMeaning for item in said] for said in cut] == [["Yes"], []]
    assert items(sr, "Certainty of Finding") == items(sr, "Algorithm Parameters") == []
    assert read_label_map(paths[0], None, None, read_volume(tmp_path / "ct")).labels_kji.tolist() == labels.tolist()


def test_diameters_refer_to_their_image_and_the_key_slice_is_in_the_library(tmp_path: Path) -> None:
    sr, _, findings = written(tmp_path)

    images = {(data := pydicom.dcmread(path)).SOPInstanceUID: data for path in (tmp_path / "ct").iterdir()}
    for group, finding in zip(items(sr, "Measurement Group"), findings, strict=True):
        for axis in ("Long Axis", "Short Axis"):
            (reference,) = [item for item in items(group, axis)[0].ContentSequence if item.ValueType == "IMAGE"]
            image = images[reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID]
            assert float(image.ImagePositionPatient[2]) == pytest.approx(finding.longest.start_ras[2], abs=1e-3)
    (library,) = items(sr, "Image Library")
    (shown,) = [
        item for group in library.ContentSequence for item in group.ContentSequence if item.ValueType == "IMAGE"
    ]
    ordered = sorted(images.values(), key=lambda image: float(image.ImagePositionPatient[2]))
    assert shown.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == ordered[1].SOPInstanceUID


def test_patient_and_study_are_the_ct_s_and_nothing_else(tmp_path: Path) -> None:
    sr, _, _ = written(tmp_path)

    ct = pydicom.dcmread(next((tmp_path / "ct").iterdir()))
    assert (sr.PatientID, sr.PatientName, sr.PatientIdentityRemoved) == ("anon-7", "Anon^A", "YES")
    assert (sr.StudyInstanceUID, sr.Modality, sr.VerificationFlag) == (ct.StudyInstanceUID, "SR", "UNVERIFIED")
    assert "InstitutionName" not in sr


def test_sagittal_images_have_measures_without_lines(tmp_path: Path) -> None:
    sagittal = np.array([[0, 0, -1.0, 9], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])

    sr, _, findings = written(tmp_path, sagittal)

    assert len(items(sr, "Long Axis")) == len(findings) == 2
    assert "Image Library" not in [item.ConceptNameCodeSequence[0].CodeMeaning for item in sr.ContentSequence]


def test_a_report_without_its_segmentation_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_slices(tmp_path / "ct")

    code = main(["segment", str(tmp_path / "ct"), "-o", str(tmp_path / "x.sr.dcm"), "--progress", "none"])

    said = "seru: 'x.sr.dcm' refers to segments of a DICOM segmentation; give that too: -o x.seg.dcm.\n"
    assert (code, capsys.readouterr().err) == (2, said)


def test_probabilities_are_of_no_finding(tmp_path: Path) -> None:
    volume, path = read_series(tmp_path / "ct"), tmp_path / "x.seg.dcm"

    with pytest.raises(BadInputError, match="needs a segment for each finding, and --seg-type fractional has none"):
        check_dicom([path], volume, DicomChoice("1", "fractional", seg_findings=True))
    check_dicom([path], volume, DicomChoice("1", "binary", seg_findings=True))


@pytest.mark.parametrize(("seg_type", "code"), [("binary", 0), ("fractional", 2)])
def test_the_command_writes_both_or_none(tmp_path: Path, tiny_model: Path, seg_type: str, code: int) -> None:
    write_slices(tmp_path / "ct")
    paths = [tmp_path / "x.sr.dcm", tmp_path / "x.seg.dcm"]

    ended = main(
        ["segment", str(tmp_path / "ct"), "-o", str(paths[0]), "-o", str(paths[1]), "--seg-type", seg_type,
         "--model", str(tiny_model), "--threads", "1", "--progress", "none"]
    )  # fmt: skip

    assert ended == code
    assert [path.is_file() for path in paths] == [code == 0] * 2
    if code == 0:  # of a scan without kidneys
        groups = items(pydicom.dcmread(paths[0]), "Measurement Group")
        assert [number(group, "Volume") for group in groups] == [(0.0, "mL")] * 2
