"""The components of a tumor's scores as rows of a Qt table: points, words, and the numbers they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import qt

from seru.grid import Position
from seru.result.nephrometry import Study
from seru.result.page_scores import sources_text
from seru.scores import Aspect, Nephrometry
from SERUSegmentationLib.panel.findings_table import connectRows, makeRows
from SERUSegmentationLib.panel.nephrometry_texts import said
from SERUSegmentationLib.panel.plain_text import toolTipOf
from SERUSegmentationLib.scene.finding_names import findingName
from SERUSegmentationLib.texts import _

_NAME, _VALUE, _POINTS = range(3)
# In lines of text; what is beyond is scrolled to.
_LINES = 14


class NephrometryTable:
    """Fills the table and tells where to look for a row.

    Args:
        table: the form's.
        onChosen: called with a place that a chosen row comes from, in RAS mm; None where it has none of its own.
    """

    def __init__(self, table: Any, onChosen: Callable[[Position | None], None]) -> None:
        self._table, self._onChosen = table, onChosen
        self._aspects: list[Aspect] = []
        self._prepare()
        connectRows(table, self._onRow)

    def show(self, scores: Nephrometry) -> None:
        """Show scores, none of them chosen.

        Args:
            scores: of a tumor.
        """
        table, rows = self._table, list(_rowsOf(scores))
        self._aspects = [aspect for _name, aspect in rows]
        wasBlocked = table.blockSignals(True)
        table.setRowCount(len(rows))
        for row, (name, aspect) in enumerate(rows):
            texts = {
                _NAME: name,
                _VALUE: _valueText(aspect),
                _POINTS: "" if aspect.points is None else str(aspect.points),
            }
            for column, text in texts.items():
                item = qt.QTableWidgetItem(text)
                item.setToolTip(toolTipOf(_tipOf(aspect)))
                if column == _POINTS:
                    item.setTextAlignment(qt.Qt.AlignCenter)
                table.setItem(row, column, item)
        table.setCurrentCell(-1, -1)
        table.scrollToTop()
        table.blockSignals(wasBlocked)

    def _prepare(self) -> None:
        table = self._table
        titles = [_("Component"), _("Value, and what it comes from"), _("Points")]
        makeRows(table, titles, _VALUE)
        table.setWordWrap(True)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.setFixedHeight(_LINES * table.fontMetrics().height())

    def _onRow(self, row: int) -> None:
        if 0 <= row < len(self._aspects):
            self._onChosen(next(iter(self._aspects[row].places_ras.values()), None))


def _rowsOf(scores: Nephrometry) -> Iterator[tuple[str, Aspect]]:
    for score in (scores.renal, scores.padua):
        for aspect in score.aspects:
            yield f"{score.name} {said(aspect.name)}", aspect
    for aspect in (scores.centrality, scores.contact, scores.split, scores.sinus):
        yield said(aspect.name), aspect


def _valueText(aspect: Aspect) -> str:
    value = _("not known") if aspect.value is None else said(aspect.value)
    return "\n".join(text for text in (value, said(aspect.reason or "") or sources_text(aspect, said)) if text)


def _tipOf(aspect: Aspect) -> str:
    return "\n".join(text for text in (said(aspect.how), said(aspect.reason or ""), sources_text(aspect, said)) if text)


def scoreLine(study: Study) -> str:
    """Return the scores of a tumor in a few words, with what is to be done before they are believed.

    Args:
        study: of the tumor.

    Returns:
        ``Right tumor: R.E.N.A.L. 9ph, PADUA 10p. ...``
    """
    scores = study.scores
    sums = ", ".join(f"{score.name} {score.text}" for score in (scores.renal, scores.padua))
    parts = [_("{finding}: {scores}.").format(finding=findingName(study.tumor), scores=sums)]
    if scores.tumors > 1:
        parts.append(_("Of the largest of {count} tumors.").format(count=scores.tumors))
    # Whoever drew the segments: what nephrometry is about is in none of them.
    parts.append(_("Check each component: no label shows sinus, vessels or collecting system."))
    if scores.is_apart:
        parts.append(_("The tumor does not touch the kidney, so it may not belong to it."))
    return " ".join(parts)
