"""Standard output and error that may be missing, closed or full: what is told never decides what is written."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from seru.errors import CancelledError


def ready_streams() -> None:
    """Give the process standard streams that can be written to.

    Where one is closed (``>&-``, ``pythonw``), the next file that is opened would get its number, and what a library
    prints would end up in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end
        # Names of files and messages may hold any letter, whatever the terminal's code page.
        if hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def settle_streams() -> None:
    """Leave nothing in memory that the interpreter would fail to write at its end, and change the exit code by that."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            give_up(stream)


def give_up(stream: TextIO) -> None:
    """Send what is still to be written to a stream nowhere.

    Args:
        stream: a standard stream that failed.
    """
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def one_line(text: str) -> str:
    """Return a text as one line that commands no terminal: names of files may hold any character.

    Args:
        text: of a message.

    Returns:
        The same, each control character written as Python would.
    """
    return "".join(repr(letter)[1:-1] if unicodedata.category(letter) == "Cc" else letter for letter in text)


class Lenient:
    """A text stream for people: what cannot be written is dropped.

    Args:
        stream: it may be closed, or full.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write a text."""
        self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(self._stream.flush)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (OSError, ValueError):
            give_up(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Pipe(Lenient):
    """A text stream for a program: when its reader goes away, nobody waits for the result, and the run is cancelled.

    A full disk at its other end is no such sign: then the run goes on untold.
    """

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (BrokenPipeError, ValueError) as error:
            raise CancelledError("What read the progress has gone; no output was written.") from error
        except OSError:
            give_up(self._stream)
