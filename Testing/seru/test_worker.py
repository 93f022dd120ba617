"""``seru worker`` as a real child: what it answers, what it keeps, and how it ends."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seru
from seru.cascade.cascade import segment
from seru.cli import main
from seru.cli.inbox import read_lines
from seru.cli.requests import LONGEST_LINE, RequestError, read_request
from seru.findings import SIDES, Report
from seru.io.images import read_volume, write_volume
from seru.model.store import open_model
from seru.options import SegmentOptions, SideBox
from seru.phantom import PhantomOptions, make_phantom
from seru.result.maps import load_maps
from seru.result.nephrometry import scored
from Testing import halting

FEW = PhantomOptions(shape_kji=(30, 96, 112), spacing_kji_mm=(9.0, 4.0, 3.5), seed=3)
OPTIONS = {"threads": 1}
BOX = [[50, 30, 8], [90, 70, 16]]
OTHER = [[52, 28, 10], [92, 68, 13]]


class Child:
    """A worker, asked and read line by line.

    Args:
        arguments: of the command, beside ``worker``.
    """

    def __init__(self, *arguments: str) -> None:
        self._place = tempfile.TemporaryDirectory()
        self._halt = Path(self._place.name) / "stage"
        path = os.pathsep.join([str(Path(seru.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, halting.__file__, str(self._halt), "seru", "worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        assert self.read()["event"] == "ready"
        self.number = 0

    def halted(self, stage: str) -> contextlib.AbstractContextManager[None]:
        """Meanwhile runs stop in a stage."""
        return halting.halted(self._halt, stage)

    def send(self, do: str, **facts: Any) -> int:
        self.number += 1
        self.write(json.dumps({"id": self.number, "do": do, **facts}).encode() + b"\n")
        return self.number

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read().decode()
        return json.loads(line)

    def until_end(self, number: int) -> list[dict[str, Any]]:
        """The events up to the last one of a request."""
        events = [self.read()]
        while not (events[-1]["id"] == number and events[-1]["event"] in ("done", "error")):
            events.append(self.read())
        return events

    def ask(self, do: str, **facts: Any) -> list[dict[str, Any]]:
        return self.until_end(self.send(do, **facts))

    def end(self, timeout: float = 60.0) -> tuple[int, str]:
        """Close stdin; the exit code and what stood on stderr."""
        _, error = self.process.communicate(timeout=timeout)
        return self.process.returncode, error.decode()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self.process.wait(60)
        self._place.cleanup()


@pytest.fixture(scope="module")
def shared() -> Iterator[Child]:
    """A worker for the tests after which it lives."""
    child = Child()
    yield child
    child.close()


@pytest.fixture
def living(shared: Child) -> Iterator[Child]:
    """The shared worker; what one test left in it is none of the next one's business."""
    yield shared
    shared.ask("release")


@pytest.fixture
def child() -> Iterator[Child]:
    """A worker of the test's own, which may end it."""
    child = Child()
    yield child
    child.close()


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ct") / "ct.nii.gz"
    write_volume(make_phantom(FEW).volume, path)
    return path


@pytest.fixture
def job(ct: Path, tmp_path: Path, tiny_model: Path) -> dict[str, Any]:
    """A segment request."""
    return {
        "input": str(ct),
        "output": str(tmp_path / "out.nii.gz"),
        "maps": str(tmp_path / "maps"),
        "report": str(tmp_path / "out.json"),
        "model": str(tiny_model),
        "options": OPTIONS,
    }


def whole_run(ct: Path, tiny_model: Path, boxes: dict[str, list[list[int]]], keys: dict[str, int] | None = None) -> Any:
    keys = keys or {}
    given = (
        SideBox(side, tuple(low), tuple(high), keys.get(side))  # type: ignore[arg-type]
        for side, (low, high) in boxes.items()
    )
    return run_once(ct, tiny_model, tuple(given))


@functools.cache
def run_once(ct: Path, tiny_model: Path, given: tuple[SideBox, ...]) -> Any:
    return segment(read_volume(ct), open_model(tiny_model), SegmentOptions(**OPTIONS, boxes=given))


