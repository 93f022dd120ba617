"""``seru worker``: a child that stays, for a program that refines boxes while a person drags them.

Requests come on stdin and events go to stdout, one JSON object a line; arrays go through files. docs/worker.md has the
whole protocol.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

import seru
from seru.cli.arguments import add_debug_argument
from seru.cli.failures import as_seru_error
from seru.cli.inbox import Inbox
from seru.cli.live_case import LiveCase
from seru.cli.requests import AnyRequest, CancelRequest, PlainRequest, RefineRequest, RequestError, SegmentRequest
from seru.cli.session import Session
from seru.errors import BadInputError, CancelledError, DeviceError
from seru.files import replacing
from seru.findings import Side
from seru.memory import give_back, is_short
from seru.progress import JsonProgress, TextSink

if TYPE_CHECKING:
    from pathlib import Path

    from seru.cascade.live_scan import PartMaker

DESCRIPTION = (
    "Stay ready and segment what is asked for on stdin, one JSON object a line; events go to stdout likewise. The last "
    "CT can be refined again in other boxes. It ends when stdin is closed."
)
PROTOCOL = 1
_IDLE_S = 600.0
# How often it looks whether there is something to do, to free, or nobody left.
_TICK_S = 0.5
_MOST_WAITING = 100
_PART = re.compile(r"seru_slices_-?\d+_\d+\.npz")
_CANCELLED = "The request was cancelled; the last result stays."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument(
        "--idle",
        type=float,
        default=_IDLE_S,
        metavar="SECONDS",
        help=f"free networks and CT after so long without a request (default: {_IDLE_S:.0f})",
    )
    add_debug_argument(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Answer requests until there are no more.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0 after ``quit`` or the end of stdin.

    Raises:
        BadInputError: the idle time is none.
        CancelledError: a signal ended it.
    """
    if not (math.isfinite(arguments.idle) and arguments.idle >= 0):
        raise BadInputError(f"The idle time is {arguments.idle} s; give a number of seconds that is 0 or more.")
    worker = Worker(session.events(), arguments.idle, arguments.debug)
    session.when_cancelled(worker.stop)
    worker.run()
    return 0


