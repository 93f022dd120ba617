"""Downloads from servers that behave badly: each ends in one sentence, and nothing half-written stays."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import socketserver
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seru.errors import ModelError
from seru.model import download as module
from seru.model.download import download
from seru.model.registry import ListedFile, RegistryEntry
from seru.model.store import fetch_model

CONTENT = bytes(range(256)) * 40
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
Answer = Callable[["Server"], object]


class Server(socketserver.StreamRequestHandler):
    """Reads a request, then does what the test says."""

    answer: Answer

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        with contextlib.suppress(OSError):  # the client has had enough
            type(self).answer(self)

    def send(self, content: bytes) -> None:
        self.wfile.write(content)

    def drip(self, content: Iterator[bytes]) -> None:
        for byte in content:
            self.send(byte)
            if stop.wait(0.02):
                return


stop = threading.Event()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], str]]:
    """Starts a server; its address is returned."""
    monkeypatch.setattr(module, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    stop.clear()
    servers = []

    def start(answer: Answer) -> str:
        handler = type("Handler", (Server,), {"answer": staticmethod(answer)})
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/file"

    yield start
    stop.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_whole_file_arrives(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    url = serve(lambda server: server.send(OK % len(CONTENT) + CONTENT))

    assert download(url, tmp_path / "file", size=len(CONTENT)) == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(list(tmp_path.iterdir())) == 1


def test_a_part_is_gone_on_with_after_the_connection_broke(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    half = len(CONTENT) // 2
    answers = iter([OK % len(CONTENT) + CONTENT[:half], b"HTTP/1.1 206 Partial Content\r\n\r\n" + CONTENT[half:]])
    url = serve(lambda server: server.send(next(answers)))

    download(url, tmp_path / "file", size=len(CONTENT))

    assert (tmp_path / "file").read_bytes() == CONTENT


def says(content: bytes) -> Answer:
    return lambda server: server.send(content)


def drips(first: bytes) -> Answer:
    return lambda server: server.drip(itertools.chain([first], itertools.repeat(b"x")))


def falls_silent_after(first: bytes) -> Answer:
    return lambda server: (server.send(first), stop.wait())


def points_to(place: bytes) -> Answer:
    return says(b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\n\r\n")


def never_ends(server: Server) -> None:
    server.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stop.is_set():
        server.send(CONTENT)


ANSWERS: dict[str, tuple[Answer, str]] = {
    "drips its content": (drips(OK % len(CONTENT)), "only"),
    "drips its headers": (drips(b"HTTP/1.1 200 OK\r\nX: "), "no answer"),
    "never answers": (falls_silent_after(b""), "no answer|timed out"),
    "stops after the headers": (falls_silent_after(OK % 99), "timed out"),
    "closes at once": (says(b""), "cannot be reached"),
    "sends more": (says(OK % 99_999_999 + CONTENT * 20), "wrong file"),
    "sends without end": (never_ends, "wrong file"),
    "sends less": (says(OK % 10 + CONTENT[:10]), "only 10 of 10240 bytes came"),
    "sends another file": (says(OK % len(CONTENT) + CONTENT[::-1]), "wrong file"),
    "says a length that is none": (says(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc"), "only 3 of"),
    "points to a file": (points_to(b"file:///etc/hostname"), "not allowed"),
    "points to ftp": (points_to(b"ftp://127.0.0.1/x"), "not safe"),
    "points to itself": (points_to(b"/file"), "cannot be reached"),
    "does not know the file": (says(b"HTTP/1.1 404 Not Found\r\n\r\n"), "Not Found"),
    "colours the terminal": (says(b"HTTP/1.1 404 \x1b[31mred\r\n\r\n"), "red"),
    "speaks no HTTP": (says(b"220 ftp ready\r\n"), "cannot be reached"),
}


@pytest.mark.parametrize("behaviour", ANSWERS)
def test_a_server_that_behaves_badly_is_one_sentence_and_leaves_no_model(
    behaviour: str, serve: Callable[[Answer], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, reason = ANSWERS[behaviour]
    monkeypatch.setattr("seru.model.store.cache_folder", lambda: tmp_path / "models")
    file = ListedFile(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))

    with pytest.raises(ModelError, match=reason) as raised:
        fetch_model(RegistryEntry("far", "Far", "none", serve(answer), file, {"model.json": file}))

    assert str(raised.value).isprintable()
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize("target", ["http://example.org/x", "file:///x", "ftp://example.org/x"])
def test_https_leads_to_https_alone(target: str) -> None:
    request = urllib.request.Request("https://example.org/file")

    with pytest.raises(urllib.error.HTTPError, match="not safe"):
        module._NoWayDown().redirect_request(request, None, 302, "Found", {}, target)
    assert module._NoWayDown().redirect_request(request, None, 302, "Found", {}, "https://example.org/x") is not None
