"""The one options class, and what is made from it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from seru.errors import BadInputError
from seru.options import SegmentOptions, Switch, switches
from seru.records import read_record, to_plain
from Testing import REPOSITORY
from Testing.options_by_hand import another_value, parsed
from Testing.reports import make_report

SCHEMA = json.loads((REPOSITORY / "SERUSegmentation/seru/report.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("switch", switches(), ids=lambda switch: switch.name)
def test_every_option_goes_through_the_command_s_arguments_and_back(switch: Switch) -> None:
    options = SegmentOptions(**{switch.name: another_value(switch)})

    arguments = switch.arguments(getattr(options, switch.name))

    assert arguments[0] == switch.flag
    assert parsed(arguments) == options
    assert switch.arguments(switch.default) == []


def test_every_field_is_an_option_with_help() -> None:
    assert [switch.name for switch in switches()] == [field.name for field in dataclasses.fields(SegmentOptions)]
    for switch in switches():
        assert switch.help
        assert not switch.help.endswith(".")


def test_without_arguments_the_options_are_the_defaults() -> None:
    assert parsed([]) == SegmentOptions()


def test_the_paper_s_way_is_every_slice_the_fixed_crop_its_alpha_and_nothing_else() -> None:
    paper = parsed(["--paper"])

    assert paper == SegmentOptions(alpha=0.4, all_slices=True, crop="paper", min_confidence=0.0)
    assert not paper.mirror
    assert not paper.cleans_up
    assert SegmentOptions.of_paper() == paper


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (["--alpha", "0.7"], {"alpha": 0.7}),
        (["--crop", "grow"], {"crop": "grow"}),
        (["--mirror", "--minimum-volume", "2"], {"mirror": True, "minimum_volume_ml": 2.0}),
        (["--engine", "torch", "--threads", "2"], {"engine": "torch", "threads": 2}),
    ],
)
def test_an_option_given_beside_the_paper_s_way_wins(arguments: list[str], changes: dict[str, Any]) -> None:
    expected = dataclasses.replace(SegmentOptions.of_paper(), **changes)

    assert parsed(["--paper", *arguments]) == expected
    assert parsed([*arguments, "--paper"]) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"alpha": 1.5},
        {"alpha": float("nan")},
        {"device": "gpu"},
        {"engine": "onnx"},
        {"crop": "large"},
        {"threads": 0},
        {"minimum_volume_ml": -1.0},
        {"minimum_volume_ml": float("inf")},
    ],
)
def test_a_value_out_of_its_range_is_refused_with_what_may_be_given(values: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match="give "):
        SegmentOptions(**values)


def test_what_decides_a_result_can_be_read_back_and_where_it_ran_decides_nothing() -> None:
    options = SegmentOptions(
        alpha=0.7, device="cpu", engine="torch", threads=2, mirror=True, crop="paper", minimum_volume_ml=3.0
    )

    decided = options.deciding()

    assert SegmentOptions.from_deciding(decided, alpha=0.7) == dataclasses.replace(
        options, device="auto", engine="auto", threads=None
    )
    assert decided == SegmentOptions(mirror=True, crop="paper", minimum_volume_ml=3.0).deciding()
    with pytest.raises(BadInputError, match="The report has an unknown option 'color'"):
        SegmentOptions.from_deciding({"color": "red"})


def test_the_report_s_schema_knows_every_field_of_the_record_and_no_other() -> None:
    report = make_report().to_dict()

    jsonschema.validate(report, SCHEMA)
    assert set(report) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    for name in ("input", "geometry", "model", "slices"):
        assert set(report[name]) == set(SCHEMA["properties"][name]["properties"]), name
    assert set(report["options"]) == set(SCHEMA["$defs"]["run_options"]["properties"])
    assert set(report["right"]) == set(SCHEMA["$defs"]["side"]["properties"])


def test_a_report_of_version_2_is_one_of_networks() -> None:
    from seru.findings import Report

    report = make_report()
    older = {key: value for key, value in report.to_dict().items() if key != "measured"}

    assert Report.from_dict({**older, "version": 2}) == report


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    from seru.findings import CropBox, KeySlice, Report, SideFindings

    found = SideFindings(
        150.1234, 20.5, 33.3, present=True, key_slice=KeySlice(7, (1.0, 2.0, 3.0), 55.5),
        crop=CropBox((0, 1, 2), (3, 4, 5), (1.5, 2.5, 3.5), grown=True),
    )  # fmt: skip
    report = make_report(right=found, warnings=("one", "two"))

    again = Report.from_dict(json.loads(report.to_json()))

    assert again == report
    assert report.to_dict()["total"] == {"kidney_ml": 150.1234, "tumor_ml": 20.5}
    jsonschema.validate(report.to_dict(), SCHEMA)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": 99}, "another version"),
        ({"version": 1}, "another version"),
        ({"alpha": None}, "neither of a run of the networks nor of labels"),
        ({"alpha": "half"}, "'alpha' is 'half'"),
        ({"right": {"present": True}}, "incomplete"),
        ({"color": 1}, "unknown option 'color'"),
        ({"warnings": "none"}, "'warnings'"),
    ],
)
def test_a_damaged_report_is_refused(change: dict[str, Any], match: str) -> None:
    from seru.findings import Report

    with pytest.raises(BadInputError, match=match):
        Report.from_dict({**make_report().to_dict(), **change})


def test_records_and_plain_values_are_each_other_s_inverse() -> None:
    options = SegmentOptions(alpha=0.1, crop="paper", threads=4)

    assert read_record(SegmentOptions, to_plain(options), "The options") == options
    with pytest.raises(BadInputError, match="'threads' is 'many'; expected int"):
        read_record(SegmentOptions, {"threads": "many"}, "The options")
    with pytest.raises(BadInputError, match="one of grow, paper"):
        read_record(SegmentOptions, {"crop": "x"}, "The options")