def assert_is(job: dict[str, Any], expected: Any) -> None:
    """What the worker wrote is what a whole run gives."""
    maps, of_maps = load_maps(Path(job["maps"]))
    report = Report.from_dict(json.loads(Path(job["report"]).read_text(encoding="utf-8")))
    np.testing.assert_array_equal(read_volume(job["output"]).array_kji, expected.labels_kji)
    for name in ("mask", "coarse", "refined", "sides", "hu"):
        np.testing.assert_array_equal(getattr(maps, name), getattr(expected.maps, name), err_msg=name)
    ours = {"seconds": {}, "input": expected.report.input, "labels_sha256": None}
    box = expected.labels_kji[expected.maps.box_slices], expected.maps.sides_box
    whole = scored(expected.report, *box, expected.maps.grid, expected.maps.lower_kji)
    assert replace(report, **ours) == replace(of_maps, **ours) == replace(whole, seconds={})


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def stages(events: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(event["stage"] for event in events if event["event"] == "stage"))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.name.startswith((".seru-", "seru_slices")))


# What is kept, and equality


def test_sides_refined_in_turn_and_back_are_whole_runs(
    living: Child, job: dict[str, Any], ct: Path, tiny_model: Path
) -> None:
    first = living.ask("segment", **job)
    assert first[-1] == {"id": living.number, "event": "done", **{n: job[n] for n in ("output", "report", "maps")}}
    assert stages(first) == ["load", "preprocess", "coarse", "key_slices", "refine", "fuse", "write"]
    found = whole_run(ct, tiny_model, {})
    assert_is(job, found)

    left = living.ask("refine", side="left", box=BOX)
    assert {event["id"] for event in left} == {living.number}
    assert stages(left) == ["key_slices", "refine", "fuse", "write"]
    assert_is(job, whole_run(ct, tiny_model, {"left": BOX}))

    living.ask("refine", side="right", box=OTHER, key_slice=12)
    whole = whole_run(ct, tiny_model, {"left": BOX, "right": OTHER}, {"right": 12})
    assert whole.report.right.key_slice is not None
    assert whole.report.right.key_slice.index == 12
    assert_is(job, whole)

    living.ask("refine", side="left", box=None)
    living.ask("refine", side="right", box=None)
    assert_is(job, found)
    living.ask("release")
    assert left_in(Path(job["maps"])) == []


def test_slices_arrive_outward_from_the_key_slice_and_are_in_the_maps(
    living: Child, job: dict[str, Any], ct: Path
) -> None:
    living.ask("segment", **job)

    number = living.send("refine", side="left", box=BOX)
    events = living.until_end(number)

    parts = [event for event in events if event["event"] == "slices"]
    assert sorted(k for p in parts for k in range(p["first"], p["first"] + p["count"])) == list(range(8, 17))
    key = json.loads(Path(job["report"]).read_text(encoding="utf-8"))["left"]["key_slice"]["index"]
    assert parts[0]["first"] == min(max(key, 8), 16)
    maps, _ = load_maps(Path(job["maps"]))
    whole = np.zeros((*maps.grid.shape_kji, 2), np.uint8)
    whole[maps.box_slices][maps.mask] = maps.refined
    stored = maps.whole(maps.mask)
    for part in parts:
        low, high = part["ijk_min"], part["ijk_max"]
        place = tuple(slice(low[axis], high[axis] + 1) for axis in (2, 1, 0))
        with np.load(part["file"]) as file:
            refined, coarse = file["refined"], file["coarse"]
        assert refined.shape == coarse.shape == (*(high[axis] - low[axis] + 1 for axis in (2, 1, 0)), 2)
        np.testing.assert_array_equal(refined[stored[place]], whole[place][stored[place]])
    living.ask("refine", side="left", box=BOX)
    assert left_in(Path(job["maps"])) == []


def test_the_same_ct_is_not_run_again_and_another_one_is(
    living: Child, job: dict[str, Any], ct: Path, tiny_model: Path, tmp_path: Path
) -> None:
    living.ask("segment", **job)
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(ct.read_bytes())
    again = living.ask("segment", **{**job, "input": str(copy), "options": {**OPTIONS, "alpha": 0.7}})
    named = json.loads(Path(job["report"]).read_text(encoding="utf-8"))["input"]["path"]
    other = tmp_path / "other.nii.gz"
    write_volume(make_phantom(replace(FEW, seed=4)).volume, other)
    another = {**job, "input": str(other), "maps": str(tmp_path / "maps2"), "report": str(tmp_path / "2.json")}
    events = living.ask("segment", **another)
    living.ask("refine", side="left", box=BOX)

    assert stages(again) == ["load", "key_slices", "refine", "fuse", "write"]
    assert named == str(copy)
    assert "coarse" in stages(events)
    assert_is(another, whole_run(other, tiny_model, {"left": BOX}))
    back = living.ask("segment", **{**job, "options": {**OPTIONS, "boxes": [
        {"side": "right", "ijk_min": OTHER[0], "ijk_max": OTHER[1]}]}})  # fmt: skip
    assert "coarse" in stages(back)
    assert_is(job, whole_run(ct, tiny_model, {"right": OTHER}))


