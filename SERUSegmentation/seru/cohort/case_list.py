"""The cases of a cohort from a list that someone wrote: CSV with the columns ``path`` and ``id``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from seru.cohort.discovery import LONGEST_STEM, Case, Cohort, LeftOut
from seru.cohort.separators import separator_of
from seru.cohort.summary import SUMMARY
from seru.errors import BadInputError
from seru.places import folded

LIST_ENDING = ".csv"
_COLUMNS = ("path", "id")
_LARGEST_LIST = 1 << 26
# What Windows and its shares have in no name of a file.
_IN_NO_NAME = frozenset('<>:"/\\|?*')


def is_case_list(path: Path) -> bool:
    """Tell whether a path is that of a list of cases."""
    return path.suffix.lower() == LIST_ENDING and not path.is_dir()


def read_case_list(path: Path) -> Cohort:
    """Read a list of cases.

    UTF-8, with or without a byte order mark; separated by commas, semicolons or tabs. The first line names the columns:
    ``path`` of a CT file, a DICOM folder or a zip of one, relative to the list's own folder unless it is absolute, and
    ``id``, after which the results are called. Further columns are the writer's own.

    Args:
        path: of the list.

    Returns:
        The cases in the list's order; what is not there is left out as a fault.

    Raises:
        BadInputError: it is no such list, or an id is empty, given twice, or no name of a file.
    """
    cases: list[Case] = []
    left_out: list[LeftOut] = []
    lines_of: dict[str, int] = {}
    for line, place, name in _rows(path):
        _check_id(name, f"Line {line} of the list '{path}'")
        first = lines_of.setdefault(folded(name), line)
        if first != line:
            raise BadInputError(
                f"The list '{path}' has the id '{name}' in lines {first} and {line}; give each its own."
            )
        source = path.parent / place
        if source.exists():
            cases.append(Case(name, source))
        else:
            left_out.append(LeftOut(name, source, f"There is no '{source}' (line {line} of the list).", True))
    if not (cases or left_out):
        raise BadInputError(f"The list '{path}' has no cases; give one a line below 'path,id'.")
    return Cohort(cases, left_out)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the number of each line that is not empty, with its path and id."""
    text = _read(path)
    header = text.partition("\n")[0]
    # Not split into lines before: a cell in quotes may hold some.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text, _COLUMNS), strict=True)
    try:
        columns = [cell.strip().casefold() for cell in next(reader, [])]
        if any(columns.count(name) != 1 for name in _COLUMNS):
            shown = header.strip()[:80]
            raise BadInputError(
                f"The list '{path}' begins with '{shown}'; its first line must name the columns: path,id."
            )
        at = [columns.index(name) for name in _COLUMNS]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                place, name = (cells[index].strip() if index < len(cells) else "" for index in at)
                if not place:
                    raise BadInputError(f"Line {reader.line_num} of the list '{path}' has no path; give one.")
                yield reader.line_num, place, name
    except csv.Error as error:
        raise BadInputError(f"Line {reader.line_num} of the list '{path}' is no CSV ({error}).") from error


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInputError(f"There is no list '{path}'; give a CSV file with the columns path,id, or a folder.")
        if path.stat().st_size > _LARGEST_LIST:
            raise BadInputError(f"'{path}' is too long for a list of cases; give a CSV file with the columns path,id.")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise BadInputError(f"The list '{path}' cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"The list '{path}' is not in UTF-8; save it as CSV UTF-8.") from error
    if "\0" in text:
        raise BadInputError(f"'{path}' is no list of cases; give a CSV file with the columns path,id.")
    return text


def _check_id(name: str, where: str) -> None:
    """Check that results can be called after an id, on any computer and in one folder."""
    if not name:
        raise BadInputError(f"{where} has no id; give one.")
    is_plain = all(character.isprintable() and character not in _IN_NO_NAME for character in name)
    if not is_plain or "." in (name[0], name[-1]) or PureWindowsPath(name).is_reserved():
        raise BadInputError(f"{where} has the id '{name}', which can be no file's name; take letters, digits, - and _.")
    if folded(name) == SUMMARY:
        raise BadInputError(f"{where} has the id '{name}', as the summary is called; choose another one.")
    if len(name.encode()) > LONGEST_STEM:
        raise BadInputError(f"{where} has an id of more than {LONGEST_STEM} bytes; choose a shorter one.")
