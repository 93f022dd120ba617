"""The options on their way between panel, scene and child process: nothing is lost, and nothing is said twice."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from seru.cli.requests import read_request
from seru.options import SegmentOptions, Switch, switches
from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import MODULE_FILE
from Testing.options_by_hand import another_value

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from SERUSegmentationLib.run.segmentation import RunSettings  # noqa: E402
from SERUSegmentationLib.scene.stored_result import ResultState, storedState, storeState  # noqa: E402
from Testing.module.scene_tools import bare_scene  # noqa: E402

__all__ = ["slicer_desktop"]


def asked(settings: RunSettings) -> SegmentOptions:
    """Return the options that the worker reads from a request."""
    line = json.dumps({"id": 1, "input": "ct.nrrd", **settings.request()})
    return read_request(line.encode()).order().options


@pytest.mark.parametrize("switch", [s for s in switches() if not s.is_of_result], ids=lambda switch: switch.name)
def test_the_worker_understands_what_it_is_given(switch: Switch) -> None:
    value = another_value(switch)

    options = asked(RunSettings(**{switch.name: value}))

    assert options == SegmentOptions(**{switch.name: value})


def test_the_child_is_given_nothing_that_can_be_changed_afterwards() -> None:
    given = {switch.name: another_value(switch) for switch in switches()}

    options = asked(RunSettings(**given))

    of_run = {switch.name: given[switch.name] for switch in switches() if not switch.is_of_result}
    assert options == SegmentOptions(**of_run)


def test_what_the_scene_keeps_of_the_options(slicer_desktop: Desktop) -> None:
    slicer_desktop.load_module(MODULE_FILE)
    from SERUSegmentationLib.panel.parameters import optionParameters

    kept = optionParameters()

    found = {}
    for name, hint in typing.get_type_hints(kept, include_extras=True).items():
        kind, *annotations = typing.get_args(hint) or (hint,)
        limits = [getattr(a, "choices", None) or (a.minimum, a.maximum) for a in annotations]
        found[name] = (kind, getattr(kept, name), *map(tuple, limits))
    assert found == {
        "alpha": (float, 0.4, (0.0, 1.0)),
        "allSlices": (bool, False),
        "mirror": (bool, False),
        "crop": (str, "grow", ("grow", "paper")),
        "minConfidence": (float, -1.0),
        "largestComponentPerSide": (bool, False),
        "tumorTouchesKidney": (bool, False),
        "minimumVolumeMl": (float, 0.0, (0.0, 100.0)),
    }
    assert list(found) == [switch.camel_case for switch in switches() if switch.paper is not None]


@pytest.fixture
def node() -> Iterator[Any]:
    """A segmentation in a bare scene."""
    with bare_scene() as scene:
        yield scene.AddNewNodeByClass("vtkMRMLSegmentationNode")


def test_a_state_is_kept_with_the_segmentation(node: Any) -> None:
    of_result = {switch.name: another_value(switch) for switch in switches() if switch.is_of_result}
    state = ResultState(SegmentOptions(**of_result), splitSides=True)

    storeState(node, state)

    assert storedState(node, alpha=0.4) == state


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"alpha": null}',
        '{"alpha": 1.5}',
        '{"alpha": NaN}',
        '{"alpha": 0.7, "minimum_volume_ml": -1}',
        '{"alpha": 0.7, "largest_component_per_side": "yes"}',
        '{"alpha": 0.7, "no_such_option": true}',
        '{"alpha": 0.7, "device": "abacus"}',
        "[" * 100_000,
    ],
)
def test_damaged_attributes_give_the_run_s_alpha_and_no_clean_up(node: Any, text: str | None) -> None:
    node.SetAttribute("SERU.Options", text)
    node.SetAttribute("SERU.SplitSides", "perhaps")

    assert storedState(node, alpha=0.25) == ResultState(SegmentOptions(alpha=0.25), splitSides=False)
