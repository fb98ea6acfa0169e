"""Every control can be reached, is named, is legible and fits, at any size of window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QLabel,
    QLineEdit,
    QWidget,
)

from desktop import theme
from desktop.dialogs.shortcuts import ShortcutsDialog
from desktop.strings import english
from tests.desktop.conftest import Opener, describe, free_deleted

PAGES = ("start", "ask", "library", "models", "tune", "settings")
ROOT = Path(__file__).resolve().parents[2]


def everything(app: Any, qtbot: Any) -> list[QWidget]:
    """Every widget of the window, with a conversation, a document and a report on it."""
    window = app.window
    window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(window.ask.views()), timeout=10_000)
    window.ask.open_source(1)
    qtbot.waitUntil(lambda: window.ask.viewer.showing() is not None, timeout=10_000)
    window.settings.examine()
    qtbot.waitUntil(lambda: window.settings.general.computer.report is not None, timeout=10_000)
    window.show_page("library")
    return window.findChildren(QWidget)


def test_every_control_has_a_name(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    nameless = []
    for widget in everything(app, qtbot):
        inner = isinstance(
            widget.parent(), (QAbstractScrollArea, QLineEdit)
        ) or widget.objectName().startswith("qt_")
        kinds = (QAbstractButton, QAbstractItemView, QLineEdit)
        focusable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if inner or not (isinstance(widget, kinds) or focusable):
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if not (widget.accessibleName().strip() or text.strip()):
            nameless.append(describe(widget))
    stacks = ("QStackedWidget", "QSplitter")
    assert not [line for line in nameless if not line.startswith(stacks)]


def test_every_button_and_list_can_be_reached_by_the_keyboard(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit)
    unreachable = [
        describe(widget)
        for widget in everything(app, qtbot)
        if isinstance(widget, kinds)
        and not widget.objectName().startswith("qt_")
        and not widget.inherits("QHeaderView")
        and not isinstance(widget.parent(), (QLineEdit, QAbstractScrollArea))
        and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert not unreachable


@pytest.mark.parametrize("page", PAGES)
def test_tab_walks_round_the_page(open_app: Opener, qtbot: Any, page: str) -> None:
    app = open_app()
    window = app.window
    window.show_page(page)
    window.activateWindow()
    window.sidebar.ask_new.setFocus()
    seen: list[QWidget] = []
    for _ in range(80):
        focus = QApplication.focusWidget()
        if focus is None or focus in seen:
            break
        seen.append(focus)
        window.focusNextChild()
    inside = [w for w in seen if window.pages.currentWidget().isAncestorOf(w)]
    assert inside
    assert any(window.sidebar.isAncestorOf(w) for w in seen)
    assert all(w.isVisible() for w in seen)


def test_no_text_is_too_small_and_no_label_guesses_html(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    widgets = everything(app, qtbot)
    small = [
        describe(w) for w in widgets if w.font().pointSizeF() < theme.SMALLEST_POINTS - 0.01
    ]
    assert not small
    guessing = [
        describe(w)
        for w in widgets
        if isinstance(w, QLabel) and w.text() and w.textFormat() != Qt.TextFormat.PlainText
    ]
    assert not guessing


def open_second_file(window: Any, qtbot: Any) -> None:
    files = window.library.model
    qtbot.waitUntil(lambda: files.held(1) is not None, timeout=10_000)
    window.library.open_file(files.held(1))


@pytest.mark.parametrize("size", [(900, 600), (1240, 800), (2500, 1500)])
def test_everything_fits_into_the_window(
    open_app: Opener, qtbot: Any, size: tuple[int, int]
) -> None:
    app = open_app()
    window = app.window
    everything(app, qtbot)
    window.resize(*size)
    for page in (*PAGES, "library"):
        if window.page == "settings":  # once more, with a document beside the table
            open_second_file(window, qtbot)
        window.show_page(page)
        qtbot.wait(30)
        assert (window.width(), window.height()) == size
        shown = window.pages.currentWidget()
        cut = [
            describe(w)
            for w in (*shown.findChildren(QAbstractButton), *shown.findChildren(QLineEdit))
            if w.isVisible()
            and not w.objectName().startswith("qt_")
            and w.mapTo(window, w.rect().topRight()).x() > window.width()
        ]
        assert not cut, page
        squeezed = [
            describe(w)
            for w in shown.findChildren(QAbstractButton)
            if w.isVisible()
            and w.property("look")
            and w.text()
            and w.width() < w.minimumSizeHint().width()
        ]
        assert not squeezed, page


class Flashes(QObject):
    """Notes every window that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Show
            and isinstance(watched, QWidget)
            and watched.isWindow()
        ):
            self.seen.append(describe(watched))
        return False


