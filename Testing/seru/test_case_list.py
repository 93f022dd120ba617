"""A cohort from a CSV list of paths and ids."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from seru.cli import main
from seru.cohort.case_list import read_case_list
from seru.errors import BadInputError
from seru.io.images import write_volume
from seru.phantom import PhantomOptions, make_phantom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cts").mkdir()
    for name in ("a.nii.gz", "b.nii.gz", "ü, 2.nii.gz"):
        (tmp_path / "cts" / name).write_bytes(b"x")
    (tmp_path / "series").mkdir()
    return tmp_path


def listed(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_one_ct_under_several_ids_is_told_once_however_it_is_reached(folder: Path) -> None:
    (folder / "link.nii.gz").symlink_to(folder / "cts" / "a.nii.gz")
    rows = ["cts/a.nii.gz,a1", "series,s1", "link.nii.gz,a2", "cts/b.nii.gz,b", "./cts/a.nii.gz,a3", "series/,s2"]
    cohort = read_case_list(listed(folder, "\n".join(["path,id", *rows, "cts/a.nii.gz,a4"])))

    assert cohort.repeated() == [
        f"'{folder / 'cts' / 'a.nii.gz'}' is 4 cases (a1, a2, a3, ...), and is run for each.",
        f"'{folder / 'series'}' is 2 cases (s1, s2), and is run for each.",
    ]
    assert len(cohort.cases) == 7


@pytest.mark.parametrize(
    "content",
    [
        "path,id\ncts/a.nii.gz,one\nseries,two\n",
        "\ufeffpath,id\r\ncts/a.nii.gz,one\r\nseries,two\r\n",
        "path;id\ncts/a.nii.gz;one\n\nseries;two",
        'ID,age, Path \none,70,"cts/a.nii.gz"\n,,\ntwo,60,series\n',
        "path\tid\r\ncts/a.nii.gz\tone\r\nseries\ttwo\r\n",
        'path;id;"age, years"\ncts/a.nii.gz;one;70\nseries;two;60\n',
        'path,id,"age; years"\ncts/a.nii.gz,one,70\nseries,two,60\n',
    ],
    ids=["plain", "byte order mark", "semicolons", "other columns", "tabs", "a comma in it", "a semicolon in it"],
)
def test_paths_are_relative_to_the_list_and_ids_name_the_cases(folder: Path, content: str) -> None:
    cohort = read_case_list(listed(folder, content))

    assert [(case.name, case.path) for case in cohort.cases] == [
        ("one", folder / "cts" / "a.nii.gz"),
        ("two", folder / "series"),
    ]
    assert cohort.left_out == []


def test_absolute_paths_and_any_names_stay_as_they_are(folder: Path) -> None:
    cohort = read_case_list(listed(folder, f'id,path\nÄ 1,"{folder / "cts" / "ü, 2.nii.gz"}"\n'))

    assert [(case.name, case.path) for case in cohort.cases] == [("Ä 1", folder / "cts" / "ü, 2.nii.gz")]


def test_a_missing_file_is_listed_with_its_line_and_stops_no_other(folder: Path) -> None:
    cohort = read_case_list(listed(folder, "path,id\nnone.nii.gz,one\ncts/a.nii.gz,two\n"))

    (missing,) = cohort.left_out
    assert (missing.name, missing.is_fault) == ("one", True)
    assert missing.reason == f"There is no '{folder / 'none.nii.gz'}' (line 2 of the list)."
    assert [case.name for case in cohort.cases] == ["two"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("path,id\na,one\nb,One\n", r"has the id 'One' in lines 2 and 3; give each its own\.$"),
        ("path,id\na,\u00e9\nb,e\u0301\n", r"has the id 'e\u0301' in lines 2 and 3; give each its own\.$"),
        ("file,name\na,one\n", r"begins with 'file,name'; its first line must name the columns: path,id\.$"),
        ("path\ta\n", "its first line must name the columns"),
        ("path,id,id\na,b,c\n", "its first line must name the columns"),
        ("", "its first line must name the columns"),
        ("path,id\n", r"has no cases; give one a line below 'path,id'\.$"),
        ("path,id\ncts/a.nii.gz\n", r"Line 2 of the list '.*' has no id; give one\.$"),
        ("path,id\n,one\n", r"Line 2 of the list '.*' has no path; give one\.$"),
        ("path,id\na,../one\n", "which can be no file's name"),
        ("path,id\na,c:one\n", "which can be no file's name"),
        ("path,id\na,NUL\n", "which can be no file's name"),
        ("path,id\na,.one\n", "which can be no file's name"),
        ('path,id\na,"o\ne"\n', "which can be no file's name"),
        ("path,id\na,Summary\n", "as the summary is called"),
        (f"path,id\na,{'x' * 201}\n", "more than 200 bytes"),
        ('path,id\n"a,one\n', "is no CSV"),
        ("path,id\nä,one\n".encode("latin-1"), "is not in UTF-8; save it as CSV UTF-8"),
        ("path,id\n".encode("utf-16"), "is not in UTF-8"),
        (b"path,id\n\0", "is no list of cases"),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_one_sentence(folder: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read_case_list(listed(folder, content))


def test_a_batch_runs_a_list(tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = make_phantom(PhantomOptions(seed=3, shape_kji=(12, 64, 64), spacing_kji_mm=(18.0, 6.0, 6.0))).volume
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write_volume(volume, tmp_path / "deep" / "er" / "imaging.nii.gz")
    path = listed(tmp_path, "path,id\ndeep/er/imaging.nii.gz,=p1\nnone.nii.gz,p2\ndeep/../deep/er/imaging.nii.gz,p3\n")

    command = ["batch", str(path), "-o", str(tmp_path / "out"), "--model", str(tiny_model), "--threads", "1"]
    code = main([*command, "--progress", "none"])

    missing, case, again = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["cases"]
    assert (code, missing["name"], missing["status"]) == (1, "p2", "failed")
    assert (case["name"], case["status"]) == ("=p1", "done")
    assert (again["name"], again["status"]) == ("p3", "done")
    assert (tmp_path / "out" / "=p1.nii.gz").is_file()
    with open(tmp_path / "out" / "summary.csv", encoding="utf-8") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["p2", "'=p1", "p3"]
    told = capsys.readouterr().err
    assert "1 of 3 cases failed" in told
    assert f"'{tmp_path / 'deep/er/imaging.nii.gz'}' is 2 cases (=p1, p3), and is run for each." in told


def test_a_list_that_is_not_there_is_told(tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["batch", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out"), "--model", str(tiny_model)]

    assert main(command) == 2
    assert "There is no list" in capsys.readouterr().err
