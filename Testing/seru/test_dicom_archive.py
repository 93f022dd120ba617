"""DICOM results through a real archive: Orthanc on this computer's own loopback, by HTTP and by DICOM's network."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seru.io.dicom_files import FolderFile
from Testing.seru.dicom_seg_by_hand import SHAPE, places_by_the_ct, places_of, read_series, some_labels, written
from Testing.seru.image_files_by_hand import oblique
from Testing.seru.test_dicom_sr import items, number
from Testing.seru.test_dicom_sr import written as written_report

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")
_ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Archive:
    """Asks Orthanc over HTTP.

    Attributes:
        dicom_port: where it listens for DICOM's own protocol.
    """

    def __init__(self, port: int, dicom_port: int) -> None:
        self.dicom_port = dicom_port
        self._address = f"http://127.0.0.1:{port}"
        # No proxy stands between this computer and itself.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path: str, data: bytes | None = None) -> bytes:
        with self._opener.open(self._address + path, data, timeout=20) as answer:
            return bytes(answer.read())

    def find(self, **query: str) -> list[Any]:
        asked = {"Level": "Instance", "Query": query, "Expand": True}
        return list(json.loads(self.ask("/tools/find", json.dumps(asked).encode())))

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            try:
                self.ask("/system")
                return
            except OSError:
                time.sleep(0.1)
        pytest.fail("Orthanc did not start")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    if _ORTHANC is None:
        pytest.skip("Orthanc is not installed")
    port, dicom_port = free_port(), free_port()
    settings = {
        "HttpPort": port,
        "DicomServerEnabled": True,
        "DicomPort": dicom_port,
        "DicomAlwaysAllowStore": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(tmp_path / "archive"),
        "IndexDirectory": str(tmp_path / "archive"),
    }
    file = tmp_path / "orthanc.json"
    file.write_text(json.dumps(settings))
    command = [_ORTHANC, str(file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            found = Archive(port, dicom_port)
            found.wait(process)
            yield found
        finally:
            process.terminate()


def test_what_an_archive_gives_back_lies_where_the_ct_lies(tmp_path: Path, archive: Archive) -> None:
    volume = read_series(tmp_path / "ct", oblique())
    sent = written(volume, some_labels(), tmp_path / "x.seg.dcm")

    for file in (*volume.slice_files, FolderFile(tmp_path / "x.seg.dcm")):
        archive.ask("/instances", file.open().read())
    (found,) = archive.find(Modality="SEG", StudyInstanceUID=sent.StudyInstanceUID)
    fetched = pydicom.dcmread(io.BytesIO(archive.ask(f"/instances/{found['ID']}/file")))

    assert found["MainDicomTags"]["SOPInstanceUID"] == sent.SOPInstanceUID
    assert places_of(fetched) == places_by_the_ct(volume, some_labels())
    assert fetched.PixelData == sent.PixelData
    # Archive, CT and segmentation agree on study and patient: all lie in one study.
    assert len(json.loads(archive.ask("/studies"))) == 1
    assert len(archive.find(Modality="CT")) == SHAPE[0]


def test_a_report_comes_back_over_dicom_s_network_with_what_it_refers_to(tmp_path: Path, archive: Archive) -> None:
    if (sender := shutil.which("storescu")) is None:
        pytest.skip("storescu of DCMTK is not installed")
    sent, segmentation, findings = written_report(tmp_path)
    files = [*map(str, sorted((tmp_path / "ct").iterdir())), str(tmp_path / "x.seg.dcm"), str(tmp_path / "x.sr.dcm")]

    command = [sender, "-R", "127.0.0.1", str(archive.dicom_port), *files]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (found,) = archive.find(Modality="SR", StudyInstanceUID=sent.StudyInstanceUID)
    fetched = pydicom.dcmread(io.BytesIO(archive.ask(f"/instances/{found['ID']}/file")))

    groups = items(fetched, "Measurement Group")
    assert [number(group, "Volume") for group in groups] == [(finding.volume_ml, "mL") for finding in findings]
    (reference,) = items(groups[0], "Referenced Segment")[0].ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
    assert len(archive.find(SOPInstanceUID=str(reference.ReferencedSOPInstanceUID))) == 1
    assert len(archive.find(StudyInstanceUID=sent.StudyInstanceUID)) == len(files)
    assert len(json.loads(archive.ask("/studies"))) == 1