def test_no_part_of_the_window_flashes_up_on_its_own(
    open_app: Opener, qtbot: Any, qapp: QApplication
) -> None:
    app = open_app(STEPS="5")
    flashes = Flashes()
    qapp.installEventFilter(flashes)
    everything(app, qtbot)
    app.window.ask.ask("fail")
    app.window.rescan("lib1")
    qtbot.waitUntil(lambda: not app.state.readings, timeout=20_000)
    for page in PAGES:
        app.window.show_page(page)
    qapp.removeEventFilter(flashes)
    assert flashes.seen == []


def test_keys_lead_about(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window = app.window
    window.activateWindow()
    control = Qt.KeyboardModifier.ControlModifier
    for key, page in (
        (Qt.Key.Key_L, "library"),
        (Qt.Key.Key_M, "models"),
        (Qt.Key.Key_T, "tune"),
        (Qt.Key.Key_Comma, "settings"),
        (Qt.Key.Key_N, "ask"),
    ):
        qtbot.keyClick(window, key, control)
        assert window.page == page
    qtbot.keyClick(window, Qt.Key.Key_F, control)
    assert window.page == "library"
    assert window.library.search.hasFocus()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChild(ShortcutsDialog)
    assert dialog is not None
    dialog.close_button.click()
    free_deleted()
    assert window.findChild(ShortcutsDialog) is None


def test_the_lists_open_with_the_keyboard(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    side = app.window.sidebar
    side.libraries.setCurrentIndex(side.libraries_model.index(1))
    qtbot.keyClick(side.libraries, Qt.Key.Key_Return)
    assert app.window.ask.library_id == "lib2"
    at = side.conversations_model.row_of("c2")
    side.conversations.setCurrentIndex(side.conversations_model.index(at))
    qtbot.keyClick(side.conversations, Qt.Key.Key_Return)
    assert app.window.ask.conversation_id == "c2"


def test_two_hundred_steps_leave_no_widget_behind(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window = app.window

    def walk() -> None:
        for conversation in ("c0", "c1"):
            window.open_conversation(conversation)
            qtbot.waitUntil(lambda: bool(window.ask.views()), timeout=10_000)
        window.open_library("lib1")
        window.show_page("models")
        app.state.models_changed.emit()
        free_deleted()

    walk()
    walk()
    before = len(window.findChildren(QWidget))
    for _ in range(8):
        walk()
    assert len(window.findChildren(QWidget)) <= before


SCALED = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop.app import App
from engine.paths import Home
application = QApplication(["scaled"])
host = [sys.executable, "-m", "tests.desktop.scripted_host"]
app = App(application, Home(Path(sys.argv[1])), host)
app.show()
while not app.state.known:
    application.processEvents()
for page in ("ask", "library", "models", "tune", "settings"):
    app.window.show_page(page)
    application.processEvents()
    picture = app.window.grab()
    assert picture.devicePixelRatio() == 2.0
    assert picture.width() == 2 * app.window.width()
app.close()
"""


def test_the_window_works_at_twice_the_scale(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_SCALE_FACTOR": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", SCALED, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert english.APP
