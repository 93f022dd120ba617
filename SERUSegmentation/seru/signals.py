"""What SIGINT and SIGTERM do, from the first moment of the command to its last."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from seru.errors import CANCELLED, CancelledError

# Windows has no SIGTERM between processes; a console program is asked to stop by CTRL_BREAK_EVENT.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
# How long a run may take to its next step; a read may be stuck for ever.
GRACE_S = 5.0


class Signals:
    """Turns signals into what the moment asks for.

    While the command starts, a signal ends it at once. In a run the first one asks it to stop at its next step, a
    second one stops it where it is, and what does not stop within :data:`GRACE_S` is ended. Once the results are in
    place, none changes anything.
    """

    def __init__(self) -> None:
        self._old: dict[int, Any] = {}
        self._cancel: Callable[[], None] | None = None
        self._before_end: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None
        self._is_over = False

    def catch(self) -> None:
        """Begin to catch signals; nothing outside the main thread, where whoever runs us handles them."""
        for number in _SIGNALS:
            try:
                old = signal.signal(number, self._handle)
            except ValueError:
                return
            self._old.setdefault(number, old)

    def begin(self, cancel: Callable[[], None], before_end: Callable[[], None]) -> None:
        """Begin a run.

        Args:
            cancel: asks the run to stop at its next step.
            before_end: tells that it was cancelled and tidies up, where it does not stop by itself; called in another
                thread, and waited for no longer than a second.
        """
        self._cancel, self._before_end = cancel, before_end

    def end(self) -> None:
        """End a run, or say that its results are in place: from now on signals change nothing."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def release(self) -> None:
        """Give the signals back to whoever had them."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old.clear()

    def ignore(self) -> None:
        """Ignore signals to the end of the process, whose exit code is decided."""
        for number in self._old:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            return
        if self._cancel is None:
            _end_at_once()
        if self._timer is not None:
            raise CancelledError("The run was stopped; no output was written.")
        self._timer = threading.Timer(GRACE_S, self._end_stuck)
        self._timer.daemon = True
        with suppress(RuntimeError, MemoryError):  # no memory for a thread
            self._timer.start()
        self._cancel()

    def _end_stuck(self) -> None:
        """End a run that does not come to its next step."""
        if self._before_end is not None and not self._is_over:
            teller = threading.Thread(target=self._before_end, daemon=True)
            teller.start()
            teller.join(1.0)
        if not self._is_over:
            os._exit(CancelledError.exit_code)


def _end_at_once() -> NoReturn:
    """End a command that has not begun its work; what is half imported is left as it is."""
    with suppress(OSError):
        if "--progress json" in " ".join(sys.argv).replace("=", " "):
            event = {"event": "error", "code": CancelledError.exit_code, "message": CANCELLED}
            os.write(1, f"{json.dumps(event)}\n".encode())
        os.write(2, f"seru: {CANCELLED}\n".encode())
    os._exit(CancelledError.exit_code)
