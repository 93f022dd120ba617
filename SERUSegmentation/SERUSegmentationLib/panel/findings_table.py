"""The findings as rows of a Qt table: one a finding, read from left to right without its colors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from seru.findings import Finding
from seru.result.measurements import Measured
from SERUSegmentationLib.scene.finding_names import findingName, findingTitle, statusTitle
from SERUSegmentationLib.texts import _

_NAME, _VOLUME, _DIAMETERS, _HU, _CONFIDENCE, _STATUS = range(6)
# Rows beyond are scrolled to.
_MOST_ROWS = 8
_LEAST_ROWS = 2


def makeRows(table: Any, titles: list[str], stretched: int) -> None:
    """Make a table one of rows that are chosen as a whole and not edited.

    Args:
        table: the form's.
        titles: of its columns.
        stretched: the column that takes the room that is left.
    """
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(titles)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(stretched, qt.QHeaderView.Stretch)
    table.horizontalHeader().setHighlightSections(False)
    table.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)


def connectRows(table: Any, onRow: Callable[[int], None]) -> None:
    """Call with the row that the mouse, the arrow keys or Enter choose, also when it is chosen already."""
    table.connect("currentCellChanged(int,int,int,int)", lambda row, *others: onRow(row))
    table.connect("cellClicked(int,int)", lambda row, column: onRow(row))
    # Enter.
    table.connect("cellActivated(int,int)", lambda row, column: onRow(row))


class FindingsTable:
    """Fills the table and tells which row is chosen, with the mouse or the keyboard.

    Args:
        table: the form's.
        onChosen: called with a finding that is chosen, also when it is so already.
    """

    def __init__(self, table: Any, onChosen: Callable[[Measured], None]) -> None:
        self._table, self._onChosen = table, onChosen
        self._rows: list[Measured] = []
        self._prepare()
        connectRows(table, self._onRow)

    def show(self, measured: Sequence[Measured]) -> None:
        """Show findings; none is chosen then.

        Args:
            measured: kidneys before tumors, the largest first; what is not believed comes last.
        """
        table, groups = self._table, ("kidney", "tumor", "candidate", "dismissed")
        self._rows = sorted(measured, key=lambda one: groups.index(_groupOf(one.finding)))
        wasBlocked = table.blockSignals(True)
        table.setRowCount(0)
        table.setRowCount(len(self._rows))
        for row, one in enumerate(self._rows):
            self._fill(row, one.finding)
        table.setCurrentCell(-1, -1)
        table.blockSignals(wasBlocked)
        self._fit()

    def chosen(self) -> Measured | None:
        """Return the finding of the chosen row."""
        row = self._table.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def choose(self, measured: Measured) -> None:
        """Choose a row, and tell nobody.

        Args:
            measured: one of those shown.
        """
        wasBlocked = self._table.blockSignals(True)
        self._table.setCurrentCell(next(row for row, one in enumerate(self._rows) if one is measured), _NAME)
        self._table.blockSignals(wasBlocked)

    def _prepare(self) -> None:
        table = self._table
        titles = [_("Finding"), _("Volume"), _("Diameters"), _("HU"), _("Confidence"), _("Status")]
        makeRows(table, titles, _NAME)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.Fixed)
        # A volume and a diameter have their ranges below them.
        table.verticalHeader().setDefaultSectionSize(2 * table.fontMetrics().height() + 4)
        # A bar would ask for more than its title.
        table.horizontalHeader().setSectionResizeMode(_CONFIDENCE, qt.QHeaderView.Fixed)
        table.setColumnWidth(_CONFIDENCE, table.fontMetrics().boundingRect(titles[_CONFIDENCE]).width() + 8)
        table.horizontalHeader().setMinimumSectionSize(30)
        self._fit()

    def _fit(self) -> None:
        """Whole rows only, as many as there are within reason."""
        table = self._table
        rows = min(max(len(self._rows), _LEAST_ROWS), _MOST_ROWS)
        height = rows * table.verticalHeader().defaultSectionSize + table.horizontalHeader().sizeHint.height() + 2
        table.setFixedHeight(height)

    def _onRow(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self._onChosen(self._rows[row])

    def _fill(self, row: int, finding: Finding) -> None:
        texts = {
            _NAME: findingName(finding),
            _VOLUME: _volumeText(finding),
            _DIAMETERS: _diameterText(finding),
            _HU: "\u2013" if finding.hu_mean is None else f"{finding.hu_mean:.0f}",
            _CONFIDENCE: "",
            _STATUS: statusTitle(finding),
        }
        for column, text in texts.items():
            item = qt.QTableWidgetItem(text)
            font = item.font()
            font.setItalic(not finding.is_counted)
            item.setFont(font)
            item.setToolTip(_tipOf(finding))
            if column != _NAME:
                item.setTextAlignment(qt.Qt.AlignCenter)
            self._table.setItem(row, column, item)
        self._table.setCellWidget(row, _CONFIDENCE, _bar(finding))


def _groupOf(finding: Finding) -> str:
    return finding.kind if finding.is_counted else finding.status


def _volumeText(finding: Finding) -> str:
    text = _("{volume} ml").format(volume=_number(finding.volume_ml))
    if finding.cut_by_edge:
        text = f"\u2265 {text}"
    return _withRange(text, finding.volume_range_ml, _number)


def _diameterText(finding: Finding) -> str:
    text = f"{finding.longest.mm:.0f} x {finding.across.mm:.0f} mm"
    return _withRange(text, finding.longest_range_mm, lambda mm: f"{mm:.0f}")


def _withRange(text: str, limits: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    if limits is None:
        return text
    least, most = map(written, limits)
    return _("{value}\n({least} to {most})").format(value=text, least=least, most=most)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _tipOf(finding: Finding) -> str:
    lines = [
        findingTitle(finding),
        _("3D diameter: {mm} mm").format(mm=f"{finding.longest_3d_mm:.0f}"),
        _("Slice: {slice}").format(slice=finding.slice_index),
    ]
    if finding.confidence is not None:
        lines.append(_("Confidence: {percent} %").format(percent=round(100 * finding.confidence)))
    if finding.cut_by_edge:
        lines.append(_("Cut by the scan's edge: the volume is at least this."))
    return "\n".join(lines)


def _bar(finding: Finding) -> Any:
    bar = qt.QProgressBar()
    bar.setRange(0, 100)
    bar.setValue(round(100 * (finding.confidence or 0.0)))
    bar.setFormat("%p %")
    bar.setTextVisible(True)
    bar.setAlignment(qt.Qt.AlignCenter)
    # A click on the bar is one on its row.
    bar.setAttribute(qt.Qt.WA_TransparentForMouseEvents)
    return bar