class Worker:
    """Answers one request after the other; another thread takes them in, so that cancelling acts at once.

    Args:
        events: lines of JSON are written to it.
        idle_s: free everything after so long without a request.
        debug: print tracebacks.
    """

    def __init__(self, events: TextSink, idle_s: float, debug: bool) -> None:
        self._events, self._idle_s, self._debug = events, idle_s, debug
        self._case = LiveCase(stays=True)
        self._state = threading.Condition()
        self._waiting: deque[AnyRequest] = deque()
        self._running: _RequestProgress | None = None
        self._is_stopped = self._is_closed = False
        self._parts: list[Path] = []
        self._parent = os.getppid()

    def run(self) -> None:
        """Answer requests until stdin is closed, ``quit`` is asked for, or the parent is gone.

        Raises:
            CancelledError: :meth:`stop` was called, or nobody reads the events.
        """
        _RequestProgress(None, self._events).tell("ready", protocol=PROTOCOL, version=seru.__version__)
        Inbox(self._take_in, self._refuse, self._close).start()
        try:
            while (request := self._next()) is not None:
                self._handle(request)
        finally:
            self._clear_parts()
            for request in self._waiting:
                with suppress(CancelledError):
                    _RequestProgress(request.id, self._events).error(CancelledError.exit_code, _CANCELLED)
        if self._is_stopped:
            raise CancelledError("The worker was stopped.")

    def stop(self) -> None:
        """End at the next step; for a signal handler."""
        self._is_stopped = True
        if self._running is not None:
            self._running.cancel()

    # What the other thread calls

    def _take_in(self, request: AnyRequest) -> None:
        progress = _RequestProgress(request.id, self._events)
        with self._state:
            ids = [other.id for other in self._waiting] + ([self._running.id] if self._running else [])
            if request.id in ids:
                raise RequestError(f"The number {request.id} is in use; send the request again, with another number.")
            if isinstance(request, CancelRequest):
                self._cancel(request)
                progress.tell("done")
            elif isinstance(request, PlainRequest) and request.do == "status":
                progress.tell("status", running=self._running and self._running.id, waiting=ids[: len(self._waiting)],
                              networks=self._case.holds_anything, ct=self._ct())  # fmt: skip
                progress.tell("done")
            elif len(self._waiting) >= _MOST_WAITING:
                raise RequestError("Too many requests wait; send it again when some have ended.", request.id)
            else:
                self._waiting.append(request)
                self._state.notify()

    def _refuse(self, error: RequestError) -> None:
        _RequestProgress(error.id, self._events).error(error.exit_code, str(error))

    def _close(self) -> bool:
        """No more requests will come; tell whether work has to be ended."""
        with self._state:
            self._is_closed = True
            self._state.notify()
            return self._running is not None

    def _cancel(self, request: CancelRequest) -> None:
        if self._running is not None and self._running.id == request.of:
            self._running.cancel()
            return
        for other in self._waiting:
            if other.id == request.of:
                self._waiting.remove(other)
                _RequestProgress(other.id, self._events).error(CancelledError.exit_code, _CANCELLED)
                return
        raise RequestError(f"There is no request {request.of} to cancel.", request.id)

    def _ct(self) -> str | None:
        return str(self._case.order.source) if self._case.holds_ct and self._case.order else None

    # The main thread

    def _next(self) -> AnyRequest | None:
        """Wait for a request; None at the end. Meanwhile free what is not used."""
        since, is_tidy = time.monotonic(), False
        with self._state:
            while not (self._is_stopped or self._is_closed or os.getppid() != self._parent):
                if self._waiting:
                    request = self._waiting.popleft()
                    if isinstance(request, PlainRequest) and request.do == "quit":
                        return None
                    self._running = _RequestProgress(request.id, self._events)
                    return request
                if self._case.holds_anything and (time.monotonic() - since >= self._idle_s or is_short()):
                    self._case.release()
                    is_tidy = False
                self._state.wait(_TICK_S)
                # Not before the next request, which may have come at once.
                if not (is_tidy or self._waiting):
                    give_back()
                    is_tidy = True
        return None

    def _handle(self, request: AnyRequest) -> None:
        progress = self._running
        assert progress is not None
        error: BaseException | None = None
        try:
            facts = self._answer(request, progress)
        except (Exception, KeyboardInterrupt) as problem:
            error = problem
        with self._state:
            self._running = None
        if error is None:
            progress.tell("done", **facts)
            return
        known = as_seru_error(error)
        if self._debug:
            traceback.print_exception(error)
        # What the failed run still holds may be the memory that is missing now.
        traceback.clear_frames(error.__traceback__)
        if isinstance(known, DeviceError):
            self._case.release()
        is_cancelled = isinstance(known, CancelledError)
        progress.error(known.exit_code, _CANCELLED if is_cancelled else str(known))

    def _answer(self, request: AnyRequest, progress: _RequestProgress) -> dict[str, Any]:
        self._clear_parts()
        if isinstance(request, PlainRequest):
            self._case.release()
            return {}
        if isinstance(request, SegmentRequest):
            order = request.order()
            _clear_left_parts(order.outputs.maps)
            self._case.segment(order, progress)
        elif isinstance(request, RefineRequest):
            teller = self._part_teller(request.side, progress)
            self._case.refine(request.side, request.box, request.key_slice, progress, teller)
        outputs = self._case.order.outputs if self._case.order else None
        places = {name: getattr(outputs, name) for name in ("output", "report", "maps", "pictures")}
        return {name: str(path) for name, path in places.items() if path is not None}

    def _part_teller(self, side: Side, progress: _RequestProgress) -> Callable[[PartMaker], None]:
        folder = self._case.order.outputs.maps if self._case.order else None

        def tell(maker: PartMaker) -> None:
            # Where someone took the folder away there are no slices; the maps at the end make it anew.
            if folder is None or not folder.is_dir() or maker.side != side:
                return
            part = maker.make()
            path = folder / f"seru_slices_{progress.id}_{len(self._parts)}.npz"
            self._parts.append(path)
            with replacing(path) as file:
                np.savez(file, coarse=np.ascontiguousarray(part.coarse), refined=np.ascontiguousarray(part.refined))
            first, last = (end[part.stack_axis] for end in (part.ijk_min, part.ijk_max))
            progress.tell("slices", side=side, file=str(path), first=first, count=last - first + 1,
                          ijk_min=part.ijk_min, ijk_max=part.ijk_max)  # fmt: skip

        return tell

    def _clear_parts(self) -> None:
        """Remove the slices of the last request: its maps hold them."""
        for path in self._parts:
            with suppress(OSError):
                path.unlink()
        self._parts.clear()


def _clear_left_parts(folder: Path | None) -> None:
    """Remove the slices that a killed worker left."""
    if folder is not None:
        with suppress(OSError):
            for path in folder.iterdir():
                if _PART.fullmatch(path.name):
                    path.unlink()


class _RequestProgress(JsonProgress):
    """The events of one request.

    Args:
        id: that every event repeats; None for what belongs to no request.
        events: the lines go to it.
    """

    def __init__(self, id: int | None, events: TextSink) -> None:
        super().__init__(events)
        self.id = id

    def tell(self, event: str, **facts: Any) -> None:
        """Write an event of the worker's own."""
        self._write(event=event, **facts)

    def _write(self, **values: Any) -> None:
        super()._write(id=self.id, **values)
