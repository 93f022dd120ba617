"""What a person said of findings: accepted, or dismissed.

A verdict is kept as its voxels, so it holds for whatever the result shows there: at another alpha, after loading, on
the maps of another run of the same scan.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seru.errors import BadInputError
from seru.findings import Kind
from seru.records import read_record

Decision = Literal["accepted", "dismissed"]
_MOST_VOXELS = 1 << 28
_DAMAGED = "A verdict on a finding is damaged; give it again."


@dataclass(frozen=True, eq=False)
class Verdict:
    """One decision on one finding.

    Attributes:
        decision: ``accepted`` puts it into the labels, ``dismissed`` takes it out.
        kind: of the finding.
        lower_kji: first voxel of the box on the scan's own grid.
        voxels: bool, shape of the box: the finding's.

    Raises:
        BadInputError: it holds no voxel.
    """

    decision: Decision
    kind: Kind
    lower_kji: tuple[int, int, int]
    voxels: np.ndarray

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3 or min(self.lower_kji) < 0 or not self.voxels.any():
            raise BadInputError(_DAMAGED)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.voxels))

    def inside(
        self, lower_kji: Sequence[int], shape_kji: Sequence[int]
    ) -> tuple[tuple[slice, slice, slice], np.ndarray]:
        """Return where the verdict lies in a box of the scan.

        Args:
            lower_kji: first voxel of the box.
            shape_kji: of the box.

        Returns:
            Slices into the box, and the verdict's voxels there; both are empty where it lies outside.
        """
        starts, stops = [], []
        for own, size, low, extent in zip(self.lower_kji, self.voxels.shape, lower_kji, shape_kji, strict=True):
            starts.append(min(max(own - low, 0), extent))
            stops.append(max(min(own + size - low, extent), starts[-1]))
        k, j, i = (slice(start, stop) for start, stop in zip(starts, stops, strict=True))
        own_k, own_j, own_i = (
            slice(start + low - own, stop + low - own)
            for start, stop, low, own in zip(starts, stops, lower_kji, self.lower_kji, strict=True)
        )
        return (k, j, i), self.voxels[own_k, own_j, own_i]

    def is_on(self, lower_kji: Sequence[int], voxels: np.ndarray) -> bool:
        """Tell whether the verdict is on a component: either lies mostly in the other.

        Args:
            lower_kji: first voxel of the component's box.
            voxels: bool, shape of the box: the component's.

        Returns:
            Whether it is.
        """
        box, own = self.inside(lower_kji, voxels.shape)
        overlap, size = np.array([np.count_nonzero(voxels[box] & own), np.count_nonzero(voxels)])
        return bool(self.are_decided(overlap, size))

    def are_decided(self, overlaps: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Tell of components whether the verdict is on them: either lies mostly in the other.

        Args:
            overlaps: number of voxels that each shares with the verdict.
            sizes: number of voxels of each.

        Returns:
            bool, same shape.
        """
        return 2 * overlaps > np.minimum(self.size, sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values."""
        packed = zlib.compress(np.packbits(self.voxels).tobytes(), 9)
        return {
            "decision": self.decision,
            "kind": self.kind,
            "lower_kji": list(self.lower_kji),
            "shape_kji": list(self.voxels.shape),
            "voxels": base64.b64encode(packed).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Verdict:
        """Read a verdict that anyone may have written.

        Args:
            values: what :meth:`to_dict` gave.

        Returns:
            The verdict.

        Raises:
            BadInputError: it is none.
        """
        stored = read_record(_Stored, values, "A verdict")
        count = math.prod(stored.shape_kji)
        if min(stored.shape_kji) < 1 or max(stored.shape_kji) > _MOST_VOXELS or count > _MOST_VOXELS:
            raise BadInputError(_DAMAGED)
        size = -(-count // 8)
        try:
            inflater = zlib.decompressobj()
            packed = inflater.decompress(base64.b64decode(stored.voxels, validate=True), size)
            more = inflater.decompress(inflater.unconsumed_tail, 1)
            if len(packed) != size or more or not inflater.eof:
                raise ValueError("it does not end where it should")
        except (ValueError, binascii.Error, zlib.error) as error:
            raise BadInputError(_DAMAGED) from error
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=count)
        return cls(stored.decision, stored.kind, stored.lower_kji, bits.view(bool).reshape(stored.shape_kji))


@dataclass(frozen=True)
class _Stored:
    """A verdict as it stands in a file."""

    decision: Decision
    kind: Kind
    lower_kji: tuple[int, int, int]
    shape_kji: tuple[int, int, int]
    voxels: str


def read_verdicts(values: Any) -> tuple[Verdict, ...]:
    """Read verdicts that anyone may have written.

    Args:
        values: a list of what :meth:`Verdict.to_dict` gave.

    Returns:
        The verdicts.

    Raises:
        BadInputError: one is damaged, or it is no list.
    """
    if not isinstance(values, list):
        raise BadInputError(_DAMAGED)
    return tuple(Verdict.from_dict(value) for value in values)
