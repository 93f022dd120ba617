"""Runs inside the child process: the command ``seru``, which ends when Slicer lets go of it.

Slicer holds the other end of standard input. A word from there cancels the run, and so does its end, when Slicer has
crashed or was killed: on every system, and through Slicer's Python launcher too, which passes no signals on. To
``seru worker`` the words are requests, and are handed on.
"""

from __future__ import annotations

import _thread
import os
import shutil
import signal
import sys
import threading
import time

# How long a cancelled run may take to stop at its next step.
GRACE_S = 5.0
_STDIN = 0
_BLOCK = 1 << 16


def main() -> int:
    """Run ``seru`` with the arguments after the first one, which is the run's folder.

    Returns:
        The command's exit code.
    """
    folder, *arguments = sys.argv[1:]
    parent = _Parent(folder, takesRequests=arguments[:1] == ["worker"])
    parent.start()
    from seru.__main__ import main as seru

    code = seru(arguments)
    if parent.isGone:
        parent.removeFolder()
    return code


class _Parent(threading.Thread):
    """Waits for a word from the parent, or for its end."""

    def __init__(self, folder: str, takesRequests: bool) -> None:
        super().__init__(daemon=True)
        self.isGone = False
        self._folder = folder
        self._requests: int | None = None
        self._words = _STDIN
        if takesRequests:
            # The command reads from a pipe of ours as it would from the parent.
            self._words = os.dup(_STDIN)
            reading, self._requests = os.pipe()
            os.dup2(reading, _STDIN)
            os.close(reading)

    def run(self) -> None:
        try:
            # The file itself and not sys.stdin, whose lock the interpreter wants at its end.
            while (words := os.read(self._words, _BLOCK)) and self._requests is not None:
                os.write(self._requests, words)
            self.isGone = not words
        except OSError:
            self.isGone = True
        if self._requests is None:
            _thread.interrupt_main(signal.SIGTERM)
        else:
            # The command cancels what it works on, and ends.
            os.close(self._requests)
        time.sleep(GRACE_S)
        if self.isGone:
            self.removeFolder()
        os._exit(130)

    def removeFolder(self) -> None:
        """Leave nothing behind where Slicer can no longer tidy up."""
        os.chdir(os.path.dirname(self._folder) or os.sep)
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
