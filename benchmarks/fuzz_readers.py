"""Fuzzing of the image readers: valid files are damaged at random, and read in child processes that may die.

    python -m benchmarks.fuzz_readers --minutes 30
    python -m benchmarks.fuzz_readers --minutes 2 --format .nrrd --seed 7

Printed for each format: inputs tried, how many were read, refused or took an unexpected error, crashes (the process
died), hangs (no answer in time), wrong without a word (other voxels than the undamaged file's, though what was damaged
is under a checksum, which DICOM has none of), and the peak of memory. Inputs that did not end well are kept in
``--keep``; another format joins in ``FORMATS``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.fuzz_dicom import dicom_inputs
from Testing.seru.dicom_by_hand import write_slices
from Testing.seru.image_files_by_hand import small_ct, write_metaimage, write_nifti, write_nifti_2, write_nrrd

_MEMORY = 3 << 30
_SECONDS = 20.0
_BATCH = 500
_NUMBERS = (b"0", b"-1", b"1e30", b"nan", b"inf", b"9" * 25, b"30000", b"1 2 3", b"", b"(1,2,3)", b"none", b"%d", b"\0")
_LINES = (
    b"byte skip: -1", b"line skip: 9", b"data file: ct.raw", b"data file: LIST", b"encoding: bzip2", b"encoding: hex",
    b"kinds: list domain domain", b"space units: \"cm\" \"cm\" \"cm\"", b"HeaderSize = -1", b"CompressedData = True",
    b"CompressedDataSize = 5", b"ElementDataFile = LIST", b"NDims = 4", b"BinaryData = False", b"Position = 1 2 3",
)  # fmt: skip


@dataclass(frozen=True)
class Valid:
    """An undamaged file.

    Attributes:
        data: its bytes.
        checked_from: first byte under a checksum; damage from there on must be found, or do nothing.
    """

    data: bytes
    checked_from: int


def _nifti(folder: Path) -> list[Valid]:
    matrix = np.diag([-0.8, -0.8, 2.5, 1.0])
    plain = [write_nifti(folder / "x.nii", small_ct(), matrix), write_nifti_2(folder / "y.nii", small_ct(), matrix)]
    return [Valid(path.read_bytes(), path.stat().st_size) for path in plain]


def _nifti_gz(folder: Path) -> list[Valid]:
    return [Valid(write_nifti(folder / "x.nii.gz", small_ct(), np.diag([-0.8, -0.8, 2.5, 1.0])).read_bytes(), 10)]


def _nrrd(folder: Path) -> list[Valid]:
    found = []
    for encoding in ("gzip", "raw"):
        data = write_nrrd(folder / "x.nrrd", small_ct(), np.diag([0.8, 0.8, 2.5]).tolist(), encoding).read_bytes()
        found.append(Valid(data, data.index(b"\n\n") + 12 if encoding == "gzip" else len(data)))
    text = found[1].data.partition(b"\n\n")[0].replace(b"encoding: raw", b"encoding: ascii")
    return [*found, Valid(text + b"\n\n" + " ".join(map(str, small_ct().ravel().tolist())).encode(), 1 << 60)]


def _metaimage(folder: Path) -> list[Valid]:
    plain = write_metaimage(folder / "x.mha", small_ct(), (0.8, 0.8, 2.5)).read_bytes()
    at = plain.index(b"LOCAL\n") + 6
    packed = zlib.compress(plain[at:])
    keys = b"CompressedData = True\nCompressedDataSize = %d\nElementDataFile" % len(packed)
    header = plain[:at].replace(b"ElementDataFile", keys)
    return [Valid(plain, len(plain)), Valid(header + packed, len(header))]


def _zip(folder: Path) -> list[Valid]:
    found = []
    slices = write_slices(folder / "ct")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(folder / "x.zip", "w", method) as made:
            for path in slices:
                made.write(path, path.name)
        # Names and kinds of files are under no checksum.
        found.append(Valid((folder / "x.zip").read_bytes(), 1 << 60))
    return found


# A folder of slices.
DICOM = "dicom"
FORMATS: dict[str, Callable[[Path], list[Valid]]] = {
    ".nii": _nifti,
    ".nii.gz": _nifti_gz,
    ".nrrd": _nrrd,
    ".mha": _metaimage,
    ".zip": _zip,
}


def damaged(valid: Valid, source: random.Random) -> tuple[bytes, bool]:
    """Damage a file; tell whether only bytes under a checksum were touched."""
    data = bytearray(valid.data)
    lowest = len(data)
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        # Half of the damage goes into the header, most of which is short.
        place = source.randrange(len(data) if source.random() < 0.5 else min(len(data), 600))
        lowest = min(lowest, place)
        _DAMAGES[source.randrange(len(_DAMAGES))](data, place, source)
        if not data:
            break
    return bytes(data), lowest >= valid.checked_from


def _flip(data: bytearray, place: int, source: random.Random) -> None:
    data[place] ^= 1 << source.randrange(8)


def _cut(data: bytearray, place: int, source: random.Random) -> None:
    del data[place:]


def _drop(data: bytearray, place: int, source: random.Random) -> None:
    del data[place : place + source.choice((1, 2, 16, 300))]


def _insert(data: bytearray, place: int, source: random.Random) -> None:
    data[place:place] = source.randbytes(source.choice((1, 2, 16, 300)))


def _add(data: bytearray, place: int, source: random.Random) -> None:
    data += source.choice((bytes(1), bytes(512), bytes(1 << 17), source.randbytes(20), bytes(data[place:])))


def _change_number(data: bytearray, place: int, source: random.Random) -> None:
    digits = [n for n in range(place, min(place + 200, len(data))) if data[n : n + 1].isdigit()]
    if digits:
        data[digits[0] : digits[0] + source.choice((1, 3))] = source.choice(_NUMBERS)


def _change_word(data: bytearray, place: int, source: random.Random) -> None:
    data[place : place + 4] = source.randbytes(4)


def _insert_line(data: bytearray, place: int, source: random.Random) -> None:
    at = data.find(b"\n", place) + 1
    data[at:at] = source.choice(_LINES) + b"\n"


_DAMAGES = (_flip, _cut, _drop, _insert, _add, _change_number, _change_word, _insert_line)


@cache
def _valid(ending: str) -> list[Valid]:
    with tempfile.TemporaryDirectory() as folder:
        return FORMATS[ending](Path(folder))


def _made(ending: str, seed: int, folder: Path) -> tuple[Path, bool]:
    """Write a damaged file or series; tell whether only bytes under a checksum were touched."""
    if ending == DICOM:
        series = folder / DICOM
        shutil.rmtree(series, ignore_errors=True)
        series.mkdir()
        return dicom_inputs(np.random.default_rng(seed), series), False
    source = random.Random(seed)
    data, is_checked = damaged(source.choice(_valid(ending)), source)
    path = folder / f"ct{ending}"
    path.write_bytes(data)
    return path, is_checked


def child(ending: str, first: int) -> None:
    """Read damaged files, and print before and after each: what a parent needs if this process dies."""
    from seru.errors import BadInputError
    from seru.io.images import read_volume

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + _BATCH):
            path, is_checked = _made(ending, seed, Path(folder))
            _say(seed=seed)
            try:
                volume = read_volume(path)
                right = np.array_equal(volume.array_kji, small_ct())
                outcome = "read" if right or volume.notes or not is_checked else "wrong without a word"
            except BadInputError as error:
                outcome = "refused" if "\n" not in str(error) else "several lines"
            except Exception as error:
                outcome = f"unexpected {type(error).__name__}"
            _say(outcome=outcome, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)


@dataclass
class Tally:
    """What came of the inputs of one format."""

    outcomes: Counter[str] = field(default_factory=Counter)
    peak_mb: int = 0


def fuzz(ending: str, seed: int, until: float, keep: Path) -> Tally:
    """Read damaged files of a format until a moment.

    Args:
        ending: of the format.
        seed: of the first input; the others count on.
        until: moment to stop, of ``time.monotonic``.
        keep: folder for the inputs that did not end well.

    Returns:
        What came of them.
    """
    tally = Tally()
    while time.monotonic() < until:
        for last, outcome in _batch(ending, seed, until, tally):
            tally.outcomes[outcome] += 1
            seed = last + 1
            if outcome not in ("read", "refused"):
                kept = keep / str(last)
                kept.mkdir(parents=True, exist_ok=True)
                _made(ending, last, kept)
                print(f"{ending} seed {last}: {outcome}", flush=True)
    return tally


def _batch(ending: str, first: int, until: float, tally: Tally) -> Iterator[tuple[int, str]]:
    """Yield seeds and what came of them, up to the end of a child process, however it came."""
    command = [sys.executable, "-m", "benchmarks.fuzz_readers", "--child", str(first), "--format", ending]
    seed: int | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0) as process:
        assert process.stdout is not None
        while select.select([process.stdout], [], [], _SECONDS)[0] and (line := process.stdout.readline()):
            told = json.loads(line)
            if "seed" in told:
                seed = told["seed"]
            elif seed is not None:
                tally.peak_mb = max(tally.peak_mb, told["peak_mb"])
                yield seed, told["outcome"]
                seed = None
            if seed is None and time.monotonic() > until:
                process.kill()
                return
        is_hanging = process.poll() is None and bool(seed is not None)
        process.kill()
        code = process.wait()
    if seed is not None:
        yield seed, "hang" if is_hanging and code < 0 else f"crash {code}"


def main() -> None:
    """Fuzz the formats in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="for each format")
    parser.add_argument("--format", choices=[*FORMATS, DICOM], action="append", help="may be repeated; else all")
    parser.add_argument("--seed", type=int, default=0, help="of the first input")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder for what did not end well")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    endings = arguments.format or [*FORMATS, DICOM]
    if arguments.child is not None:
        child(endings[0], arguments.child)
        os._exit(0)
    for ending in endings:
        tally = fuzz(ending, arguments.seed, time.monotonic() + 60 * arguments.minutes, arguments.keep)
        told = ", ".join(f"{count} {outcome}" for outcome, count in tally.outcomes.most_common())
        print(f"{ending}: {tally.outcomes.total()} inputs: {told}; peak {tally.peak_mb} MB", flush=True)


if __name__ == "__main__":
    main()