def test_a_folder_of_maps_that_was_taken_away_is_made_anew(
    living: Child, job: dict[str, Any], ct: Path, tiny_model: Path
) -> None:
    living.ask("segment", **job)
    shutil.rmtree(job["maps"])

    events = living.ask("refine", side="left", box=BOX)

    assert {"slices", "done"} & set(names(events)) == {"done"}
    assert_is(job, whole_run(ct, tiny_model, {"left": BOX}))


@pytest.mark.parametrize("idle", [False, True])
def test_after_a_release_a_side_is_refined_from_the_files(
    idle: bool, living: Child, job: dict[str, Any], ct: Path, tiny_model: Path
) -> None:
    child = Child("--idle", "0") if idle else living
    try:
        child.ask("segment", **job)
        child.ask("refine", side="right", box=OTHER)
        if not idle:
            assert names(child.ask("release")) == ["done"]
        while (status := child.ask("status")[0])["networks"]:
            assert idle
        assert status["ct"] is None

        events = child.ask("refine", side="left", box=BOX)

        assert "coarse" in stages(events)
        assert {event["side"] for event in events if event["event"] == "slices"} == {"left"}
        assert_is(job, whole_run(ct, tiny_model, {"right": OTHER, "left": BOX}))
    finally:
        if idle:
            child.close()


def test_a_file_that_holds_another_ct_by_now_is_not_refined(living: Child, job: dict[str, Any], tmp_path: Path) -> None:
    source = tmp_path / "mine.nii.gz"
    source.write_bytes(Path(job["input"]).read_bytes())
    living.ask("segment", **{**job, "input": str(source)})
    living.ask("release")
    write_volume(make_phantom(replace(FEW, seed=4)).volume, source)

    error = living.ask("refine", side="left", box=BOX)[-1]

    assert (error["event"], error["code"]) == ("error", 2)
    assert "another CT than before" in error["message"]


# Requests


def test_requests_wait_for_each_other_and_a_waiting_one_can_be_cancelled(living: Child, job: dict[str, Any]) -> None:
    with living.halted("coarse"):
        first, second = living.send("segment", **job), living.send("refine", side="left", box=BOX)
        third = living.send("refine", side="left", box=OTHER)
        status, cancel = living.send("status"), living.send("cancel", of=second)
        events = living.until_end(cancel)

    events += living.until_end(third)

    ends = {e["id"]: e for e in events if e["event"] in ("done", "error")}
    order = [e["id"] for e in events if e["event"] in ("done", "error")]
    assert (ends[second]["event"], ends[second]["code"]) == ("error", 130)
    assert [ends[number]["event"] for number in (first, third, status, cancel)] == ["done"] * 4
    assert order.index(first) < order.index(third)
    told = next(event for event in events if event["event"] == "status")
    assert [told["running"], *told["waiting"]] in ([first, second, third], [None, first, second, third])


