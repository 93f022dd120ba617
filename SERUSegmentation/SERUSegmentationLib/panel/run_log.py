"""The dated log of the panel."""

from __future__ import annotations

import datetime
import logging
from collections import deque
from collections.abc import Callable

_LIMIT = 2000


class RunLog:
    """Keeps the last lines and passes each one on.

    Args:
        onLine: called with each dated line.
    """

    def __init__(self, onLine: Callable[[str], None] | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=_LIMIT)
        self._onLine = onLine

    def add(self, text: str) -> None:
        """Add a line with today's date and time; an empty one is left out."""
        if not text.strip():
            return
        line = f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}  {text}"
        self._lines.append(line)
        # Slicer's own log keeps it too, for bug reports sent from there.
        logging.debug("SERU: %s", text)
        if self._onLine:
            self._onLine(line)

    def text(self) -> str:
        """Return all lines."""
        return "\n".join(self._lines)
