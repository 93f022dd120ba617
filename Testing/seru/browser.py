"""A real Chromium for tests: driven through a pipe, so nothing listens and nothing is installed."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_LONGEST_S = 60.0
_KEYS = {"ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Escape": 27, "Tab": 9}


class Browser:
    """One page of a running Chromium.

    Attributes:
        complaints: what the page wrote to its console, and errors that nobody caught.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.complaints: list[str] = []
        self._to, self._from = to_browser, from_browser
        self._received = b""
        self._number = 0
        self._session: str | None = None
        self._is_loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol; return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, path: Path, before: str = "") -> None:
        """Load a file and wait until it is there, its script done.

        Args:
            path: of the file.
            before: a script to run before those of the page.
        """
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self._is_loaded = False
        self.call("Page.navigate", url=path.absolute().as_uri())
        while not self._is_loaded:
            self._next()

    def value(self, expression: str) -> Any:
        """Return the JSON-ready value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            text = {} if key in _KEYS else {"text": key}
            code = _KEYS.get(key, ord(key[0].upper()))
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def write(self, text: str) -> None:
        """Write a text where the focus is."""
        self.call("Input.insertText", text=text)

    def picture(self, path: Path, is_dark: bool = False, width: int = 1400, height: int = 1000) -> None:
        """Take a picture of what is in the window."""
        scheme = "dark" if is_dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        path.write_bytes(b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            assert select.select([self._from], [], [], _LONGEST_S)[0], "Chromium does not answer"
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium has ended"
            self._received += part
        text, self._received = self._received.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        method = message.get("method")
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(message["params"]))
        self._is_loaded |= method == "Page.loadEventFired"
        return message


@contextmanager
def running_browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium and end it.

    Args:
        profile: folder for what it keeps.

    Yields:
        Its page.
    """
    assert CHROMIUM is not None
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    arguments = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-dev-shm-usage", "--disable-extensions", "--disable-component-update",
        f"--user-data-dir={profile}", "--remote-debugging-pipe",
    ]  # fmt: skip
    # It reads from 3 and writes to 4.
    shell = f'exec "$0" "$@" 3<&{in_read} 4>&{out_write}'
    process = subprocess.Popen(
        ["bash", "-c", shell, CHROMIUM, *arguments], pass_fds=(in_read, out_write), stderr=subprocess.DEVNULL
    )
    os.close(in_read)
    os.close(out_write)
    try:
        browser = Browser(in_write, out_read)
        yield browser
        browser._session = None
        browser.call("Browser.close")
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(in_write)
        os.close(out_read)


def wait_for_file(path: Path) -> bytes:
    """Return the content of a file that the browser is about to write."""
    end = time.monotonic() + _LONGEST_S
    while not path.exists():
        assert time.monotonic() < end, f"{path} was not written"
        time.sleep(0.02)
    return path.read_bytes()