@pytest.mark.parametrize("at", ["coarse", "refine"])
def test_cancelling_acts_between_batches_and_the_worker_goes_on(
    at: str, living: Child, job: dict[str, Any], ct: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with living.halted(at):
        first = living.send("segment", **job)
        while living.read().get("stage") != at:
            pass
        living.send("cancel", of=first)
        events = living.until_end(first)

    assert (events[-1]["event"], events[-1]["code"]) == ("error", 130)
    assert len([event for event in events if event["event"] == "stage"]) < 20
    assert list(tmp_path.iterdir()) == []
    living.ask("segment", **job)
    with living.halted("refine"):
        number = living.send("refine", side="left", box=BOX)
        while living.read()["event"] != "slices":
            pass
        living.send("cancel", of=number)
        assert living.until_end(number)[-1]["code"] == 130
    assert_is(job, whole_run(ct, tiny_model, {}))
    living.ask("refine", side="right", box=OTHER)
    assert_is(job, whole_run(ct, tiny_model, {"right": OTHER}))


def test_what_is_wrong_with_a_request_is_one_event_and_the_worker_goes_on(
    living: Child, job: dict[str, Any], tmp_path: Path
) -> None:
    def refused(line: bytes) -> tuple[int | None, str]:
        living.write(line + b"\n")
        event = living.read()
        assert (event["event"], event["code"]) == ("error", 2)
        return event["id"], event["message"]

    assert refused(b"{") == (None, "A line is no JSON; send one object a line, with each key once.")
    assert refused(b'{"id": 70, "do": "release", "do": "status"}')[1].startswith("A line is no JSON")
    assert "at most 9007199254740992" in refused(b'{"id": 9007199254740993, "do": "status"}')[1]
    assert refused(b"\xff\x00")[0] is None
    assert refused(b"[]")[0] is None
    assert refused(b'{"do": "segment"}')[0] is None
    assert refused(b'{"id": true, "do": "status"}')[0] is None
    assert refused(b'{"id": 1e99, "do": "status"}')[0] is None
    number, message = refused(b'{"id": 71, "do": "dance"}')
    assert (number, "'dance'" in message) == (71, True)
    number, message = refused(b'{"id": 72, "do": "segment"}')
    assert (number, message) == (72, "The request lacks input; see docs/worker.md.")
    assert refused(b'{"id": 73, "do": "refine", "side": "up", "box": null}')[0] == 73
    assert refused(b'{"id": 74, "do": "refine", "side": "left", "box": [[1, 2], [3, 4]]}')[0] == 74
    assert refused(b'{"id": 75, "do": "cancel", "of": 7000}') == (75, "There is no request 7000 to cancel.")
    assert refused(b'{"id": 76, "do": "quit", "why": 1}')[0] == 76
    assert "longer than" in refused(b'{"id": 77, "do": "' + b"x" * 3_000_000 + b'"}')[1]
    living.write(b"\n\n")
    missing = living.ask("segment", **{**job, "input": str(tmp_path / "missing.nii.gz")})[-1]
    assert (missing["event"], missing["code"]) == ("error", 2)
    unknown = living.ask("segment", **{**job, "options": {"color": 1}})[-1]
    assert "unknown option 'color'" in unknown["message"]
    no_model = living.ask("segment", **{**job, "model": "nowhere"})[-1]
    assert no_model["code"] == 3
    assert living.ask("segment", **{**job, "output": None, "maps": None})[-1]["code"] == 2
    assert living.ask("segment", **job)[-1]["event"] == "done"
    outside = living.ask("refine", side="left", box=[[0, 0, 0], [5, 5, 30]])[-1]
    assert "beyond the CT" in outside["message"]
    reversed_box = living.ask("refine", side="left", box=[[5, 5, 5], [0, 0, 0]])[-1]
    assert (reversed_box["event"], reversed_box["code"]) == ("error", 2)
    assert living.ask("refine", side="left", box=BOX)[-1]["event"] == "done"


def test_a_number_that_is_in_use_is_refused(living: Child, job: dict[str, Any]) -> None:
    with living.halted("coarse"):
        first = living.send("segment", **job)
        living.write(json.dumps({"id": first, "do": "release"}).encode() + b"\n")
        events = [living.read()]
        while events[-1]["event"] != "error":
            events.append(living.read())

    events += living.until_end(first)

    refused = [event for event in events if event["event"] == "error"]
    assert [event["id"] for event in refused] == [None]
    assert "in use" in refused[0]["message"]
    assert events[-1]["event"] == "done"


def test_where_too_many_wait_the_next_one_is_refused_and_can_still_be_made_room_for(
    living: Child, job: dict[str, Any]
) -> None:
    with living.halted("coarse"):
        first = living.send("segment", **job)
        while living.read().get("stage") != "coarse":
            pass
        waiting = [living.send("release") for _ in range(100)]
        refused = living.until_end(living.send("release"))[-1]
        cancelled = living.until_end(living.send("cancel", of=waiting[0]))
        room = living.send("release")
        living.until_end(living.send("cancel", of=first))

    assert (refused["code"], refused["message"]) == (2, "Too many requests wait; send it again when some have ended.")
    assert [event["event"] for event in cancelled[-2:]] == ["error", "done"]
    assert living.until_end(room)[-1]["event"] == "done"


def test_lines_are_divided_wherever_the_blocks_end() -> None:
    blocks = [b"a", b"b\nc\n", b"\n", b"x" * (LONGEST_LINE + 1), b"y\nd", b"e"]

    assert list(read_lines(iter(blocks))) == [b"ab", b"c", b"", None, b"de"]
    assert list(read_lines(iter([b"x" * (LONGEST_LINE + 1)]))) == [None]


@pytest.mark.parametrize("box", [[[0, 0, 0.5], [1, 1, 1]], [[0, 0, True], [1, 1, 1]], [], "left", [[0, 0, 0]]])
def test_a_box_of_a_request_has_six_whole_numbers(box: Any) -> None:
    line = json.dumps({"id": 1, "do": "refine", "side": "left", "box": box}).encode()

    with pytest.raises(RequestError, match="box") as caught:
        read_request(line)

    assert caught.value.id == 1


# Ends


def test_without_a_ct_there_is_nothing_to_refine_and_an_id_is_answered_once(child: Child) -> None:
    (error,) = child.ask("refine", side="left", box=BOX)

    assert (error["code"], error["message"]) == (2, "There is no CT to refine; segment one first.")


def test_quit_ends_it_after_what_was_asked_before(child: Child, job: dict[str, Any]) -> None:
    child.send("segment", **job)
    child.send("quit")
    assert child.process.stdin is not None
    child.process.stdin.close()
    child.process.stdin = None

    code, error = child.end()

    assert (code, error) == (0, "")
    load_maps(Path(job["maps"]))


def test_the_end_of_stdin_ends_it_at_once(child: Child, job: dict[str, Any], tmp_path: Path) -> None:
    with child.halted("coarse"):
        child.send("segment", **job)
        while child.read().get("stage") != "coarse":
            pass
        code, _ = child.end()

    assert code == 130
    assert list(tmp_path.iterdir()) == []
    idle = Child()
    assert idle.end() == (0, "")
    idle.close()


def test_a_signal_ends_it_and_leaves_nothing(child: Child, job: dict[str, Any], ct: Path, tiny_model: Path) -> None:
    child.ask("segment", **job)
    with child.halted("refine"):
        child.send("refine", side="left", box=BOX)
        waiting = child.send("refine", side="left", box=OTHER)
        while child.read()["event"] != "slices":
            pass
        child.process.send_signal(signal.SIGTERM)
        events = child.until_end(waiting)
        code, error = child.end()

    assert code == 130
    assert error == "seru: The worker was stopped.\n"
    assert [e["code"] for e in events if e["event"] == "error"] == [130, 130]
    assert left_in(Path(job["maps"])) == []
    assert_is(job, whole_run(ct, tiny_model, {}))


def test_it_ends_when_its_parent_is_killed(
    job: dict[str, Any], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = (
        "import subprocess, sys, time\n"
        "command = [sys.executable, *sys.argv[2:], 'seru', 'worker']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "child.stdin.write(sys.argv[1].encode() + b'\\n')\n"
        "child.stdin.flush()\n"
        "while b'coarse' not in child.stdout.readline():\n"
        "    pass\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    path = str(Path(seru.__file__).parent.parent)
    line = json.dumps({"id": 1, "do": "segment", **job})
    halt = tmp_path_factory.mktemp("halt") / "stage"
    command = [sys.executable, "-c", program, line, halting.__file__, str(halt)]
    with halting.halted(halt, "coarse"):
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            parent.kill()

        for _ in range(600):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.1)
        else:
            os.kill(pid, signal.SIGKILL)
            pytest.fail("the worker is left")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("idle", ["-1", "nan", "inf"])
def test_an_idle_time_that_is_none_is_refused(idle: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["worker", f"--idle={idle}"])

    assert code == 2
    assert capsys.readouterr().err.startswith("seru: The idle time is ")


def test_every_side_may_be_refined() -> None:
    for side in SIDES:
        line = json.dumps({"id": 5, "do": "refine", "side": side, "box": BOX}).encode()
        request = read_request(line)
        assert (request.id, getattr(request, "box", None)) == (5, ((50, 30, 8), (90, 70, 16)))
