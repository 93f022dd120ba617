"""Runs from the panel: to the end, cancelled, and with everything that can go wrong meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom
from Testing.desktop import Desktop, choose, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import labels_of, open_module, own_nodes, show_result, turn
from Testing.module.scene_tools import maps_of, save
from Testing.module.warm_panel import (
    TIMEOUT_S,
    add_ct,
    halted,
    halting_worker,
    panel,
    shared_worker,
    small,
    small_scan,
    wait_for,
    warm,
)
from training.scoring import dice

__all__ = ["panel", "shared_worker", "slicer_desktop", "small", "warm"]


@pytest.fixture
def cold(slicer_desktop: Desktop, tiny_model: Path, small: Phantom) -> Any:
    """The opened module, whose process is its own and not started yet."""
    return open_module(slicer_desktop, tiny_model, small)


@pytest.fixture
def own(cold: Any, tmp_path: Path) -> Any:
    """The same with a process that can be halted."""
    cold.logic.worker = halting_worker(tmp_path)
    return cold


def start(panel: Any) -> Any:
    """Click Segment and return the run."""
    click(panel.ui.segmentButton)
    return panel.logic._watcher.run


def start_and_meet(desktop: Desktop, panel: Any) -> Any:
    """Start a run, and return it half way through the coarse stage; it stays there while ``halted``."""
    panel.logic.worker.release()
    run = start(panel)
    desktop.wait_until(lambda: run.progress.stage == "coarse" and run.progress.done > 0, TIMEOUT_S)
    return run


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def assert_nothing_left(run: Any, scene: Any) -> None:
    """The worker has ended with its folder, or waits without anything of the run."""
    assert own_nodes(scene) == []
    assert run.worker.held is None
    if run.worker.pid is not None:
        assert {path.name for path in run.worker.folder.iterdir()} == {"out.txt", "error.txt"}


def assert_gone(run: Any, scene: Any, pid: int, folder: Path) -> None:
    assert own_nodes(scene) == []
    assert run.worker.pid is None
    assert not folder.exists()
    assert not is_alive(pid)


def test_segment_runs_to_the_end(slicer_desktop: Desktop, cold: Any, small: Phantom) -> None:
    import slicer

    fractions, texts = [], []
    run = start(cold)
    assert cold.ui.segmentButton.text == "Cancel"

    def look() -> bool:
        fractions.append(run.progress.fraction)
        texts.append(cold.ui.statusLabel.text)
        return not cold.logic.isRunning

    slicer_desktop.wait_until(look, TIMEOUT_S)

    node = cold.ui.outputSelector.currentNode()
    # The largest tumor is chosen and in view.
    chosen = cold.parts.findings.table.chosen().finding
    assert chosen.kind == "tumor"
    assert slicer_desktop.layout_manager.sliceWidget("Red").mrmlSliceNode().GetSliceOffset() == pytest.approx(
        chosen.longest.start_ras[2], abs=1e-3
    )
    assert cold.ui.show3DButton.checked
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    labels = labels_of(node, slicer.util.getNode("CT"))
    print(f"Dice of kidney and tumor together: {dice(labels > 0, small.labels_kji > 0):.3f}")
    assert dice(labels > 0, small.labels_kji > 0) > 0.85
    assert fractions == sorted(fractions)
    assert any("Coarse stage, slice" in text for text in texts) or any("Refine stage, slice" in text for text in texts)
    assert cold.ui.statusLabel.text.startswith("Done in")
    assert cold.ui.segmentButton.text == "Segment"
    assert cold.ui.alphaSlider.enabled
    assert "SERUSegmentationLib.run.child" in cold.parts.run.log.text()
    # The first run knows the devices from then on.
    slicer_desktop.wait_until(lambda: cold.parts.inputs.knowsDevices, TIMEOUT_S)
    assert cold.ui.deviceComboBox.findText("CPU") == 1
    # No folder of this computer travels with the scene.
    assert cold.parts.controller.report.input.path == "input.nrrd"


def test_what_is_chosen_under_advanced_reaches_the_run(slicer_desktop: Desktop, panel: Any) -> None:
    for box in (panel.ui.allSlicesCheckBox, panel.ui.mirrorCheckBox):
        assert not box.checked
        box.click()
    click(panel.ui.advancedCollapsibleButton)
    assert panel.ui.cropComboBox.currentText == "grow"
    choose(panel.ui.cropComboBox, "paper")

    start(panel)
    slicer_desktop.wait_until(lambda: not panel.logic.isRunning, TIMEOUT_S)

    options = panel.parts.controller.report.options
    assert (options["all_slices"], options["mirror"], options["crop"]) == (True, True, "paper")


def test_the_result_is_the_command_s(
    slicer_desktop: Desktop, cold: Any, tiny_model: Path, small: Phantom, tmp_path: Path
) -> None:
    import slicer

    from seru.io.images import read_volume, write_volume
    from SERUSegmentationLib.run.segmentation import RunSettings

    volume = slicer.util.getNode("CT")
    write_volume(small.volume, tmp_path / "ct.nrrd")
    command = [sys.executable, "-m", "seru", "segment", str(tmp_path / "ct.nrrd"), "-o", str(tmp_path / "out.nrrd")]
    subprocess.run([*command, "--model", str(tiny_model), "--alpha", "0.7", "--progress", "none"], check=True)

    # What is given beside the settings wins.
    node = cold.logic.process(volume, alpha=0.7, settings=RunSettings(model=str(tiny_model), alpha=0.1))

    expected = read_volume(tmp_path / "out.nrrd").array_kji
    assert expected.max() == 2
    assert np.array_equal(labels_of(node, volume), expected)
    # The model's own alpha stays the mark on the slider.
    cold.ui.outputSelector.setCurrentNode(node)
    assert cold._parameterNode.alpha == pytest.approx(0.7)
    assert cold.parts.controller.result.maps.alpha == pytest.approx(0.4)


def test_the_settings_of_a_script_are_kept(slicer_desktop: Desktop, panel: Any, tiny_model: Path) -> None:
    import slicer

    from SERUSegmentationLib.run.segmentation import RunSettings, SegmentationRun

    settings = RunSettings(model=str(tiny_model), alpha=0.7, tumor_touches_kidney=True, crop="paper", splitSides=True)
    run = SegmentationRun(slicer.util.getNode("CT"), settings=settings, worker=panel.logic.worker)
    run.start()
    run.wait()
    node = run.finish().segmentationNode

    from SERUSegmentationLib.scene.stored_result import readMaps, storedState

    state, (_maps, report) = storedState(node, 0.4), readMaps(node)
    assert (state.options.alpha, state.options.tumor_touches_kidney, state.splitSides) == (0.7, True, True)
    assert report.options["crop"] == "paper"
    assert node.GetSegmentation().GetNumberOfSegments() == 4


def test_a_run_leaves_only_what_is_read_and_the_panel_reads_it_once(
    slicer_desktop: Desktop, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SERUSegmentationLib.run.segmentation import SegmentationRun
    from SERUSegmentationLib.scene import scene_writer, stored_result

    reads: list[Path] = []
    for module in (scene_writer, stored_result):
        monkeypatch.setattr(module, "load_maps", lambda path, load=module.load_maps: reads.append(path) or load(path))
    left: list[str] = []
    write = SegmentationRun._write

    def look_and_write(run: Any, maps_file: Path) -> Any:
        folder = run.worker.folder
        left.extend(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        return write(run, maps_file)

    monkeypatch.setattr(SegmentationRun, "_write", look_and_write)

    start(panel)
    wait_for(slicer_desktop, panel)

    assert panel.ui.alphaSlider.enabled
    assert left == ["error.txt", "input.nrrd", "maps/maps.npz", "out.txt"]
    assert len(reads) == 1


def test_cancel_half_way_leaves_nothing(slicer_desktop: Desktop, panel: Any) -> None:
    with halted(panel, "coarse"):
        run = start_and_meet(slicer_desktop, panel)

        click(panel.ui.segmentButton)
        # Progress that still comes does not talk over it.
        panel.parts.run.update(run.progress)
        assert panel.ui.statusLabel.text == "Stopping the run"
        assert panel.ui.progressBar.maximum == 0
        wait_for(slicer_desktop, panel)

    assert panel.ui.statusLabel.text == "The run was cancelled; nothing was written."
    assert panel.ui.segmentButton.text == "Segment"
    assert panel.ui.segmentButton.enabled
    assert not panel.ui.progressBar.visible
    assert slicer_desktop.dialogs.shown == []
    assert_nothing_left(run, slicer_desktop.scene)


def close_scene(desktop: Desktop, panel: Any, run: Any) -> None:
    desktop.close_scene()


def delete_input(desktop: Desktop, panel: Any, run: Any) -> None:
    desktop.scene.RemoveNode(run.volumeNode)


def kill_process(desktop: Desktop, panel: Any, run: Any) -> None:
    os.kill(run.worker.pid, signal.SIGKILL)


ACCIDENTS: dict[str, tuple[Callable[..., None], str]] = {
    "input deleted": (delete_input, "The volume was deleted during the run"),
    "scene closed": (close_scene, "The scene was closed during the run"),
    "process killed": (kill_process, "was killed from outside, most likely because memory ran out"),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_during_the_run_is_told_and_leaves_nothing(
    slicer_desktop: Desktop, panel: Any, accident: str
) -> None:
    act, sentence = ACCIDENTS[accident]
    with halted(panel, "coarse"):
        run = start_and_meet(slicer_desktop, panel)

        act(slicer_desktop, panel, run)
        wait_for(slicer_desktop, panel)

    assert sentence in panel.ui.statusLabel.text
    assert panel.ui.segmentButton.text == "Segment"
    assert_nothing_left(run, slicer_desktop.scene)


def test_the_process_stays_for_the_next_run_frees_what_goes_and_is_started_anew_where_it_was_killed(
    slicer_desktop: Desktop, cold: Any
) -> None:
    import slicer

    run = start(cold)
    wait_for(slicer_desktop, cold)
    worker, pid, folder = cold.logic.worker, run.worker.pid, run.worker.folder
    first = labels_of(cold.ui.outputSelector.currentNode(), slicer.util.getNode("CT"))
    assert run.worker is worker
    assert (folder / "input.nrrd").is_file()

    start(cold)
    wait_for(slicer_desktop, cold)
    assert worker.pid == pid
    assert np.array_equal(labels_of(cold.ui.outputSelector.currentNode(), slicer.util.getNode("CT")), first)

    os.kill(pid, signal.SIGKILL)
    slicer_desktop.wait_until(lambda: worker.poll() is not None, TIMEOUT_S)
    start(cold)
    wait_for(slicer_desktop, cold)
    assert cold.ui.statusLabel.text.startswith("Done in")
    assert worker.pid not in (None, pid)
    assert not folder.exists()

    pid = worker.pid
    slicer_desktop.scene.RemoveNode(slicer.util.getNode("CT"))
    assert worker.held is None
    assert not (worker.folder / "input.nrrd").exists()
    assert is_alive(pid)


def test_without_time_to_stay_the_process_ends_with_its_run(slicer_desktop: Desktop, cold: Any) -> None:
    click(cold.ui.advancedCollapsibleButton)
    cold.ui.idleSpinBox.value = 0
    run = start(cold)
    pid, folder = run.worker.pid, run.worker.folder

    wait_for(slicer_desktop, cold)

    assert cold.ui.statusLabel.text.startswith("Done in")
    assert cold.logic.worker.pid is None
    assert not is_alive(pid)
    assert not folder.exists()


def test_unloading_the_module_ends_the_run(slicer_desktop: Desktop, own: Any) -> None:
    with halted(own, "coarse"):
        run = start_and_meet(slicer_desktop, own)
        pid, folder = run.worker.pid, run.worker.folder

        slicer_desktop.unload("SERUSegmentation")

    assert_gone(run, slicer_desktop.scene, pid, folder)


def test_quitting_slicer_ends_the_run(slicer_desktop: Desktop, own: Any) -> None:
    with halted(own, "coarse"):
        run = start_and_meet(slicer_desktop, own)
        pid, folder = run.worker.pid, run.worker.folder

        slicer_desktop.app.aboutToQuit.emit()

    assert_gone(run, slicer_desktop.scene, pid, folder)


def test_a_result_arrives_while_another_module_is_open(slicer_desktop: Desktop, panel: Any) -> None:
    with halted(panel, "load"):
        start(panel)
        slicer_desktop.leave_module()
    wait_for(slicer_desktop, panel)
    slicer_desktop.select_module("SERUSegmentation")

    assert own_nodes(slicer_desktop.scene).count("vtkMRMLSegmentationNode") == 2
    assert panel.ui.outputSelector.currentNode() is not None
    assert panel.ui.alphaSlider.enabled


def test_segmenting_again_and_another_volume_keep_all_results_apart(slicer_desktop: Desktop, panel: Any) -> None:
    start(panel)
    wait_for(slicer_desktop, panel)
    first, count = panel.ui.outputSelector.currentNode(), slicer_desktop.scene.GetNumberOfNodes()
    first.SetName("renamed by me")

    start(panel)
    wait_for(slicer_desktop, panel)
    assert panel.ui.outputSelector.currentNode() is first
    assert slicer_desktop.scene.GetNumberOfNodes() == count

    other = small_scan(seed=5)
    volume = add_ct(slicer_desktop, other, "other")
    before = labels_of(first, panel.ui.inputSelector.currentNode())
    panel.ui.inputSelector.setCurrentNode(volume)
    assert panel.ui.outputSelector.currentNode() is None
    start(panel)
    wait_for(slicer_desktop, panel)

    second = panel.ui.outputSelector.currentNode()
    assert second is not first
    assert dice(labels_of(second, volume) > 0, other.labels_kji > 0) > 0.8
    panel.ui.inputSelector.setCurrentNode(first.GetNodeReference("referenceImageGeometryRef"))
    assert panel.ui.outputSelector.currentNode() is first
    assert np.array_equal(labels_of(first, panel.ui.inputSelector.currentNode()), before)


def test_a_run_that_ends_while_another_ct_is_chosen_says_whose_it_was(
    slicer_desktop: Desktop, panel: Any, small: Phantom
) -> None:
    first = panel.ui.inputSelector.currentNode()
    with halted(panel, "load"):
        start(panel)

        other = add_ct(slicer_desktop, small, "other")
        panel.ui.inputSelector.setCurrentNode(other)
    wait_for(slicer_desktop, panel)

    assert panel.ui.statusLabel.text.startswith("'CT': Done in ")
    assert panel.ui.outputSelector.currentNode() is None
    panel.ui.inputSelector.setCurrentNode(first)
    assert panel.ui.statusLabel.text == ""
    assert panel.ui.outputSelector.currentNode() is not None


def test_a_damaged_model_is_told_in_one_sentence(
    slicer_desktop: Desktop, tiny_model: Path, small: Phantom, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    panel = open_module(slicer_desktop, folder, small)
    weights = folder / "coarse.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    start(panel)
    wait_for(slicer_desktop, panel)

    assert "coarse.safetensors" in panel.ui.statusLabel.text
    assert panel.ui.statusLabel.text.endswith(" (in the module: Setup, Fetch).")
    assert slicer_desktop.dialogs.shown == []
    assert panel.ui.logCollapsibleButton.collapsed


def test_what_is_no_ct_is_told_in_one_sentence(slicer_desktop: Desktop, warm: Any, small: Phantom) -> None:
    panel = warm
    constant = np.zeros_like(small.volume.array_kji)
    slicer_desktop.add_volume(constant, small.volume.grid.ijk_to_ras, "empty")
    panel.initializeParameterNode()

    run = start(panel)
    wait_for(slicer_desktop, panel)

    sentence = panel.ui.statusLabel.text
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    # The user's to mend: no box, no log unfolded.
    assert slicer_desktop.dialogs.shown == []
    assert panel.ui.logCollapsibleButton.collapsed
    assert sentence in panel.parts.run.log.text()
    assert_nothing_left(run, slicer_desktop.scene)


def test_damaged_weights_are_told(slicer_desktop: Desktop, tiny_model: Path, small: Phantom, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    for file in tiny_model.iterdir():
        content = bytearray(file.read_bytes())
        if file.name == "refine.safetensors":
            content[-1] ^= 1
        (folder / file.name).write_bytes(content)
    panel = open_module(slicer_desktop, folder, small)

    start(panel)
    wait_for(slicer_desktop, panel)

    assert "refine.safetensors is damaged" in panel.ui.statusLabel.text


@pytest.mark.parametrize("orientation", ["RAS", "IPL"])
def test_an_oblique_volume_in_any_order_under_a_transform_is_segmented_where_it_is(
    slicer_desktop: Desktop, warm: Any, orientation: str
) -> None:
    phantom = small_scan(orientation=orientation, oblique_degrees=(6.0, -4.0, 10.0))
    volume = add_ct(slicer_desktop, phantom)
    matrix = turn(slicer_desktop, volume)

    start(warm)
    wait_for(slicer_desktop, warm)

    node = warm.ui.outputSelector.currentNode()
    assert dice(labels_of(node, volume) > 0, phantom.labels_kji > 0) > 0.8
    kji = np.argwhere(phantom.labels_kji == 1)
    expected = matrix @ phantom.volume.grid.ijk_to_ras @ [*kji.mean(axis=0)[::-1], 1.0]
    assert np.abs(world_centroid(node, "Kidney") - expected[:3]).max() < 8


def world_centroid(node: Any, name: str) -> np.ndarray:
    """Centroid of a segment as Slicer gives it in world space, mm."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    image = slicer.vtkOrientedImageData()
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.GetSegmentBinaryLabelmapRepresentation(node, segment_id, image, True)
    extent = np.array(image.GetExtent()).reshape(3, 2)
    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape((extent[:, 1] - extent[:, 0] + 1)[::-1])
    ijk = np.argwhere(array).mean(axis=0)[::-1] + extent[:, 0]
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return (slicer.util.arrayFromVTKMatrix(matrix) @ [*ijk, 1.0])[:3]


