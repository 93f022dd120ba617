"""How many threads a run takes for its slices."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seru.cascade.cascade import segment
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.threads import in_threads, limit_threads, slice_pool


@pytest.fixture(autouse=True)
def without_limit() -> Iterator[None]:
    yield
    limit_threads(None)


def test_one_thread_does_the_work_itself_in_order() -> None:
    limit_threads(1)
    done: list[tuple[int, int]] = []

    in_threads(lambda number: done.append((number, threading.get_ident())), range(5))

    assert done == [(number, threading.get_ident()) for number in range(5)]


@pytest.mark.parametrize("limit", [1, 2, None])
def test_what_the_work_gives_or_raises_comes_back(limit: int | None) -> None:
    limit_threads(limit)

    with slice_pool("test") as pool:
        assert [future.result() for future in [pool.submit(pow, 2, n) for n in range(4)]] == [1, 2, 4, 8]
        failed = pool.submit(int, "x")
        assert isinstance(failed.exception(), ValueError)
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda number: 1 // number, range(2))


def test_no_more_threads_work_at_once_than_are_allowed() -> None:
    limit_threads(2)
    together, together_at_most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def work(_number: int) -> None:
        nonlocal together, together_at_most
        with lock:
            together += 1
            together_at_most = max(together_at_most, together)
        both.wait(60)
        with lock:
            together -= 1

    in_threads(work, range(6))

    assert together_at_most == 2


def test_a_run_in_one_thread_starts_none_for_its_slices_and_gives_the_same(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=(12, 96, 96), spacing_kji_mm=(20.0, 4.0, 4.0))).volume
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    expected = segment(phantom, tiny_model, SegmentOptions(engine="torch", device="cpu", threads=2)).labels_kji
    names: set[str] = set()
    start = threading.Thread.start

    def seen(thread: threading.Thread) -> None:
        names.add(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", seen)
    found = segment(phantom, tiny_model, SegmentOptions(engine="torch", device="cpu", threads=1)).labels_kji
    assert not [name for name in names if name.startswith("seru-")]
    np.testing.assert_array_equal(found, expected)

    segment(phantom, tiny_model, SegmentOptions(engine="torch", device="cpu", threads=2))
    assert [name for name in names if name.startswith("seru-")]
