from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QTextCursor
from PySide6.QtWidgets import QApplication

from desktop import theme
from desktop.origins import Piece, origins_of
from desktop.strings import english
from desktop.widgets.answer_view import AnswerView
from engine.work import api
from tests.desktop.scripted_answers import APART, attributed, shaped
from tests.desktop.scripted_host import report

DOWN, UP = Qt.Key.Key_Down, Qt.Key.Key_Up
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def view(qapp: QApplication, qtbot: Any) -> AnswerView:
    """An answer with coloured words, as wide as the page shows it."""
    theme.theme.start(qapp, "light")
    result = AnswerView()
    qtbot.addWidget(result)
    result.resize(615, 200)
    show(result, shaped("apart", report("apart", APART, "c")))
    with qtbot.waitExposed(result):
        result.show()
    return result


def show(view: AnswerView, answer: api.AnswerReport, coloured: bool = True) -> None:
    """Show a finished answer."""
    view.set_origins(origins_of(answer), coloured)
    view.show_answer(answer.answer, len(answer.passages), now=True)


def place_of(view: AnswerView, word: str) -> QPoint:
    """The middle of a word in the viewport."""
    found = view.document().find(word)
    assert not found.isNull(), word
    begin, end = QTextCursor(view.document()), QTextCursor(view.document())
    begin.setPosition(found.selectionStart())
    end.setPosition(found.selectionEnd())
    left, right = view.cursorRect(begin), view.cursorRect(end)
    return QPoint((left.left() + right.left()) // 2, left.center().y())


def colours_around(view: AnswerView, word: str) -> set[str]:
    """Colours painted in a word and a little below it."""
    image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    scale, at = image.devicePixelRatio(), place_of(view, word)
    return {
        QColor(image.pixel(round((at.x() + dx) * scale), round((at.y() + dy) * scale))).name()
        for dx in range(-7, 8)
        for dy in range(-8, 14)
    }


def test_words_wear_the_colour_of_their_source_and_marks_none(view: AnswerView) -> None:
    first, second = theme.tint(0, 1.0).name(), theme.tint(1, 1.0).name()
    assert first in colours_around(view, "dose")
    assert second in colours_around(view, "start the")
    assert not {first, second} & colours_around(view, "[1]")
    show(view, shaped("apart", report("apart", APART, "c")), coloured=False)
    assert not {first, second} & colours_around(view, "dose")


def test_colours_follow_the_theme(view: AnswerView) -> None:
    theme.theme.choose("dark")
    theme.theme.finish()
    assert theme.tint(0, 1.0).name() in colours_around(view, "dose")
    theme.theme.choose("light")
    theme.theme.finish()


def test_a_less_sure_word_is_paler(view: AnswerView) -> None:
    answer = report("q", "", "c")
    attributed(answer, "Surely so. Hardly so.", [[(1, 1.0)], [(1, 0.25)]])
    show(view, answer)
    assert theme.tint(0, 1.0).name() in colours_around(view, "Surely")
    assert theme.tint(0, 0.25).name() in colours_around(view, "Hardly")


def test_unsupported_sentences_are_dotted_with_and_without_colours(view: AnswerView) -> None:
    warning = theme.colour("warning")

    def dotted(word: str) -> bool:
        # Dots are smoothed, so their colour is only near to the warning colour.
        return any(
            abs(QColor(c).red() - warning.red()) + abs(QColor(c).green() - warning.green()) < 60
            and QColor(c).red() > QColor(c).blue() + 60
            for c in colours_around(view, word)
        )

    assert dotted("green tea")
    assert not dotted("dose")
    show(view, shaped("apart", report("apart", APART, "c")), coloured=False)
    assert dotted("green tea")
    view.resize(200, 400)
    assert dotted("green")
    refused = shaped("apart", report("apart", APART, "c")).model_copy(update={"refused": True})
    show(view, refused)
    assert not dotted("green")


def test_pointing_at_a_word_lights_its_neighbours_and_tells(
    view: AnswerView, qtbot: Any
) -> None:
    heard: list[Piece | None] = []
    view.pointed.connect(heard.append)
    qtbot.mouseMove(view.viewport(), place_of(view, "start"))
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard[-1] is not None
    assert (heard[-1].n, heard[-1].sentence) == (2, 1)
    assert view.lit() == ["Do not start the drug between 30 and 44"]
    assert view.explained(heard[-1])[0] == (
        "from [2] Diabetes-guideline-2024.pdf, page 31 · 88%"
    )
    qtbot.mouseMove(view.viewport(), QPoint(600, 190))
    qtbot.waitUntil(lambda: heard[-1] is None, timeout=5_000)
    assert view.lit() == []


def test_without_colours_only_what_is_dotted_is_explained(view: AnswerView) -> None:
    origins = origins_of(shaped("apart", report("apart", APART, "c")))
    view.set_origins(origins, False)
    assert view.explained(origins.pieces[0]) == []
    assert view.explained(origins.pieces[-1]) == [english.UNSUPPORTED_TIP]


def test_the_keyboard_goes_from_sentence_to_sentence(view: AnswerView, qtbot: Any) -> None:
    heard: list[Piece | None] = []
    view.pointed.connect(heard.append)
    view.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus, timeout=5_000)
    walked = []
    for key in (DOWN, DOWN, DOWN, DOWN, UP):
        qtbot.keyClick(view, key, CONTROL)
        assert heard[-1] is not None
        walked.append(heard[-1].sentence)
    assert walked == [0, 1, 2, 2, 1]
    assert view.lit() == ["Do not start the drug between 30 and 44"]
    view.clearFocus()
    assert heard[-1] is None


def test_a_source_lights_all_of_its_words(view: AnswerView) -> None:
    view.light_source(1)
    assert view.lit() == ["For an eGFR of 38 the dose is at most 1,000 mg a day"]
    ring = theme.hue(0)
    around = [QColor(c) for c in colours_around(view, "dose")]
    assert any(abs(c.red() - ring.red()) + abs(c.green() - ring.green()) < 40 for c in around)
    view.light_source(0)
    assert view.lit() == []


def test_a_screen_reader_is_told_of_every_sentence(view: AnswerView) -> None:
    said = view.accessibleDescription()
    assert said.startswith("Sentence 1: from [1] Metformin-SOP-v7.pdf, page 12 · 93%")
    assert said.endswith(f"Sentence 3: {english.UNSUPPORTED_TIP}.")
    show(view, report("q", "Plain.", "c"))
    assert view.accessibleDescription() == ""
