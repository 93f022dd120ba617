"""The readers under attack: random valid files as ITK reads them, damaged ones refused, bombs within bounds.

Long runs of the same kind are in ``benchmarks/fuzz_readers.py``.
"""

from __future__ import annotations

import bz2
import gzip
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seru.errors import BadInputError, CancelledError
from seru.io.images import read_volume
from Testing.seru.image_files_by_hand import (
    RAS_OF_LPS,
    itk_image,
    itk_matrix,
    small_ct,
    write_metaimage,
    write_nifti,
    write_nrrd,
)

# A file a try: the time is the disk's, and a failure is made smaller from its parts.
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TYPES = ("uint8", "int16", "int32", "float32", "float64", "int8", "uint16")
SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=5)
PLACES = st.floats(-2000, 2000, width=32)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Voxels that every reader keeps as they are, of any type."""
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    values = st.integers(0, 100) if dtype.kind == "u" else st.integers(-100, 100)
    return draw(hnp.arrays(np.int16, draw(SHAPES), elements=values)).astype(dtype)


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """IJK to LPS: any axes, oblique ones too, any size, any place."""
    quaternion = np.array(draw(st.tuples(*[st.integers(-3, 3)] * 4).filter(any)), np.float64)
    a, b, c, d = quaternion / np.linalg.norm(quaternion)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    matrix = np.eye(4)
    spacing = np.array(draw(st.tuples(*[st.floats(0.1, 10)] * 3)))
    matrix[:3, :3] = rotation * (1, 1, draw(st.sampled_from([1, -1]))) * spacing
    matrix[:3, 3] = draw(st.tuples(PLACES, PLACES, PLACES))
    return matrix


@QUICK
@given(
    array=arrays(),
    lps=matrices(),
    ending=st.sampled_from([".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]),
    is_compressed=st.booleans(),
)
def test_whatever_itk_writes_is_read_where_it_was(
    array: np.ndarray, lps: np.ndarray, ending: str, is_compressed: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"ct{ending}"
        sitk.WriteImage(itk_image(array, RAS_OF_LPS @ lps), str(path), useCompression=is_compressed)

        volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, array)
    # NIfTI stores 32 bits.
    np.testing.assert_allclose(volume.grid.ijk_to_ras, RAS_OF_LPS @ lps, atol=2e-3 if ".nii" in ending else 1e-9)
    assert volume.notes == ()


# ITK's reader lacks bzip2.
ENCODERS = {"raw": bytes, "gzip": lambda data: gzip.compress(data, 1), "hex": lambda data: data.hex(" ", 7).encode()}


@QUICK
@given(array=arrays(), lps=matrices(), encoding=st.sampled_from(sorted(ENCODERS)), is_big=st.booleans(), data=st.data())
def test_nrrd_in_any_encoding_is_read_as_itk_reads_it(
    array: np.ndarray, lps: np.ndarray, encoding: str, is_big: bool, data: st.DataObject
) -> None:
    space = data.draw(st.sampled_from(["LPS", "RAS", "left-anterior-superior"]))
    signs = {"LPS": (1, 1, 1, 1), "RAS": (-1, -1, 1, 1)}.get(space, (1, -1, 1, 1))
    vectors = ["(" + ",".join(map(repr, column.tolist())) + ")" for column in (np.diag(signs) @ lps)[:3].T]
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    skip = data.draw(st.integers(0, 9))
    lines = [
        "NRRD0005",
        f"type: {array.dtype.name.replace('float32', 'float').replace('float64', 'double')}",
        "dimension: 3",
        f"space: {space}",
        f"sizes: {' '.join(map(str, array.shape[::-1]))}",
        f"space directions: {' '.join(vectors[:3])}",
        f"space origin: {vectors[3]}",
        f"endian: {'big' if is_big else 'little'}",
        f"encoding: {encoding}",
        f"byte skip: {0 if encoding == 'hex' else skip}",
        "a key:=and: its value",
    ]
    voxels = array.astype(array.dtype.newbyteorder(">" if is_big else "<")).tobytes()
    body = ENCODERS[encoding](b"" if encoding == "hex" else b"x" * skip + voxels) or ENCODERS[encoding](voxels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ct.nrrd"
        path.write_bytes((end.join(lines) + end + end).encode() + body)

        volume, image = read_volume(path), sitk.ReadImage(str(path))

    np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-9)


def valid_files(folder: Path) -> dict[str, bytes]:
    """A small file of each format, its voxels compressed where the format can."""
    values = small_ct((3, 8, 8))
    mha = write_metaimage(folder / "x.mha", values).read_bytes()
    at = mha.index(b"ElementDataFile = LOCAL\n") + 24
    packed = mha[:at].replace(b"BinaryData = True", b"BinaryData = True\nCompressedData = True")
    nrrd = write_nrrd(folder / "x.nrrd", values, np.diag([0.8, 0.8, 2.5]).tolist())
    return {
        ".nii": write_nifti(folder / "x.nii", values, np.diag([-1.0, -1.0, 2.0, 1.0])).read_bytes(),
        ".nii.gz": write_nifti(folder / "x.nii.gz", values, np.diag([-1.0, -1.0, 2.0, 1.0])).read_bytes(),
        ".nrrd": nrrd.read_bytes(),
        ".mha": packed + zlib.compress(mha[at:]),
    }


def sentence_of(path: Path) -> str:
    """What a file is refused with; empty where it is read."""
    try:
        read_volume(path)
    except BadInputError as error:
        return str(error)
    return ""


@QUICK
@given(ending=st.sampled_from([".nii", ".nii.gz", ".nrrd", ".mha"]), data=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_sentence(ending: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        damaged = bytearray(valid_files(Path(folder))[ending])
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(damaged)))
            stop = start + data.draw(st.integers(0, 8))
            damaged[start:stop] = data.draw(st.binary(max_size=8) | st.sampled_from([b"nan", b"-1", b"9" * 25, b"%d"]))
        path = Path(folder) / f"ct{ending}"
        path.write_bytes(damaged)

        sentence = sentence_of(path)

    assert sentence == "" or (sentence.endswith(".") and "\n" not in sentence)


def nrrd_header(sizes: str, encoding: str, kind: str = "uchar") -> bytes:
    return (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: LPS\nsizes: {sizes}\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        f"endian: little\nencoding: {encoding}\n\n"
    ).encode()


BLOCK = bytes(1 << 24)
GZIP, BZIP2 = gzip.compress(BLOCK, 1), bz2.compress(BLOCK)
BOMBS = {
    "promises what no stream holds": nrrd_header("10000 10000 1000", "gzip") + GZIP,
    "is shorter than it promises": nrrd_header("4096 4096 17", "gzip") + GZIP * 16,
    "goes on for gigabytes": nrrd_header("1000 1000 10", "gzip") + GZIP * 300,
    "one slice of a gigabyte": nrrd_header("30000 30000 1", "gzip") + GZIP * 54,
    "goes on for gigabytes in bzip2": nrrd_header("1000 1000 10", "bzip2") + BZIP2 * 300,
    "skips gigabytes": nrrd_header("8 8 8", "gzip").replace(b"\n\n", b"\nbyte skip: 2400000000\n\n") + GZIP * 150,
    "raw that is not there": nrrd_header("11000 11000 1100", "raw", "double") + b"0" * 300,
    "text that is not there": nrrd_header("1000 1000 1000", "ascii", "double") + b"0 " * 300,
}
_READ_ALL = """
import resource, sys
sys.path[:0] = sys.argv[2:]
import pathlib, numpy, seru.io.images
from seru.errors import BadInputError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        seru.io.images.read_volume(path)
        print("READ", path.name)
    except BadInputError as error:
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_a_small_file_takes_little_memory_whatever_it_promises(tmp_path: Path) -> None:
    for name, data in BOMBS.items():
        (tmp_path / f"{name}.nrrd").write_bytes(data)

    done = subprocess.run(
        [sys.executable, "-c", _READ_ALL, tmp_path, *filter(None, sys.path)],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(BOMBS)
    # The peak so far, in MB, stands before each sentence.
    assert all(int(line.split()[0]) < 100 for line in done.stdout.splitlines()), done.stdout


def test_cancelling_is_noticed_while_a_stream_is_only_counted(tmp_path: Path) -> None:
    from seru.progress import Progress

    path = tmp_path / "ct.nrrd"
    path.write_bytes(nrrd_header("4096 4096 17", "gzip") + GZIP * 17)
    progress = Progress()
    progress.cancel()

    with pytest.raises(CancelledError):
        read_volume(path, progress=progress)
