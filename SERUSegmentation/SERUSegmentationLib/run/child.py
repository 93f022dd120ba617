"""Runs inside the child process: the command ``seru``, which ends when Slicer lets go of it.

Slicer holds the other end of standard input. A word from there cancels the run, and so does its end, when Slicer has
crashed or was killed: on every system, and through Slicer's Python launcher too, which passes no signals on.
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


def main() -> int:
    """Run ``seru`` with the arguments after the first one, which is the run's folder.

    Returns:
        The command's exit code.
    """
    folder, *arguments = sys.argv[1:]
    parent = _Parent(folder)
    parent.start()
    from seru.__main__ import main as seru

    code = seru(arguments)
    if parent.isGone:
        parent.removeFolder()
    return code


class _Parent(threading.Thread):
    """Waits for a word from the parent, or for its end."""

    def __init__(self, folder: str) -> None:
        super().__init__(daemon=True)
        self.isGone = False
        self._folder = folder

    def run(self) -> None:
        try:
            # The file itself and not sys.stdin, whose lock the interpreter wants at its end.
            self.isGone = not os.read(0, 1024)
        except OSError:
            self.isGone = True
        _thread.interrupt_main(signal.SIGTERM)
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
