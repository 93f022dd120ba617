"""What every benchmark does with bad input: one sentence, exit code 2."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import diameters, nephrometry, peers
from benchmarks.command import positive, told_in_a_sentence
from seru.errors import BadInputError


@pytest.mark.parametrize(
    ("benchmark", "arguments"),
    [(diameters, ["{}"]), (nephrometry, ["{}"]), (peers, ["--only", "seru-torch", "--ct", "{}/ct.nii.gz"])],
)
def test_a_benchmark_says_in_one_sentence_what_is_wrong(
    benchmark: ModuleType, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark.main([argument.format(tmp_path) for argument in arguments]) == 2

    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"{benchmark.__name__.rpartition('.')[2]}: '{tmp_path}")


@pytest.mark.parametrize("error", [BadInputError("It is bad."), PermissionError("It is bad.")])
def test_what_goes_well_is_returned_and_what_is_nobodys_input_is_raised(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(given: Exception | int) -> int:
        if isinstance(given, Exception):
            raise given
        return given

    assert told_in_a_sentence(main)(1) == 1
    assert told_in_a_sentence(main)(error) == 2
    assert capsys.readouterr().err == "test_benchmarks: It is bad.\n"
    with pytest.raises(ZeroDivisionError):
        told_in_a_sentence(main)(ZeroDivisionError())


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many"])
def test_a_count_is_1_or_more(text: str) -> None:
    assert positive("12") == 12
    with pytest.raises(Exception, match="no number of 1 or more"):
        positive(text)