REAL = {
    "contrast": "ct/ircadb1_07/imaging.nii.gz",
    "small": "ct/totalseg_example/imaging.nii.gz",
    "DICOM": "ct/cptac_pda/dicom",
}
MOST_SLICES = 20


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_a_real_ct_goes_through_the_panel(slicer_desktop: Desktop, warm: Any, data_folder: Path, name: str) -> None:
    """The demonstration model finds little in a patient; every step and the scene are real."""
    from seru.io.images import read_volume

    real = read_volume(data_folder / REAL[name])
    # Of thin slices a few: the time goes into their number.
    step = -(-len(real.array_kji) // MOST_SLICES)
    array_kji = np.ascontiguousarray(real.array_kji[::step])
    volume = slicer_desktop.add_volume(array_kji, real.grid.ijk_to_ras @ np.diag([1, 1, step, 1]), name)
    slicer_desktop.process_events()

    start(warm)
    wait_for(slicer_desktop, warm)

    node = warm.ui.outputSelector.currentNode()
    result = warm.parts.controller.result
    assert warm.ui.statusLabel.text.startswith("Done in")
    assert np.array_equal(labels_of(node, volume), result.fusion.labels_kji(0.4))
    assert tuple(result.maps.grid.shape_kji) == array_kji.shape


def test_an_output_that_became_unusable_during_the_run_is_left_alone(slicer_desktop: Desktop, panel: Any) -> None:
    import slicer

    theirs = slicer_desktop.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "theirs")
    panel.ui.outputSelector.setCurrentNode(theirs)
    with halted(panel, "load"):
        start(panel)
        transform = slicer_desktop.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        theirs.SetReferenceImageGeometryParameterFromVolumeNode(slicer.util.getNode("CT"))
        theirs.GetSegmentation().AddEmptySegment("cyst", "cyst")
        theirs.SetAndObserveTransformNodeID(transform.GetID())

    wait_for(slicer_desktop, panel)

    node = panel.ui.outputSelector.currentNode()
    assert node is not theirs
    assert list(theirs.GetSegmentation().GetSegmentIDs()) == ["cyst"]
    assert "The result is in a new segmentation." in panel.ui.statusLabel.text


def test_a_result_that_was_edited_during_the_next_run_is_kept(
    slicer_desktop: Desktop, panel: Any, small: Phantom, tmp_path: Path
) -> None:
    import slicer

    node = show_result(slicer_desktop, panel, save(maps_of(small), tmp_path))
    with halted(panel, "load"):
        start(panel)
        volume, segment_id = slicer.util.getNode("CT"), node.GetSegmentation().GetSegmentIDs()[0]
        edited = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
        edited[1:3, 1:9, 1:9] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(edited, node, segment_id, volume)

    wait_for(slicer_desktop, panel)

    assert panel.ui.outputSelector.currentNode() is not node
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume), edited)
    assert "was edited during the run and is kept" in panel.ui.statusLabel.text
