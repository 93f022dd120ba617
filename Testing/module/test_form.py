"""The form as it is read: the order of the Tab key, and one word for a thing."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module

__all__ = ["slicer_desktop"]

# Widgets of a row differ by this much in height.
ROW_PX = 6


def test_the_tab_key_goes_through_the_panel_as_one_reads_it(slicer_desktop: Desktop) -> None:
    widget = open_module(slicer_desktop)
    for section in [one for name, one in vars(widget.ui).items() if name.endswith("CollapsibleButton")]:
        section.collapsed = False
    # Qt lays out what was unfolded in several turns.
    with contextlib.suppress(TimeoutError):
        slicer_desktop.wait_until(lambda: not _out_of_order(widget))

    assert len(_stops(widget)) > 35
    assert _out_of_order(widget) == []


def test_the_tab_key_leaves_every_table_and_text(slicer_desktop: Desktop) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    ui = open_module(slicer_desktop).ui
    for name in ("logCollapsibleButton", "measurementsCollapsibleButton"):
        getattr(ui, name).collapsed = False
    ui.resultWidget.enabled = ui.findingsTable.enabled = True
    slicer_desktop.process_events()
    # Its own, whether or not it is the active one.
    window = ui.logTextEdit.window()
    for held in (ui.logTextEdit, ui.findingsTable, ui.measurementsTable):
        held.setFocus()
        assert window.focusWidget() is held

        QTest.keyClick(held, Qt.Key.Key_Tab)

        assert window.focusWidget() is not held, held.name


def test_help_and_acknowledgement_name_the_weights_their_licence_and_what_they_are_not_for(
    slicer_desktop: Desktop,
) -> None:
    import slicer

    open_module(slicer_desktop)

    module = slicer.app.moduleManager().module("SERUSegmentation")
    assert "CC BY-NC-SA 4.0" in module.helpText
    assert "Research use only" in module.helpText
    assert "not a medical device" in module.helpText
    assert "KiTS19" in module.acknowledgementText
    assert "CC BY-NC-SA 4.0" in module.acknowledgementText


def test_an_error_is_framed_and_keeps_the_application_s_color_in_either_style(slicer_desktop: Desktop) -> None:
    import qt

    widget = open_module(slicer_desktop)
    widget.parts.run.say("The disk is full.", isError=True)

    assert widget.ui.statusLabel.frameShape == qt.QFrame.Box
    assert [one.objectName for one in widget.parent.findChildren(qt.QLabel) if one.styleSheet] == []
    widget.parts.run.say("Starting")
    assert widget.ui.statusLabel.frameShape == qt.QFrame.NoFrame


def _stops(widget: Any) -> list[Any]:
    """What the Tab key stops at where everything is enabled, from the panel's first on."""
    import qt

    form = widget.ui.inputsCollapsibleButton.parentWidget()
    first = widget.ui.inputsCollapsibleButton
    found, current = [first], first.nextInFocusChain()
    while current is not first:
        is_stop = current.focusPolicy & qt.Qt.TabFocus and current.isVisible() and form.isAncestorOf(current)
        # The line of a spin box is part of it.
        if is_stop and not str(current.objectName).startswith("qt_"):
            found.append(current)
        current = current.nextInFocusChain()
    return found


def _out_of_order(widget: Any) -> list[str]:
    """The stops of the Tab key that lie neither below the one before nor right of it in its row."""
    places, wrong = [_place(one, widget) for one in _stops(widget)], []
    for (name, top, left), (following, next_top, next_left) in itertools.pairwise(places):
        is_same_row = abs(next_top - top) <= ROW_PX
        if not (next_left > left if is_same_row else next_top > top):
            wrong.append(f"{following} comes after {name}")
    return wrong


def _place(widget: Any, module: Any) -> tuple[str, int, int]:
    import qt

    corner = widget.mapTo(module.ui.inputsCollapsibleButton.parentWidget(), qt.QPoint(0, 0))
    return widget.objectName, corner.y(), corner.x()
