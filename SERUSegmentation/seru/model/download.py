"""Downloads of one file: checked while they come in, gone on with where they broke off, whole or not there at all."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seru.errors import SeruError
from seru.files import PART, write_failure

Meter = Callable[[int, int], None]
"""Called with bytes done and bytes in all, 0 where the server does not say."""

_BLOCK = 1 << 20
_MOST_BYTES = 1 << 34
# A server has this long to answer, and in each such time brings so many bytes: slower ones would never end.
_PATIENCE_S = 30.0
_LEAST_BYTES = 1 << 17
_TRIES = 3
_NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError)


class DownloadError(SeruError):
    """A file could not be downloaded, or is not the one that was expected."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    check: Callable[[Path], bool] | None = None,
    on_progress: Meter | None = None,
) -> str:
    """Download a file; what an earlier try left beside it is continued.

    Args:
        url: where from.
        path: where to, in a folder that exists; it appears once it is whole and its checksum agrees.
        sha256: of the file, 64 hexadecimal digits; None where it is not known.
        size: of the file in bytes; None where it is not known.
        check: looks at the whole file before it counts.
        on_progress: may raise to stop the download.

    Returns:
        The file's SHA-256.

    Raises:
        DownloadError: the server cannot be reached or gave a wrong file, or the file cannot be written.
    """
    part = path.with_name(path.name + PART)
    try:
        found = _receive_patiently(url, part, size, on_progress)
        came = part.stat().st_size
        if found != (sha256 or found) or came != (size or came) or not (check is None or check(part)):
            part.unlink()
            raise DownloadError(f"{url} gave a wrong file (its size or checksum differs); try again later.")
        os.replace(part, path)
    except OSError as error:
        raise DownloadError(write_failure(path, error)) from error
    return found


def _receive_patiently(url: str, part: Path, size: int | None, on_progress: Meter | None) -> str:
    attempt = 1
    while True:
        before = _size_of(part)
        try:
            return _receive(url, part, size, on_progress)
        except _NETWORK_ERRORS as error:
            reason = getattr(error, "reason", error)
            is_slow = isinstance(reason, TimeoutError) and _size_of(part) - before < _LEAST_BYTES
            is_final = is_slow or getattr(error, "code", 500) < 500 or isinstance(reason, ConnectionRefusedError)
            if is_final or attempt == _TRIES:
                sentence = f"{url} cannot be reached ({_one_line(reason)}); check the network and try again."
                raise DownloadError(sentence) from error
        time.sleep(attempt)
        attempt += 1


def _receive(url: str, part: Path, size: int | None, on_progress: Meter | None) -> str:
    """Receive what the part lacks; return the SHA-256 of all of it."""
    digest, done = hashlib.sha256(), 0
    if part.exists():
        with open(part, "rb") as file:
            digest, done = hashlib.file_digest(file, "sha256"), part.stat().st_size
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = _open(request)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and done:  # nothing is left to send
            return digest.hexdigest()
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            digest, done = hashlib.sha256(), 0
        coming = response.headers.get("Content-Length") or ""
        total = size or (done + int(coming) if coming.isdecimal() else 0)
        pace = _Pace()
        with open(part, "ab" if done else "wb") as file:
            # One byte too many tells a file that is longer than it should be.
            while block := response.read1(min(_BLOCK, (size or _MOST_BYTES) + 1 - done)):
                file.write(block)
                digest.update(block)
                done += len(block)
                pace.check(len(block))
                if on_progress:
                    on_progress(done, total)
            file.flush()
            os.fsync(file.fileno())
    if total > done:
        raise ConnectionError(f"only {done} of {total} bytes came")
    return digest.hexdigest()


class _Pace:
    """Ends a download that drips: its socket never waits for long, yet the file would never be whole."""

    def __init__(self) -> None:
        self._since, self._bytes = time.monotonic(), 0

    def check(self, came: int) -> None:
        self._bytes += came
        if time.monotonic() - self._since > _PATIENCE_S:
            if self._bytes < _LEAST_BYTES:
                raise TimeoutError(f"only {self._bytes} bytes came in {_PATIENCE_S:.0f} seconds")
            self._since, self._bytes = time.monotonic(), 0


class _NoWayDown(urllib.request.HTTPRedirectHandler):
    """Follows a server to another address, but from https to nothing else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https:" if req.type == "https" else ("http:", "https:")):
            raise urllib.error.HTTPError(newurl, code, "the server points to a place that is not safe", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request) -> Any:
    """Open an address in time: looking a name up knows no timeout, and headers may drip too."""
    opened: list[Any] = []

    def open_url() -> None:
        try:
            opened.append(urllib.request.build_opener(_NoWayDown).open(request, timeout=_PATIENCE_S))
        except Exception as error:
            opened.append(error)

    thread = threading.Thread(target=open_url, name="seru-download", daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if not opened:
        raise TimeoutError(f"no answer in {_PATIENCE_S:.0f} seconds")
    if isinstance(opened[0], Exception):
        raise opened[0]
    return opened[0]


def _one_line(reason: object) -> str:
    """A reason on one line; a server's own words colour no terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(reason)).split())


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
