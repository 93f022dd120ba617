"""Downloads that go on where they stopped and are checked before they count."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from seru.errors import BadInputError

_BLOCK = 1 << 20


def fetch_file(
    url: str,
    path: Path,
    is_right: Callable[[Path], bool],
    on_progress: Callable[[int, int], None] | None = None,
    tries: int = 3,
) -> None:
    """Download a file; what an earlier run left behind is continued.

    Args:
        url: where from.
        path: where to; it appears once it is whole and right.
        is_right: checks the whole file.
        on_progress: called with bytes done and bytes in all (0 where the server does not say).
        tries: how often to connect.

    Raises:
        BadInputError: the server cannot be reached, or gave a wrong file.
    """
    part = path.with_name(path.name + ".part")
    for number in range(1, tries + 1):
        try:
            _continue_download(url, part, on_progress)
            break
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            if number == tries or getattr(error, "code", 0) in (401, 403, 404):
                raise BadInputError(f"{url} cannot be reached ({reason}); check the network and try again.") from error
            time.sleep(number)
    if not is_right(part):
        part.unlink()
        raise BadInputError(f"{url} gave a wrong file (its checksum differs or it is cut off); try again later.")
    os.replace(part, path)


def _continue_download(url: str, part: Path, on_progress: Callable[[int, int], None] | None) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing is left to send
            return
        raise
    with response:
        continues = response.status == 206
        done = done if continues else 0
        total = done + int(response.headers.get("Content-Length") or 0)
        with open(part, "ab" if continues else "wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                if on_progress:
                    on_progress(done, total)
            file.flush()
            os.fsync(file.fileno())
    if total > done:
        raise ConnectionError(f"only {done} of {total} bytes came")
