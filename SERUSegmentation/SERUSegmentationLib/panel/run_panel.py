"""The Segment button with its progress, state and log."""

from __future__ import annotations

import datetime
import logging
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import qt

from seru.errors import BadInputError, CancelledError, ModelError, SeruError
from SERUSegmentationLib.panel.plain_text import displayError, setFramed, toolTipOf
from SERUSegmentationLib.run.progress import RunProgress, clock
from SERUSegmentationLib.texts import _

_STEPS = 1000
_LOG_LIMIT = 2000


class RunPanel:
    """Shows a run; what is run is the caller's.

    Args:
        ui: widgets of the panel.
        onSegment: called when Segment is clicked.
        onCancel: called when Cancel is clicked.
        facts: returns lines on versions and device for a copied log.
    """

    def __init__(
        self, ui: Any, onSegment: Callable[[], None], onCancel: Callable[[], None], facts: Callable[[], list[str]]
    ) -> None:
        self._ui = ui
        self._onSegment, self._onCancel, self._facts = onSegment, onCancel, facts
        self._isRunning = self._isStopping = False
        self._said, self._isError, self._reasons, self._title = "", False, "", ""
        self.log = RunLog(self._onLine)
        ui.segmentButton.connect("clicked(bool)", self._onClicked)
        ui.copyLogButton.connect("clicked(bool)", self._onCopy)
        ui.progressBar.setRange(0, _STEPS)
        ui.progressBar.visible = False
        ui.statusLabel.visible = False

    def setReasons(self, reasons: list[str]) -> None:
        """Enable Segment, or tell under it why not, and in its tooltip.

        Args:
            reasons: why it cannot be clicked; empty where it can.
        """
        self._reasons = "\n".join(reasons)
        self._show()
        if self._isRunning:
            return
        button = self._ui.segmentButton
        button.enabled = not reasons
        lines = [_("Segment cannot start yet:"), *(f"\u2022 {reason}" for reason in reasons)]
        button.toolTip = toolTipOf("\n".join(lines)) if reasons else _("Segment kidneys and tumors of the selected CT.")

    def startIfReady(self) -> None:
        """Start the run that had to wait, unless one goes on or something is missing now."""
        if not self._isRunning and self._ui.segmentButton.enabled:
            self._ui.segmentButton.click()

    def start(self, title: str = "") -> None:
        """Show that a run begins.

        Args:
            title: what of the CT it is of, before all that is told of it; empty for all of it.
        """
        self._isRunning, self._isStopping, self._title = True, False, title
        ui = self._ui
        ui.segmentButton.enabled = True
        ui.segmentButton.text = _("Cancel")
        ui.segmentButton.toolTip = _("Stop the run; nothing is written.")
        # Without a range the bar shows that something is going on: PyTorch takes seconds to load.
        ui.progressBar.setRange(0, 0)
        ui.progressBar.visible = True
        self.say(self._titled(_("Starting")))

    def update(self, progress: RunProgress) -> None:
        """Show where the run is; one that was asked to stop only stops.

        Args:
            progress: of the run.
        """
        if self._isStopping:
            return
        bar = self._ui.progressBar
        if progress.stage is not None:
            bar.setRange(0, _STEPS)
            bar.value = round(_STEPS * progress.fraction)
        times = [_("{time} elapsed").format(time=clock(progress.elapsed_s))]
        if progress.remaining_s is not None:
            times.append(_("about {time} left").format(time=clock(progress.remaining_s)))
        self.say(self._titled("{} \u2013 {}".format(progress.text(), ", ".join(times))))

    def cancelling(self) -> None:
        """Show that the run was asked to stop."""
        self._isStopping = True
        self._ui.segmentButton.enabled = False
        self._ui.segmentButton.text = _("Cancelling...")
        self._ui.progressBar.setRange(0, 0)
        self.say(_("Stopping the run"))

    def finish(
        self, error: Exception | None, progress: RunProgress, otherVolume: str = "", told: Collection[str] = ()
    ) -> None:
        """Show how the run ended.

        Args:
            error: None where it did not fail.
            progress: of the run.
            otherVolume: name of the run's CT where another one is chosen by now.
            told: warnings that stand beside the findings, where that CT's are shown.
        """
        self._isRunning = self._isStopping = False
        ui = self._ui
        ui.segmentButton.text = _("Segment")
        ui.progressBar.setRange(0, _STEPS)
        ui.progressBar.visible = False
        done = _("Done in {time}.").format(time=clock(progress.elapsed_s))
        isTold = set() if otherVolume else set(told)
        warnings = [warning for warning in progress.warnings if warning not in isTold]
        text = self._titled(" ".join([done, *warnings])) if error is None else _textOf(error)
        if otherVolume:
            text = _("'{name}': {text}").format(name=otherVolume, text=text)
        if error is None:
            self.say(text)
            self.log.add(self._titled(done))
        elif isinstance(error, CancelledError):
            self.say(text)
            self.log.add(text)
        elif isinstance(error, BadInputError | ModelError):
            # The user's or the setup's matter: nothing but the run was lost.
            self._fail(text)
        else:
            self._alarm(text)

    def fail(self, error: Exception) -> None:
        """Tell an error in one sentence, where the user looks.

        Args:
            error: what happened; nothing was lost by it.
        """
        self._fail(_textOf(error))

    def alarm(self, error: Exception) -> None:
        """Tell an error by which work was lost in a box too, with the log unfolded.

        Args:
            error: what happened.
        """
        self._alarm(_textOf(error))

    def _fail(self, text: str) -> None:
        self.say(text, isError=True)
        self.log.add(text)

    def _alarm(self, text: str) -> None:
        self._fail(text)
        self._ui.logCollapsibleButton.collapsed = False
        displayError(text, self.log.text())

    def forget(self) -> None:
        """Take back what was said of another CT or scene; a run goes on to be told of."""
        if not self._isRunning:
            self.say("")

    def say(self, text: str, isError: bool = False) -> None:
        """Show a sentence under the button."""
        self._said, self._isError = text, isError
        self._show()

    def tell(self, text: str, isError: bool = False) -> None:
        """Show a sentence under the button, unless what a run does stands there."""
        if not self._isRunning:
            self.say(text, isError)

    def _titled(self, text: str) -> str:
        return _("{part}: {text}").format(part=self._title, text=text) if self._title else text

    def _show(self) -> None:
        """What was said goes before what Segment waits for."""
        label = self._ui.statusLabel
        label.text = self._said or self._reasons
        label.visible = bool(label.text)
        setFramed(label, self._isError)

    def guarded(self, act: Callable[[], None]) -> None:
        """Do what the user started, and tell where it fails: the one place that catches.

        Args:
            act: what to do.
        """
        try:
            act()
        except SeruError as error:
            self.fail(error)
        except Exception as error:
            logging.exception("SERU: the run could not be started")
            self.alarm(error)

    def _onClicked(self, checked: bool = False) -> None:
        self.guarded(self._onCancel if self._isRunning else self._onSegment)

    def _onLine(self, line: str) -> None:
        text = self._ui.logTextEdit
        text.appendPlainText(line)
        # A long line would scroll the beginning of all out of view.
        text.horizontalScrollBar().setValue(0)

    def _onCopy(self, checked: bool = False) -> None:
        qt.QApplication.clipboard().setText("\n".join([*self._facts(), self.log.text()]))


def _textOf(error: Exception) -> str:
    return str(error) or type(error).__name__


class RunLog:
    """Keeps the last lines and passes each one on.

    Args:
        onLine: called with each dated line.
    """

    def __init__(self, onLine: Callable[[str], None] | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=_LOG_LIMIT)
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
