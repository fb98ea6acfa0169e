from __future__ import annotations

import pytest

from engine.documents.readers.pdf import boxes, open_pdf, read_pdf
from engine.errors import UnreadableDocument
from engine.paths import sample_dir

HANDBOOK = sample_dir() / "station-handbook.pdf"


def test_text_comes_with_pages_and_headings() -> None:
    document = read_pdf(HANDBOOK.read_bytes(), HANDBOOK.name)
    assert document.title == "Station handbook"
    assert [page.number for page in document.pages] == [1, 2, 3, 4]
    headings = [
        document.text[b.start : b.end].strip() for b in document.blocks if b.kind == "heading"
    ]
    assert "1. Where we are" in headings
    left = list(document.text)
    for block in document.blocks:
        left[block.start : block.end] = " " * (block.end - block.start)
    assert not "".join(left).strip()


def test_boxes_stand_where_the_words_are() -> None:
    data = HANDBOOK.read_bytes()
    document = read_pdf(data, HANDBOOK.name)
    page = document.pages[1]
    text = document.text[page.start : page.end]
    word = max(text.split(), key=len)
    start = text.index(word)
    with open_pdf(data) as pdf:
        shown = pdf[1]
        (box,) = boxes(shown, start, start + len(word))
        x0, y0, x1, y1 = box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
        width, height = shown.get_size()
        found = shown.get_textpage().get_text_bounded(
            x0 * width, (1 - y1) * height, x1 * width, (1 - y0) * height
        )
        shown.close()
    assert word[1:-1] in found


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"", b"%PDF-1.7\nrubbish", b"%PDF-1.4\n%%EOF"]
)
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        read_pdf(data, "x.pdf")
