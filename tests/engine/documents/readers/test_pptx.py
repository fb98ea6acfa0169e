"""Presentations: what a slide says, in order, and what a hostile file cannot do."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import Any, cast

import pptx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from engine.documents.readers.pptx import read_pptx
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_BOX = (Inches(1), Inches(1), Inches(4), Inches(2))
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"


def deck() -> bytes:
    """Three slides: text with notes, a table in the second, a chart and a group in the last."""
    made: Any = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.placeholders[1].text_frame.text = "Grow by a tenth"
    lower = first.placeholders[1].text_frame.add_paragraph()
    lower.text, lower.level = "in Denmark", 1
    first.shapes.title.text = "Plans for 2025"
    first.notes_slide.notes_text_frame.text = "Mention the harbour."
    second = made.slides.add_slide(made.slide_layouts[6])
    table = second.shapes.add_table(3, 2, *_BOX).table
    cells = [["Item", "Cost"], ["Desk", "250 EUR"], ["Lamp", "40 EUR"]]
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    third = made.slides.add_slide(made.slide_layouts[6])
    data: Any = cast(Any, CategoryChartData)()
    data.categories = ["North", "South"]
    data.add_series("2023", (19.2, 21.4))
    data.add_series("2024", (22.3, 28.6))
    chart = third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *_BOX, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Tonnes shipped"
    group = third.shapes.add_group_shape()
    group.shapes.add_group_shape().shapes.add_textbox(*_BOX).text_frame.text = "Deep inside"
    made.core_properties.title = "Harbour review"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


DECK = deck()


def changed(parts: dict[str, bytes | None], data: bytes = DECK) -> bytes:
    """The deck with these parts put in place; None leaves a part out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", 8) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, body in parts.items():
            if body is not None:
                new.writestr(name, body)
    return stream.getvalue()


def part(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(DECK)) as archive:
        return archive.read(name)


def slide(document: Document, number: int) -> str:
    page = document.pages[number - 1]
    return document.text[page.start : page.end]


def test_every_slide_is_a_page_with_all_it_says() -> None:
    document = read_pptx(DECK, "deck.pptx")
    assert document.title == "Harbour review"
    assert [page.label for page in document.pages] == ["Slide 1", "Slide 2", "Slide 3"]
    assert slide(document, 1) == (
        "Plans for 2025\n\n- Grow by a tenth\n  - in Denmark\n\nNotes: Mention the harbour.\n\n"
    )
    assert slide(document, 2) == "Item | Cost\nDesk | 250 EUR\nLamp | 40 EUR\n\n"
    assert slide(document, 3) == (
        "Chart: Tonnes shipped\n\n| 2023 | 2024\nNorth | 19.2 | 22.3\nSouth | 21.4 | 28.6\n\n"
        "Deep inside\n\n"
    )


def test_a_table_knows_its_header_row() -> None:
    document = read_pptx(DECK, "deck.pptx")
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "Item | Cost"


def test_smart_art_is_read() -> None:
    frame = (
        f'<p:graphicFrame><a:graphic xmlns:a="{_A}"><a:graphicData uri="{_DIAGRAM}">'
        f'<dgm:relIds xmlns:dgm="{_DIAGRAM}" xmlns:r="{_R}" r:dm="rId77"/>'
        "</a:graphicData></a:graphic></p:graphicFrame></p:spTree>"
    )
    relation = f'<Relationship Id="rId77" Type="{_R}/diagramData" Target="../diagrams/d1.xml"/>'
    points = "".join(
        f"<dgm:pt><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>"
        for text in ("Plan", "Build", "Ship")
    )
    data = changed(
        {
            "ppt/slides/slide2.xml": part("ppt/slides/slide2.xml").replace(
                b"</p:spTree>", frame.encode()
            ),
            "ppt/slides/_rels/slide2.xml.rels": part(
                "ppt/slides/_rels/slide2.xml.rels"
            ).replace(b"</Relationships>", relation.encode() + b"</Relationships>"),
            "ppt/diagrams/d1.xml": (
                f'<dgm:dataModel xmlns:dgm="{_DIAGRAM}" xmlns:a="{_A}">'
                f"<dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>"
            ).encode(),
        }
    )
    assert slide(read_pptx(data, "deck.pptx"), 2).endswith("- Plan\n- Build\n- Ship\n\n")


def test_comments_of_both_kinds_are_read() -> None:
    space = "http://schemas.openxmlformats.org/presentationml/2006/main"
    newer = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    plain = f'<p:cmLst xmlns:p="{space}"><p:cm><p:text>Who said so?</p:text></p:cm></p:cmLst>'
    thread = (
        f'<c:cmLst xmlns:c="{newer}" xmlns:a="{_A}"><c:cm><c:replyLst><c:reply><c:txBody><a:p>'
        "<a:r><a:t>Ida.</a:t></a:r></a:p></c:txBody></c:reply></c:replyLst></c:cm></c:cmLst>"
    )
    links = b"".join(
        f'<Relationship Id="r{n}" Type="{_R}/comments" Target="../{n}.xml"/>'.encode()
        for n in "ab"
    )
    rels = "ppt/slides/_rels/slide2.xml.rels"
    data = changed(
        {
            rels: part(rels).replace(b"</Relationships>", links + b"</Relationships>"),
            "ppt/a.xml": plain.encode(),
            "ppt/b.xml": thread.encode(),
        }
    )
    assert slide(read_pptx(data, "deck.pptx"), 2).endswith(
        "Comment: Who said so?\n\nComment: Ida.\n\n"
    )


def test_slides_stand_in_the_order_they_are_shown() -> None:
    body = part("ppt/presentation.xml")
    start, end = body.index(b"<p:sldIdLst>") + 12, body.index(b"</p:sldIdLst>")
    ids = [piece + b"/>" for piece in body[start:end].split(b"/>") if piece]
    swapped = body[:start] + ids[2] + ids[0] + ids[1] + body[end:]
    document = read_pptx(changed({"ppt/presentation.xml": swapped}), "deck.pptx")
    assert slide(document, 1).startswith("Chart: Tonnes shipped")
    assert slide(document, 2).startswith("Plans for 2025")


def test_a_damaged_chart_does_not_cost_the_slide() -> None:
    with zipfile.ZipFile(io.BytesIO(DECK)) as archive:
        name = next(n for n in archive.namelist() if n.startswith("ppt/charts/chart"))
    document = read_pptx(changed({name: b"<c:chart"}), "deck.pptx")
    assert slide(document, 3) == "Deep inside\n\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .ppt file under a new name"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"hello", "not a PowerPoint presentation"),
        (DECK[: len(DECK) // 2], "damaged"),
        (changed({"ppt/presentation.xml": b"<p"}), "damaged"),
        (changed({"ppt/slides/slide2.xml": b"<a>" * 20_000}), "damaged"),
        (changed({"ppt/media/zeros.bin": bytes(60 << 20)}), "outrageous size"),
        (
            changed(
                {
                    "ppt/slides/slide1.xml": b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaaaaa">'
                    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
                }
            ),
            "declares XML entities",
        ),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read_pptx(data, "deck.pptx")
    assert reason in caught.value.message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, len(DECK) - 1), patch=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_is_read_or_refused(at: int, patch: bytes) -> None:
    with contextlib.suppress(UnreadableDocument):
        document = read_pptx(DECK[:at] + patch + DECK[at + len(patch) :], "deck.pptx")
        assert document.text
