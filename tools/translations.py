"""The module's texts for translators: Qt's .ts files, as Slicer's Language Tools and its translation server take them.

    python -m tools.translations          # brings Resources/Translations/SERUSegmentation_*.ts in line with the sources
    python -m tools.translations fr       # begins another language

What is translated already stays, also where its text moved to another file. A text's context is the one that
``slicer.i18n`` looks it up in: folder and name of its file, or the class of the form.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tools.packaged_files import REPOSITORY

MODULE = REPOSITORY / "SERUSegmentation"
FOLDER = MODULE / "Resources" / "Translations"
FORM = MODULE / "Resources" / "UI" / "SERUSegmentation.ui"
# Where the panel shows the help of the options, which is the command's too: seru knows nothing of translations.
_HELP = MODULE / "SERUSegmentationLib" / "panel" / "parameters.py"
# What seru says of nephrometry's components, likewise.
_SCORES = MODULE / "SERUSegmentationLib" / "panel" / "nephrometry_texts.py"
_PREFIX = "SERUSegmentation_"
_QUOTES = {'"': "&quot;", "'": "&apos;"}
_PLACEHOLDER = re.compile(r"(?<!{){([^{}]+)}(?!})")

Texts = dict[tuple[str, str], list[Path]]
"""The files that hold a text, by context and text."""


def texts_in_sources() -> Texts:
    """Return every text that people read in the panel, in the order of the sources.

    Raises:
        ValueError: what is to be translated is no text in quotes.
    """
    found: Texts = {}
    for path, context, text in [*_of_form(), *_of_options(), *_of_scores(), *_of_code()]:
        files = found.setdefault((context, text), [])
        if path not in files:
            files.append(path)
    return found


def read_translations(path: Path) -> dict[tuple[str, str], str]:
    """Return the translations of a .ts file by context and text; empty ones are those still to be made.

    Args:
        path: of the file; one that is not there holds none.
    """
    if not path.is_file():
        return {}
    return {
        (context.findtext("name", ""), message.findtext("source", "")): message.findtext("translation", "")
        for context in ElementTree.parse(path).iter("context")
        for message in context.iter("message")
    }


def placeholders(text: str) -> set[str]:
    """Return the names in braces, which a translation must hold too: Slicer shows the English text otherwise."""
    return set(_PLACEHOLDER.findall(text))


def files() -> list[Path]:
    """Return the .ts files there are."""
    return sorted(FOLDER.glob(f"{_PREFIX}*.ts"))


def context_of(path: Path) -> str:
    """Return the context of a Python file's texts, as ``slicer.i18n.getContext`` makes it."""
    is_package = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}.{path.stem}" if is_package else path.stem


def updated(path: Path) -> str:
    """Return what a .ts file is to hold.

    Args:
        path: of the file, whose translations are taken over; its name ends with the language.
    """
    known = read_translations(path)
    same = {text: translation for (_, text), translation in known.items() if translation}
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>"]
    lines.append(f'<TS version="2.1" language="{path.stem.removeprefix(_PREFIX)}">')
    texts = texts_in_sources()
    for name in sorted({context for context, _ in texts}):
        lines += ["<context>", f"    <name>{name}</name>"]
        for (context, text), holders in texts.items():
            if context == name:
                lines += _message(text, holders, known.get((context, text)) or same.get(text, ""))
        lines.append("</context>")
    return "\n".join([*lines, "</TS>", ""])


def _message(text: str, holders: list[Path], translation: str) -> Iterator[str]:
    yield "    <message>"
    # Without lines: these would change with every edit.
    for holder in holders:
        yield f'        <location filename="../../{holder.relative_to(MODULE).as_posix()}"/>'
    yield f"        <source>{escape(text, _QUOTES)}</source>"
    state = "" if translation else ' type="unfinished"'
    yield f"        <translation{state}>{escape(translation, _QUOTES)}</translation>"
    yield "    </message>"


def _of_form() -> Iterator[tuple[Path, str, str]]:
    root = ElementTree.parse(FORM).getroot()
    fixed = {string for element in root.iter() if element.get("notr") == "true" for string in element.iter("string")}
    for string in root.iter("string"):
        if string.text and string.text.strip() and string not in fixed:
            yield FORM, root.findtext("class", ""), string.text


def _of_options() -> Iterator[tuple[Path, str, str]]:
    from seru.options import switches

    form = FORM.read_text(encoding="utf-8")
    for switch in switches():
        if f">{switch.camel_case}</" in form:
            yield _HELP, context_of(_HELP), switch.sentence


def _of_scores() -> Iterator[tuple[Path, str, str]]:
    from SERUSegmentationLib.panel.nephrometry_texts import TEXTS

    for text in TEXTS:
        yield _SCORES, context_of(_SCORES), text


def _of_code() -> Iterator[tuple[Path, str, str]]:
    for path in [MODULE / "SERUSegmentation.py", *sorted((MODULE / "SERUSegmentationLib").rglob("*.py"))]:
        if path not in (_HELP, _SCORES):
            for call in _calls(path):
                yield path, context_of(path), _literal(call, path)


def _calls(path: Path) -> list[ast.Call]:
    """The calls of ``_`` in the order of the file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    found = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_"]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _literal(call: ast.Call, path: Path) -> str:
    text = call.args[0]
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return text.value
    raise ValueError(f"{path.name}, line {call.lineno}: write the text itself into _(), and fill it in with .format().")


def main(arguments: list[str]) -> None:
    """Bring files in line with the sources, and say how much is still to be translated.

    Args:
        arguments: codes as ``de`` or ``pt_BR``; none takes those that are there.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", type=_language, help="code as de or pt_BR")
    languages = parser.parse_args(arguments).languages
    sys.path.insert(0, str(MODULE))
    FOLDER.mkdir(exist_ok=True)
    for path in [FOLDER / f"{_PREFIX}{language}.ts" for language in languages] or files():
        path.write_text(updated(path), encoding="utf-8")
        translations = read_translations(path).values()
        print(f"{path.name}: {len(translations)} texts, {sum(not text for text in translations)} to be translated")


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z][A-Za-z]+)?", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no code of a language, as de or pt_BR")
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
