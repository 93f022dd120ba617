"""A DICOM segmentation through a real archive: Orthanc on this computer's own loopback."""

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

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")
_ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Archive:
    """Asks Orthanc over HTTP."""

    def __init__(self, port: int) -> None:
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
    port = free_port()
    settings = {
        "HttpPort": port,
        "DicomServerEnabled": False,
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
            found = Archive(port)
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
