"""The download of KiTS19, against a server in this process."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")

from seru.model.download import DownloadError
from training.cli import main
from training.download import Host, download_cases, is_whole_gzip
from training.steps import read_json

CONTENT = {
    "/images/case_00003.nii.gz": gzip.compress(bytes(range(256)) * 4000),
    "/labels/case_00003.nii.gz": gzip.compress(b"labels" * 1000),
    "/images/case_00004.nii.gz": b"<html>busy</html>",
    "/labels/case_00004.nii.gz": gzip.compress(b"labels"),
}


class Server(ThreadingHTTPServer):
    """Serves ``CONTENT`` with ranges; may break off, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.break_off_after: int | None = None
        self.told_sha256: str | None = None
        self.requests: list[tuple[str, str | None]] = []

    @property
    def host(self) -> Host:
        address = f"http://127.0.0.1:{self.server_port}"
        return Host(f"{address}/images/{{case}}.nii.gz", f"{address}/labels/{{case}}.nii.gz")


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(200)
        if self.server.told_sha256 and "images" in self.path:
            self.send_header("X-Linked-ETag", f'"{self.server.told_sha256}"')
        self.end_headers()

    def do_GET(self) -> None:
        content, wanted = CONTENT.get(self.path), self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        if content is None:
            self.send_error(404)
            return
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : self.server.break_off_after])
        self.server.break_off_after = None

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_download_that_breaks_off_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.break_off_after = 100
    labels = CONTENT["/labels/case_00003.nii.gz"]
    assert len(labels) < 100 < len(CONTENT["/images/case_00003.nii.gz"])
    download_cases(tmp_path, [3], server.host)
    server.break_off_after = 100
    (tmp_path / "case_00003" / "imaging.nii.gz").unlink()

    download_cases(tmp_path, [3], server.host)

    image = CONTENT["/images/case_00003.nii.gz"]
    assert (tmp_path / "case_00003" / "imaging.nii.gz").read_bytes() == image
    assert server.requests[-2:] == [("/images/case_00003.nii.gz", None), ("/images/case_00003.nii.gz", "bytes=100-")]
    assert read_json(tmp_path / "checksums.json")["case_00003/imaging.nii.gz"] == hashlib.sha256(image).hexdigest()


def test_whole_files_are_kept_and_damaged_ones_fetched_again(server: Server, tmp_path: Path) -> None:
    download_cases(tmp_path, [3], server.host)
    asked = len(server.requests)

    download_cases(tmp_path, [3], server.host)
    kept = len(server.requests) - asked
    (tmp_path / "case_00003" / "segmentation.nii.gz").write_bytes(b"damaged")
    download_cases(tmp_path, [3], server.host)

    assert kept == 0
    assert server.requests[asked:] == [("/labels/case_00003.nii.gz", None)]
    assert is_whole_gzip(tmp_path / "case_00003" / "segmentation.nii.gz")


def test_web_page_instead_of_a_volume_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="wrong file"):
        download_cases(tmp_path, [4], server.host)

    assert not (tmp_path / "case_00004" / "imaging.nii.gz").exists()
    assert (tmp_path / "case_00004" / "segmentation.nii.gz").exists()


def test_file_that_differs_from_the_hosts_checksum_is_refused(server: Server, tmp_path: Path) -> None:
    server.told_sha256 = "0" * 64

    with pytest.raises(DownloadError, match="checksum"):
        download_cases(tmp_path, [3], server.host)


def test_missing_case_is_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be reached"):
        download_cases(tmp_path, [5], server.host)


def test_licence_is_shown_first_and_must_be_agreed_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes"))

    code = main(["download", "-o", str(tmp_path / "data"), "--cases", "0-1"])

    printed = capsys.readouterr()
    assert code == 2
    assert "CC BY-NC-SA 4.0" in printed.out
    assert "--accept-licence" in printed.err
    assert not (tmp_path / "data").exists()


def test_cut_off_gzip_is_noticed(tmp_path: Path) -> None:
    whole = CONTENT["/images/case_00003.nii.gz"]
    path = tmp_path / "a.gz"

    found = []
    for content in (whole, whole[:-1], whole[:50] + b"x" + whole[51:], b"", whole + whole):
        path.write_bytes(content)
        found.append(is_whole_gzip(path))

    assert found == [True, False, False, False, True]
