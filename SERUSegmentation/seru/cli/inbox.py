"""Lines of standard input, read in a thread of their own; what is damaged or endless costs one answer and no memory."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from seru.cli.requests import LONGEST_LINE, AnyRequest, PlainRequest, RequestError, read_request
from seru.errors import CancelledError

_BLOCK = 1 << 16


class Inbox(threading.Thread):
    """Reads requests until standard input ends.

    Args:
        take_in: called with each request; may raise ``RequestError``.
        refuse: called with what is wrong with a line.
        close: called at the end, unless ``quit`` came before; tells whether work has to be ended.
    """

    def __init__(
        self,
        take_in: Callable[[AnyRequest], None],
        refuse: Callable[[RequestError], None],
        close: Callable[[], bool],
    ) -> None:
        super().__init__(daemon=True, name="seru-inbox")
        self._take_in, self._refuse, self._close = take_in, refuse, close

    def run(self) -> None:
        """Read to the end."""
        # Raised where nobody reads the answers any more: that is an end too.
        with suppress(CancelledError):
            for line in read_lines(_blocks()):
                if self._read(line):
                    return
        if self._close():
            # As if asked to by a signal: what does not come to its next step is ended.
            _thread.interrupt_main(signal.SIGTERM)

    def _read(self, line: bytes | None) -> bool:
        """Take a line in; tell whether it is the last one that counts."""
        try:
            if line is None:
                raise RequestError(f"A line is longer than {LONGEST_LINE} bytes; send shorter ones.")
            if not line.strip():
                return False
            request = read_request(line)
            self._take_in(request)
        except RequestError as error:
            self._refuse(error)
            return False
        return isinstance(request, PlainRequest) and request.do == "quit"


def read_lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Divide what is read into lines.

    Args:
        blocks: in order, none of them empty.

    Yields:
        Each line without its end, the last one too where it has none; None for one that is too long.
    """
    rest, is_too_long = b"", False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield None if is_too_long or len(line) > LONGEST_LINE else line
            is_too_long = False
        if len(rest) > LONGEST_LINE:
            rest, is_too_long = b"", True
    if rest or is_too_long:
        yield None if is_too_long else rest


def _blocks() -> Iterator[bytes]:
    """What standard input holds: the file itself and not ``sys.stdin``, whose lock the interpreter wants at its end."""
    with suppress(OSError):
        while block := os.read(0, _BLOCK):
            yield block
