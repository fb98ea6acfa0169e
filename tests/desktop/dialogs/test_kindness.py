"""What opens over the page is as kind as the page: named, reachable, legible, and freed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from desktop import theme
from desktop.app import App
from desktop.dialogs.inspector import InspectorDialog
from desktop.dialogs.presets import PresetsDialog
from desktop.widgets.filter_panel import FilterPanel
from tests.desktop.conftest import Opener, describe, free_deleted


def opened(app: App, qtbot: Any) -> list[QWidget]:
    """The filter, the presets and the inspector, and a turn with everything open."""
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    page.ask("and below 30?")
    qtbot.waitUntil(lambda: page.talk.running is None, timeout=20_000)
    view = page.views()[-1]
    view.tools.down.click()
    view.question.begin_edit()
    page.scope.only_file(page.talk.turns[0].passages[0])
    page.inspect()
    page.scope.manage_presets()
    inspector, presets = page.findChild(InspectorDialog), page.findChild(PresetsDialog)
    assert inspector is not None
    assert presets is not None
    qtbot.waitUntil(lambda: bool(inspector.table.shown()), timeout=5_000)
    page.scope.open_filter()  # last: it closes as soon as anything else opens
    panel = page.scope.panel
    assert panel is not None
    qtbot.waitUntil(lambda: panel.types_model.rowCount() > 0, timeout=5_000)
    return [view, panel, inspector, presets, page.chips, app.window.sidebar.questions]


def test_every_control_over_the_page_is_named_reachable_and_legible(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    wrong = []
    for parent in opened(app, qtbot):
        for widget in parent.findChildren(QWidget):
            inner = isinstance(widget.parent(), (QAbstractScrollArea, QLineEdit))
            if inner or widget.objectName().startswith("qt_") or widget.inherits("QHeaderView"):
                continue
            control = isinstance(widget, (QAbstractButton, QAbstractItemView, QLineEdit))
            control = control or isinstance(widget, QPlainTextEdit)
            if control and not widget.accessibleName().strip():
                wrong.append(f"no name: {describe(widget)}")
            if control and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                wrong.append(f"out of reach: {describe(widget)}")
            if widget.font().pointSizeF() < theme.SMALLEST_POINTS - 0.01:
                wrong.append(f"small: {describe(widget)}")
            plain = Qt.TextFormat.PlainText
            if isinstance(widget, QLabel) and widget.text() and widget.textFormat() != plain:
                wrong.append(f"guesses HTML: {describe(widget)}")
    assert not wrong


def test_escape_closes_the_filter_and_nothing_else(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    page.open_source(1)
    page.scope.open_filter()
    panel = page.scope.panel
    assert panel is not None
    qtbot.keyClick(panel.types, Qt.Key.Key_Escape)
    assert page.scope.panel is None
    assert page.viewer_open


def test_nothing_opened_over_the_page_stays_behind(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)

    def walk() -> None:
        page.scope.open_filter()
        assert page.scope.panel is not None
        page.scope.panel.close()
        page.scope.only_file(page.talk.turns[0].passages[0])
        page.scope.choose(page.scope.scope.unfiltered())
        page.inspect()
        for kind in (InspectorDialog, PresetsDialog, FilterPanel):
            for dialog in page.findChildren(kind):
                dialog.close()
        page.scope.manage_presets()
        page.findChildren(PresetsDialog)[-1].close()
        menu = page.views()[0].tools.menu()
        menu.deleteLater()
        free_deleted()

    walk()
    walk()
    before = len(app.window.findChildren(QWidget))
    for _ in range(6):
        walk()
    assert len(app.window.findChildren(QWidget)) <= before
