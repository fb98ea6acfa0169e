"""The filter: kinds of files, folders, patterns and dates, in force once they are ticked."""

from __future__ import annotations

import calendar
import os
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPushButton, QWidget

from desktop.models.checks import Check, ChecksModel
from desktop.scope import Scope
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, column, label, row
from desktop.widgets.check_list import CheckList

if TYPE_CHECKING:
    from engine.work.api import LibraryFacets

WIDTH_PX = 400
_SPANS_DAYS = (("any", 0), ("week", 7), ("month", 30), ("year", 365))
_LONGEST_PATTERN = 500
_MOST_PARTS = 4


class FilterPanel(QFrame):
    """A sheet over the window; Esc or a click beside it closes it.

    `changed` gives the scope as it now is, after every single choice.
    """

    changed = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget, scope: Scope) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("sheet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(english.FILTER_TITLE)
        self.setFixedWidth(WIDTH_PX)
        self._scope = scope
        self.types_model, self.folders_model = ChecksModel(), ChecksModel()
        self.types = CheckList(self.types_model, english.FILTER_TYPES, 5)
        self.folders = CheckList(self.folders_model, english.FILTER_FOLDERS, 6)
        self.pattern = QLineEdit()
        self.since, self.until = (
            _date_field(english.FILTER_FROM),
            _date_field(english.FILTER_TO),
        )
        self.spans: dict[str, QPushButton] = {}
        self._facets: list[LibraryFacets] = []
        self._anchor: QWidget | None = None
        self._build()
        self._connect()
        self.show_facets([])
        self._show_dates()

    # --- layout ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._waiting = label(english.FILTER_LOADING, 0.92, tone="muted")
        self.pattern.setPlaceholderText(english.FILTER_PATTERN_HINT)
        self.pattern.setAccessibleName(english.FILTER_PATTERN)
        self.pattern.setMaxLength(_LONGEST_PATTERN)
        self.clear = button(english.FILTER_CLEAR, self._clear)
        self.done = button(english.DONE, self.close, "primary")
        spans = row(spacing=4)
        for name, _ in _SPANS_DAYS:
            span = button(
                english.FILTER_SPANS[name], lambda name=name: self._choose_span(name), "segment"
            )
            span.setCheckable(True)
            self.spans[name] = span
            spans.addWidget(span)
        spans.addStretch(1)
        dates = row(
            label(english.FILTER_FROM, 0.95, tone="muted"),
            self.since,
            label(english.FILTER_TO, 0.95, tone="muted"),
            self.until,
            None,
            spacing=8,
        )
        inner = self._inner = QFrame()
        inner.setObjectName("card")
        layout = column(spacing=4, margins=(16, 12, 16, 14))
        layout.addLayout(row(label(english.FILTER_TITLE, 1.08, BOLD), None, self._waiting))
        layout.addSpacing(4)
        for heading, parts in (
            (english.FILTER_TYPES, (self.types,)),
            (english.FILTER_FOLDERS, (self.folders,)),
            (english.FILTER_PATTERN, (self.pattern,)),
        ):
            layout.addWidget(_heading(heading))
            for part in parts:
                layout.addWidget(part)
            layout.addSpacing(6)
        self._range = label("", 0.88, tone="muted")
        layout.addLayout(row(_heading(english.FILTER_CHANGED), None, self._range))
        layout.addLayout(spans)
        layout.addLayout(dates)
        self._date_hint = label(english.FILTER_DATE_HINT, 0.92, tone="danger", wrap=True)
        self._date_hint.hide()
        layout.addWidget(self._date_hint)
        layout.addSpacing(10)
        layout.addLayout(row(self.clear, None, self.done))
        inner.setLayout(layout)
        self.setLayout(column(inner))

    def _connect(self) -> None:
        self.types_model.toggled.connect(self._take)
        self.folders_model.toggled.connect(self._take)
        self.pattern.returnPressed.connect(self._add_pattern)
        for field in (self.since, self.until):
            field.editingFinished.connect(self._take_dates)

    def open_at(self, widget: QWidget) -> None:
        """Show above or below a button, on the screen as a whole."""
        self._anchor = widget
        self._settle()
        self.show()
        self.types.setFocus()

    def _settle(self) -> None:
        """Take the room the lists need now, and stay at the button."""
        widget = self._anchor
        if widget is None:
            return
        inside = self._inner.layout()
        if inside is not None:
            inside.invalidate()
        self.adjustSize()
        height = self._inner.sizeHint().height()
        at = widget.mapToGlobal(QPoint(0, -height - 6))
        screen = widget.screen().availableGeometry()
        if at.y() < screen.top():
            at = widget.mapToGlobal(QPoint(0, widget.height() + 6))
        at.setX(max(screen.left(), min(at.x(), screen.right() - WIDTH_PX)))
        at.setY(max(screen.top(), min(at.y(), screen.bottom() - height)))
        self.move(at)

    # --- showing --------------------------------------------------------------------------

    def show_facets(self, facets: list[LibraryFacets], loaded: bool = False) -> None:
        """What the libraries asked can be filtered by."""
        self._facets = facets
        kinds: Counter[str] = Counter()
        folders: Counter[str] = Counter()
        for one in facets:
            kinds.update({item.value: item.files for item in one.types})
            folders.update({item.value: item.files for item in one.folders})
        rows = [Check(v, v, n) for v, n in kinds.most_common()]
        self.types_model.set_rows(rows, set(self._scope.types))
        shown = folder_texts(list(folders))
        rows = [Check(v, shown[v], folders[v]) for v in sorted(folders)]
        known = set(self._scope.paths) & set(folders)
        self.folders_model.set_rows(rows, known)
        self._waiting.setVisible(not loaded)
        oldest = min((one.oldest for one in facets if one.oldest), default="")
        newest = max((one.newest for one in facets if one.newest), default="")
        there = english.FILTER_THERE.format(
            oldest=figures.day(oldest), newest=figures.day(newest)
        )
        self._range.setText(there if oldest and newest else "")
        self.types.setVisible(self.types_model.rowCount() > 0)
        self.folders.setVisible(self.folders_model.rowCount() > 0)
        self._settle()

    def show_scope(self, scope: Scope) -> None:
        """The scope was changed elsewhere; what is being typed is left alone otherwise."""
        if scope == self._scope:
            return
        self._scope = scope
        self.show_facets(self._facets, self._waiting.isHidden())
        self._show_dates()

    def _show_dates(self) -> None:
        self.since.setText(self._scope.since[:10])
        self.until.setText(self._scope.until[:10])
        self._date_hint.hide()
        self._show_span()

    def _show_span(self) -> None:
        chosen = ""
        if not self._scope.until:
            for name, days in _SPANS_DAYS:
                if self._scope.since == (_days_ago(days) if days else ""):
                    chosen = name
        for name, span in self.spans.items():
            span.setChecked(name == chosen)

    # --- choosing -------------------------------------------------------------------------

    def _take(self) -> None:
        known = set(self.folders_model.values())
        others = tuple(path for path in self._scope.paths if path not in known)
        self._say(
            replace(
                self._scope,
                types=tuple(self.types_model.ticked()),
                paths=(*others, *self.folders_model.ticked()),
            )
        )

    def _take_dates(self) -> None:
        """Whole years and months stand for their first or last day; what is no date waits."""
        found = (
            read_date(self.since.text(), last=False),
            read_date(self.until.text(), last=True),
        )
        since, until = found
        self._date_hint.setVisible(since is None or until is None)
        if since is None or until is None:
            self._settle()
        elif (since, until) != (self._scope.since, self._scope.until):
            self._say(replace(self._scope, since=since, until=until))
            self._show_dates()

    def _choose_span(self, name: str) -> None:
        days = dict(_SPANS_DAYS)[name]
        self._scope = replace(self._scope, since=_days_ago(days) if days else "", until="")
        self._show_dates()
        self._say(self._scope)

    def _add_pattern(self) -> None:
        text = self.pattern.text().strip()
        if text and text not in self._scope.paths:
            self._say(replace(self._scope, paths=(*self._scope.paths, text)))
        self.pattern.clear()

    def _clear(self) -> None:
        unfiltered, self._scope = self._scope.unfiltered(), Scope()
        self.show_scope(unfiltered)
        self._say(unfiltered)

    def _say(self, scope: Scope) -> None:
        self._scope = scope
        self.changed.emit(scope)

    def closeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self._add_pattern()  # what was typed and not confirmed counts as well
        self._take_dates()
        super().closeEvent(event)
        self.closed.emit()


def _heading(text: str) -> QLabel:
    return label(text, 0.88, BOLD, "muted")


def _date_field(says: str) -> QLineEdit:
    """A day, a month or a year, as numbers; empty for any."""
    field = QLineEdit()
    field.setPlaceholderText(english.FILTER_DATE)
    field.setToolTip(english.FILTER_DATE_HINT)
    field.setMaxLength(10)
    field.setFixedWidth(126)
    field.setAccessibleName(f"{english.FILTER_CHANGED}, {says}")
    return field


def read_date(text: str, last: bool) -> str | None:
    """ "2026", "2026-05" and "2026-05-03" as an ISO date, the first or the last of that time.

    Empty for an empty text, None for what is no date.
    """
    parts = text.strip().split("-")
    if parts == [""]:
        return ""
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, day = (*map(int, parts), 0, 0)[:3]
    try:
        if len(parts) < 3:
            month = month or (12 if last else 1)
            day = calendar.monthrange(year, month)[1] if last else 1
        return date(year, month, day).isoformat()
    except (ValueError, calendar.IllegalMonthError):
        return None


def _days_ago(days: int) -> str:
    return (date.today() - timedelta(days=days)).isoformat()


def folder_texts(folders: list[str]) -> dict[str, str]:
    """Folders by their last part, with as many parts above it as tell them apart."""
    parts = {folder: folder.rstrip(os.sep).split(os.sep) for folder in folders}
    taken = dict.fromkeys(folders, 1)
    for _ in range(_MOST_PARTS):
        texts = {folder: "/".join(parts[folder][-taken[folder] :]) for folder in folders}
        several = {text for text, count in Counter(texts.values()).items() if count > 1}
        inside = {folder for folder in folders if os.path.dirname(folder) in parts}
        longer = {f for f in folders if texts[f] in several or (f in inside and taken[f] < 2)}
        if not longer:
            break
        for folder in longer:
            taken[folder] += 1
    return {folder: names.one_line(text, 200) for folder, text in texts.items()}
