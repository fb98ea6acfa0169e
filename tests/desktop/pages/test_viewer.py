from __future__ import annotations

import base64
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, Qt
from PySide6.QtGui import QImage

from desktop.pages.viewer import Place, read_image
from tests.desktop.conftest import Opener


def open_page(app: Any, qtbot: Any) -> Any:
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: len(app.window.ask.sources.cards()) == 3, timeout=10_000)
    app.window.ask.open_source(1)
    viewer = app.window.ask.viewer
    qtbot.waitUntil(lambda: viewer.showing() is not None, timeout=10_000)
    return viewer


def test_pages_turn_and_the_mark_stays_on_its_page(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    viewer = open_page(app, qtbot)
    assert viewer.page_label.text() == "Page 12 of 40"
    qtbot.keyClick(app.window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: viewer.page_label.text() == "Page 13 of 40", timeout=10_000)
    assert viewer.page.boxes == []
    viewer.previous.click()
    qtbot.waitUntil(lambda: viewer.page_label.text() == "Page 12 of 40", timeout=10_000)
    assert len(viewer.page.boxes) == 3


def test_zoom_scales_the_page_and_fits_again(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    viewer = open_page(app, qtbot)
    width = viewer.page._sheet.width()
    viewer.larger.click()
    assert viewer.page._sheet.width() > 1.15 * width
    viewer.fit.click()
    assert viewer.page._sheet.width() == width


def test_the_mark_is_painted_on_the_page(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    viewer = open_page(app, qtbot)
    sheet = viewer.page._sheet
    picture = sheet.grab().toImage()
    box = viewer.page.boxes[0]
    inside = picture.pixelColor(
        int((box.x() + box.width() / 2) * picture.width()),
        int((box.y() + box.height() * 0.3) * picture.height()),
    )
    outside = picture.pixelColor(picture.width() // 2, picture.height() // 30)
    assert inside.blue() < 200 < inside.red()
    assert outside.name() == "#ffffff"


def test_text_is_shown_at_the_place_marked(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    viewer = app.window.ask.viewer
    viewer.open_place(Place("lib1", 2, 0, 5, "Site-protocol-Nairobi.docx"))
    qtbot.waitUntil(lambda: viewer.showing() is not None, timeout=10_000)
    assert viewer.text.marked() == "Repeat creatinine one week after iodinated contrast."
    before = viewer.text.font().pointSizeF()
    viewer.scale(1.2)
    assert viewer.text.font().pointSizeF() > before


def test_marks_are_right_beyond_the_basic_plane(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    text = app.window.ask.viewer.text
    text.show_passage("😀 café 𝒳 the place after", 9, 18)
    assert text.marked() == "the place"


def test_an_image_that_is_none_or_huge_is_not_shown() -> None:
    assert read_image("not base64!").isNull()
    assert read_image(base64.b64encode(b"GIF89a").decode()).isNull()
    data = QByteArray()
    buffer = QBuffer(data)
    QImage(40, 30, QImage.Format.Format_RGB32).save(buffer, "PNG")  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert read_image(base64.b64encode(data.data()).decode()).width() == 40
    huge = bytearray(data.data())
    huge[16:24] = (60_000).to_bytes(4, "big") * 2
    assert read_image(base64.b64encode(bytes(huge)).decode()).isNull()
