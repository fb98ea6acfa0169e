from __future__ import annotations

import pytest
from PIL import Image

from engine.documents.readers.picture import NO_TEXT, read_picture
from engine.documents.scans import Scan, ScanLine, ScanPage
from engine.errors import UnreadableDocument
from tests.engine.documents.test_pictures import saved

SIGN = ScanLine("No swimming", (0.1, 0.1, 0.9, 0.3))
PNG = saved(Image.new("RGB", (400, 300)), "PNG")
FRAMES = [Image.new("L", (400, 300), shade) for shade in (10, 20, 30)]
TIFF = saved(FRAMES[0], "TIFF", save_all=True, append_images=FRAMES[1:])


def test_an_unread_picture_waits() -> None:
    document = read_picture(PNG, "sign.png")
    assert (document.text, document.unread) == ("", (1,))


def test_what_ocr_found_is_its_text() -> None:
    document = read_picture(PNG, "sign.png", Scan({1: ScanPage((SIGN,))}))
    assert document.text.strip() == "No swimming"
    assert [(b.kind, document.text[b.start : b.end]) for b in document.blocks] == [
        ("paragraph", "No swimming")
    ]
    assert document.unread == ()


def test_frames_are_pages() -> None:
    scan = Scan({1: ScanPage((SIGN,)), 3: ScanPage((SIGN,))})
    document = read_picture(TIFF, "fax.tif", scan)
    assert document.unread == (2,)
    assert [document.text[page.start : page.end] for page in document.pages] == [
        "No swimming",
        "",
        "No swimming",
    ]


def test_a_picture_without_text_says_so() -> None:
    with pytest.raises(UnreadableDocument, match=NO_TEXT):
        read_picture(PNG, "sky.png", Scan({1: ScanPage()}))
    with pytest.raises(UnreadableDocument, match="took too long"):
        read_picture(PNG, "sky.png", Scan({1: ScanPage(note="A page took too long to read.")}))
