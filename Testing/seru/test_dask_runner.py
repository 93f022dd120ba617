"""Tasks of a cohort on a worker in this very process: what is tried again, and what ends the run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import seru
from seru.cohort.discovery import Case
from seru.cohort.outputs import Outputs
from seru.cohort.verdict_list import ListedVerdict, not_found
from seru.errors import BadInputError, CancelledError, DeviceError, ModelError
from seru.findings import Report
from seru.io.images import read_volume, write_volume
from seru.model.store import open_model
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress
from Testing.reports import make_report

if TYPE_CHECKING:
    from distributed import Client

    from seru.cohort.dask_task import Ended, Recipe

pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def recipe(tmp_path: Path, tiny_model: Path) -> Recipe:
    from seru.cohort.dask_task import Recipe

    (tmp_path / "out").mkdir()
    card = open_model(tiny_model).card
    return Recipe(str(tiny_model), card.checksums, SegmentOptions(threads=1), seru.__version__, (tmp_path / "out",))


def run(
    client: Client,
    recipe: Recipe,
    folder: Path,
    *names: str,
    progress: Progress | None = None,
    verdicts: tuple[ListedVerdict, ...] = (),
) -> dict[str, Ended]:
    """Run cases by these names."""
    from seru.cohort.dask_runner import make_tasks, run_tasks

    cases = [Case(name, folder / f"{name}.nii.gz", verdicts) for name in names]
    tasks = make_tasks(cases, lambda case: outputs_in(folder, case.name), recipe)
    return {tasks[number].case.name: ended for number, ended in run_tasks(tasks, client, progress or Progress())}


def outputs_in(folder: Path, name: str) -> Outputs:
    return Outputs(*(folder / "out" / f"{name}{ending}" for ending in (".nii.gz", ".json", "")))


def report_of(ended: Ended) -> Report:
    assert ended.report is not None, ended.error
    return ended.report


def test_a_case_that_fails_unexpectedly_is_tried_once_more(
    client: Client, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def run_case(case: Case, outputs: Outputs, *others: object) -> tuple[str, object]:
        tries.append(case.name)
        for place in outputs.places():
            place.parent.mkdir(exist_ok=True)
            place.touch()
        if case.name == "always" or tries.count(case.name) == 1:
            raise {"memory": DeviceError("No memory."), "refused": BadInputError("No CT.")}.get(
                case.name, ValueError(1)
            )
        return "done", make_report()

    monkeypatch.setattr("seru.cohort.dask_task.run_case", run_case)

    ended = run(client, recipe, tmp_path, "always", "once", "memory", "refused")

    assert {name: (one.status, one.error) for name, one in ended.items()} == {
        "always": ("failed", "ValueError: 1 (tried twice)."),
        "once": ("done", ""),
        "memory": ("done", ""),
        "refused": ("failed", "No CT."),
    }
    assert sorted(tries) == ["always", "always", "memory", "memory", "once", "once", "refused"]


def test_what_a_try_wrote_before_it_failed_is_done_in_this_run_and_not_finished_before(
    client: Client, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(outputs: Outputs, text: str) -> None:
        for place in outputs.places():
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)

    tries: list[str] = []

    def run_case(case: Case, outputs: Outputs, *others: object) -> tuple[str, object]:
        tries.append(case.name)
        if tries.count(case.name) == 1:
            if case.name != "before":
                write(outputs, "new")
            raise ValueError("the last words of a worker")
        return "skipped", make_report()

    monkeypatch.setattr("seru.cohort.dask_task.run_case", run_case)
    for name in ("before", "other"):
        write(outputs_in(tmp_path, name), "an old one")

    ended = run(client, recipe, tmp_path, "before", "other", "fresh")

    assert {name: one.status for name, one in ended.items()} == {"before": "skipped", "other": "done", "fresh": "done"}


def test_a_case_is_written_by_the_worker_and_skipped_by_the_next_run(
    client: Client, recipe: Recipe, tmp_path: Path
) -> None:
    phantom = make_phantom(PhantomOptions(seed=3, shape_kji=(12, 64, 64), spacing_kji_mm=(18.0, 6.0, 6.0)))
    write_volume(phantom.volume, tmp_path / "anna.nii.gz")

    first = run(client, recipe, tmp_path, "anna")["anna"]
    # An equal task would share what Dask may still know of the first.
    second = run(client, replace(recipe, options=SegmentOptions(threads=2)), tmp_path, "anna")["anna"]

    assert (first.status, second.status) == ("done", "skipped")
    assert first.warnings == first.report.warnings == second.report.warnings
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"anna.nii.gz", "anna.json", "anna"}


def test_a_worker_applies_verdicts_to_saved_maps_without_the_network(
    client: Client, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom = make_phantom(PhantomOptions(seed=3, shape_kji=(12, 64, 64), spacing_kji_mm=(18.0, 6.0, 6.0)))
    write_volume(phantom.volume, tmp_path / "anna.nii.gz")
    first = report_of(run(client, recipe, tmp_path, "anna")["anna"])
    at = next(at for at, finding in enumerate(first.findings) if finding.is_counted)
    finding = first.findings[at]
    place = finding.kind, finding.side, finding.number, finding.centre_ras, finding.volume_ml
    said, nowhere = ListedVerdict(*place, "dismiss"), replace(ListedVerdict(*place, "accept"), centre_ras=(900.0,) * 3)
    monkeypatch.setattr("seru.cascade.cascade.Segmenter.segment", lambda *_: pytest.fail("a network was run"))

    second = run(client, recipe, tmp_path, "anna", verdicts=(said, nowhere))["anna"]
    again = replace(recipe, options=SegmentOptions(threads=2))
    third = run(client, again, tmp_path, "anna", verdicts=(said, nowhere))["anna"]

    after = report_of(second)
    found = said.find_in(after.findings)
    assert (second.status, found and found.status) == ("done", "dismissed")
    voxels = np.count_nonzero(read_volume(tmp_path / "out" / "anna.nii.gz").array_kji)
    counted = after.total["kidney_ml"] + after.total["tumor_ml"]
    assert voxels * phantom.volume.grid.voxel_ml == pytest.approx(counted, abs=0.01)
    assert counted < first.total["kidney_ml"] + first.total["tumor_ml"]
    assert [warning for warning in second.warnings if "was not found" in warning] == [not_found(nowhere)]
    assert (third.status, report_of(third).warnings) == ("skipped", after.warnings)


def test_results_never_take_the_place_of_another_case_s_ct(client: Client, recipe: Recipe, tmp_path: Path) -> None:
    volume = make_phantom(PhantomOptions(shape_kji=(8, 32, 32))).volume
    write_volume(volume, tmp_path / "anna.nii.gz")
    write_volume(volume, tmp_path / "bert.nii.gz")
    (tmp_path / "out" / "anna.nii.gz").hardlink_to(tmp_path / "bert.nii.gz")

    ended = run(client, recipe, tmp_path, "anna", "bert")["anna"]

    assert ended.status == "failed"
    assert "is part of the input" in ended.error


def test_what_no_case_can_be_run_without_ends_the_run_with_its_sentence(
    client: Client, recipe: Recipe, tmp_path: Path
) -> None:
    wrong = {
        "seru is version": (BadInputError, replace(recipe, version="0.0.1")),
        "is not to be seen there; all computers must share it": (
            BadInputError,
            replace(recipe, folders=(tmp_path / "elsewhere",)),
        ),
        "has other weights than here": (ModelError, replace(recipe, checksums={"coarse": "0"})),
        "no model": (ModelError, replace(recipe, model=str(tmp_path / "none"))),
    }
    for sentence, (kind, changed) in wrong.items():
        with pytest.raises(kind, match="On the worker inproc://") as caught:
            run(client, changed, tmp_path, "anna")
        assert sentence in str(caught.value)


def test_a_worker_whose_folder_is_another_one_ends_the_run_with_its_sentence(
    client: Client, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seru.cohort.dask_task.run_case", lambda *_: ("done", make_report()))
    monkeypatch.setattr("seru.cohort.dask_runner._SEEN_S", 0.0)

    with pytest.raises(BadInputError) as caught:
        run(client, recipe, tmp_path, "anna")

    assert str(caught.value).startswith("What the worker inproc://")
    assert str(caught.value).endswith(
        f"wrote to '{tmp_path / 'out' / 'anna.nii.gz'}' is not to be seen here; all computers must share that folder "
        "under the same path."
    )


def test_a_cancelled_run_stops_what_is_running_and_begins_nothing(
    client: Client, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()
    progress = Progress()

    def run_case(case: Case, outputs: Outputs, inputs: object, segmenter: object, record: Progress) -> None:
        begun.set()
        try:
            while True:
                record.check_cancelled()
                threading.Event().wait(0.01)
        finally:
            stopped.set()

    monkeypatch.setattr("seru.cohort.dask_task.run_case", run_case)
    person = threading.Thread(target=lambda: (begun.wait(30), progress.cancel()))
    person.start()

    with pytest.raises(CancelledError):
        run(client, recipe, tmp_path, "anna", "bert", progress=progress)

    person.join()
    assert stopped.wait(30)
