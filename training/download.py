"""The 210 KiTS19 cases: labels from the challenge's repository, imaging from its present host."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from seru.errors import BadInputError
from seru.model.download import download
from training.steps import file_digest, read_json, write_json

LICENCE = """KiTS19 (Heller et al., The KiTS19 Challenge Data, arXiv:1904.00445) is licensed CC BY-NC-SA 4.0:
you must name its authors, may not use it commercially, and must share what you make of it, trained weights
included, under the same licence. https://creativecommons.org/licenses/by-nc-sa/4.0/"""
CASES = 210
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Host:
    """Where the files lie; ``{case}`` stands for case_xxxxx."""

    imaging: str = "https://huggingface.co/datasets/neheller/KiTS-Challenge-Imaging/resolve/main/images/{case}.nii.gz"
    labels: str = "https://github.com/neheller/kits19/raw/master/data/{case}/segmentation.nii.gz"


def agree_to_licence(accepted: bool) -> None:
    """Show the licence and ask, unless it was agreed to on the command line.

    Args:
        accepted: whether ``--accept-licence`` was given.

    Raises:
        BadInputError: nobody agreed.
    """
    print(LICENCE, flush=True)
    if accepted:
        return
    if not sys.stdin.isatty() or input("Do you agree? Type yes: ").strip().lower() != "yes":
        raise BadInputError("The licence was not agreed to; give --accept-licence once you have read it.")


def download_cases(folder: Path, numbers: list[int], host: Host | None = None) -> None:
    """Download cases; what is there and whole is kept, what broke off is continued.

    The SHA-256 of every file is written to ``checksums.json`` and checked when the command runs again. What the host
    tells of a file's SHA-256 is checked too, and every file must be a whole gzip stream.

    Args:
        folder: gets ``case_xxxxx/imaging.nii.gz`` and ``segmentation.nii.gz``.
        numbers: of the cases, 0 to 209.
        host: None takes the present ones.

    Raises:
        DownloadError: a host cannot be reached, or gave a wrong file.
    """
    host = host or Host()
    table = folder / "checksums.json"
    folder.mkdir(parents=True, exist_ok=True)
    checksums: dict[str, str] = read_json(table) or {}
    wanted = [
        (f"case_{number:05d}", name, url)
        for number in numbers
        for name, url in (("segmentation.nii.gz", host.labels), ("imaging.nii.gz", host.imaging))
    ]
    with tqdm(wanted, "download", unit="file", disable=None) as bar:
        for case, name, url in bar:
            bar.set_postfix_str(f"{case}/{name}")
            path, key = folder / case / name, f"{case}/{name}"
            if path.is_file() and file_digest(path) == checksums.get(key):
                continue
            path.parent.mkdir(exist_ok=True)
            address = url.format(case=case)
            checksums[key] = download(address, path, sha256=_published_sha256(address), check=is_whole_gzip)
            write_json(table, checksums)


def is_whole_gzip(path: Path) -> bool:
    """Tell whether a file is a complete gzip stream whose checksum agrees."""
    stream = zlib.decompressobj(wbits=31)
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                while block:
                    stream.decompress(block)
                    block = stream.unused_data
                    if block:
                        stream = zlib.decompressobj(wbits=31)
    except zlib.error:
        return False
    return stream.eof


def _published_sha256(url: str) -> str | None:
    """Return what the host says of a file's SHA-256 (``X-Linked-ETag`` of large files), if it does."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: object) -> None:
            return None

    request = urllib.request.Request(url, method="HEAD")
    try:
        headers = urllib.request.build_opener(_Stay).open(request, timeout=60).headers
    except urllib.error.HTTPError as answer:
        headers = answer.headers
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None
    etag = (headers.get("X-Linked-ETag") or "").strip('"')
    return etag if len(etag) == 64 else None
