from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from engine.documents.readers.pdf import boxes, open_pdf, read_pages, read_pdf
from engine.documents.scans import Scan, ScanLine, ScanPage
from engine.errors import UnreadableDocument
from engine.paths import sample_dir

HANDBOOK = sample_dir() / "station-handbook.pdf"


def pdf_of(*pages: bytes, images: dict[int, bytes] | None = None) -> bytes:
    """A PDF of content streams, set in 12 point Helvetica on A5; `images` by page index."""
    objects: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    kids: list[bytes] = []
    for number, content in enumerate(pages):
        image = (images or {}).get(number)
        xobject = b""
        if image is not None:
            objects.append(image)
            xobject = b"/XObject<</Im %d 0 R>>" % len(objects)
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 595]/Contents %d 0 R/Resources"
            b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>%s>>>>"
            % (len(objects), xobject)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(pages))
    out = b"%PDF-1.4\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def lines_of_text(*lines: str, top: int = 540) -> bytes:
    shown = "".join(f"({line}) Tj 0 -15 Td " for line in lines)
    return f"BT /F 12 Tf 40 {top} Td {shown}ET".encode("latin-1")


def jpeg_object(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    data = stream.getvalue()
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB"
    head += b"/BitsPerComponent 8/Filter/DCTDecode/Length %d>>stream\n"
    return head % (*image.size, len(data)) + data + b"\nendstream"


def picture_of(text: str, size: tuple[int, int] = (1160, 1650)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(text.splitlines()):
        draw.text((100, 120 + 60 * row), line, fill="black", font_size=36)
    return image


SCANNED = b"q 420 0 0 595 0 0 cm /Im Do Q"


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
    assert document.unread == ()


def test_a_paragraph_flows_and_a_table_keeps_its_rows() -> None:
    text = read_pdf(HANDBOOK.read_bytes(), HANDBOOK.name).text
    assert "and was extended with a laboratory in 2004. Up to fourteen people" in text
    assert "Water pump and UV lamp 95 5 automatic\nLighting, all houses" in text


def words_in(shown, box: tuple[float, float, float, float]) -> str:
    x0, y0, x1, y1 = box
    assert 0 <= x0 < x1 <= 1
    assert 0 <= y0 < y1 <= 1
    width, height = shown.get_size()
    textpage = shown.get_textpage()
    try:
        return textpage.get_text_bounded(
            x0 * width - 1, (1 - y1) * height - 1, x1 * width + 1, (1 - y0) * height + 1
        )
    finally:
        textpage.close()


def test_every_word_of_a_document_is_boxed_where_it_stands() -> None:
    data = HANDBOOK.read_bytes()
    read = read_pages(data)
    with open_pdf(data) as pdf:
        for page in read.document.pages:
            shown, mended = pdf[page.number - 1], read.mended[page.number]
            text = read.document.text[page.start : page.end]
            assert text == mended.text
            for word in list(re.finditer(r"\w{5,}", text))[::7]:
                (box,) = boxes(shown, *mended.indices(word.start(), word.end()))
                assert word.group() in words_in(shown, box)
            shown.close()


def test_divided_words_are_whole_and_still_boxed() -> None:
    data = pdf_of(
        lines_of_text(
            "The old bridge over the gorge is very dan-",
            "gerous in winter, a fact that is well-",
            "known to everyone who ever had to travel",
            "with the night mail of the COVID-",
            "19 years. Nothing else is known about it.",
        )
    )
    read = read_pages(data)
    text = read.document.text
    assert "is very dangerous in winter" in text
    assert "that is well-known to everyone" in text
    assert "the COVID-19 years" in text
    start = text.index("dangerous")
    with open_pdf(data) as pdf:
        shown = pdf[0]
        found = boxes(shown, *read.mended[1].indices(start, start + len("dangerous")))
        parts = [words_in(shown, box).strip(" \ufffe\x02-") for box in found]
        assert parts == ["dan", "gerous"]
        after = text.index("everyone")
        (box,) = boxes(shown, *read.mended[1].indices(after, after + len("everyone")))
        assert words_in(shown, box).strip() == "everyone"
        shown.close()


def test_the_documents_own_words_settle_a_hyphen() -> None:
    lines = ["They built a micro-", "wave oven and a mega-", "phone in one very long day here."]
    assert "microwave oven and a megaphone" in read_pdf(pdf_of(lines_of_text(*lines)), "").text
    lines += ["Later each micro-wave oven was sold."]
    assert "a micro-wave oven and" in read_pdf(pdf_of(lines_of_text(*lines)), "").text


def test_a_page_that_is_a_picture_waits_for_ocr_and_the_others_are_read() -> None:
    words = "This page has words of its own, printed in the usual way."
    data = pdf_of(
        lines_of_text(words), SCANNED, images={1: jpeg_object(picture_of("Scanned words"))}
    )
    document = read_pdf(data, "mixed.pdf")
    assert document.unread == (2,)
    assert words in document.text

    scan = Scan({2: ScanPage((ScanLine("Scanned words", (0.1, 0.1, 0.5, 0.2)),))})
    document = read_pdf(data, "mixed.pdf", scan)
    assert document.unread == ()
    page = document.pages[1]
    assert document.text[page.start : page.end] == "Scanned words"
    assert [b.kind for b in document.blocks] == ["paragraph", "paragraph"]


def test_a_pdf_without_words_says_why() -> None:
    data = pdf_of(SCANNED, images={0: jpeg_object(picture_of("", (1160, 1650)))})
    assert read_pdf(data, "scan.pdf").unread == (1,)
    with pytest.raises(UnreadableDocument, match="No text was found on its pages"):
        read_pdf(data, "scan.pdf", Scan({1: ScanPage()}))
    with pytest.raises(UnreadableDocument, match="holds no text"):
        read_pdf(pdf_of(b""), "empty.pdf")


def test_a_small_logo_is_no_scan() -> None:
    logo = jpeg_object(picture_of("", (60, 60)))
    data = pdf_of(b"q 30 0 0 30 20 20 cm /Im Do Q", images={0: logo})
    with pytest.raises(UnreadableDocument, match="holds no text"):
        read_pdf(data, "logo.pdf")


def test_boxes_of_real_papers_hold_their_words(corpora: Path) -> None:
    """Two columns, footnotes, formulas: a sample of words of each page."""
    for name in (
        "pypdf-samples/multicolumn.pdf",
        "pdfminer/issue-1061-colour-space-stack.pdf",
        "pypdf-samples/pdflatex-4-pages.pdf",
    ):
        data = (corpora / "stress" / "pdf" / name).read_bytes()
        read = read_pages(data)
        checked = found = 0
        with open_pdf(data) as pdf:
            for page in read.document.pages[:3]:
                shown, mended = pdf[page.number - 1], read.mended[page.number]
                for word in list(re.finditer(r"[a-z]{7,}", mended.text))[::10]:
                    got = boxes(shown, *mended.indices(word.start(), word.end()))
                    inside = "".join(re.sub(r"[^a-z]", "", words_in(shown, box)) for box in got)
                    checked += 1
                    found += word.group() in inside
                shown.close()
        assert checked > 20
        assert found >= 0.95 * checked


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"", b"%PDF-1.7\nrubbish", b"%PDF-1.4\n%%EOF"]
)
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        read_pdf(data, "x.pdf")
