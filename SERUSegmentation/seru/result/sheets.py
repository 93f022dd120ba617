"""Pages from templates: one look for all of them, and one place that makes HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.packages import require_optional
from seru.places import check_writable

PAGE_ENDINGS = (".html", ".htm")
_TEMPLATES = Path(__file__).parent
# Rows of any list on the screen.
MOST_SHOWN = 200


def require_jinja2() -> None:
    """Check that Jinja2 is there.

    Raises:
        BadInputError: it is not, with how to get it.
    """
    require_optional("jinja2", "Jinja2", "Writing a page")


def check_page(path: Path) -> None:
    """Check, before any work, that a page can be made and written.

    Args:
        path: of the page.

    Raises:
        BadInputError: its name has no ending of a page, its place cannot be written to, or Jinja2 is missing.
    """
    if path.suffix.lower() not in PAGE_ENDINGS:
        raise BadInputError(f"The page '{path}' has none of the endings {' and '.join(PAGE_ENDINGS)}; add one of them.")
    check_writable(path)
    require_jinja2()


def theme() -> str:
    """Return the style that every page begins with, for one that is not rendered here."""
    return (_TEMPLATES / "theme.css").read_text(encoding="utf-8")


def render(template: str, content: Mapping[str, Any]) -> str:
    """Return a page; every text of the content stays text, whatever it holds.

    Args:
        template: name of the file beside this one.
        content: what the template asks for.

    Raises:
        BadInputError: Jinja2 is missing.
    """
    require_jinja2()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**content, most_shown=MOST_SHOWN)
