"""OpenDocument texts and slides, packed and flat, made by odfpy and by hand."""

from __future__ import annotations

import contextlib
import importlib
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents.readers.odp import read_odp
from engine.documents.readers.odt import read_odt
from engine.documents.types import Document
from engine.errors import UnreadableDocument

opendocument: Any = importlib.import_module("odf.opendocument")
draw: Any = importlib.import_module("odf.draw")
dc: Any = importlib.import_module("odf.dc")
office: Any = importlib.import_module("odf.office")
presentation: Any = importlib.import_module("odf.presentation")
style: Any = importlib.import_module("odf.style")
table: Any = importlib.import_module("odf.table")
text: Any = importlib.import_module("odf.text")

Read = Callable[[bytes, str], Document]
_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
    )
)


def saved(made: Any) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def cells(*rows: list[str]) -> Any:
    made = table.Table()
    for row in rows:
        line = table.TableRow()
        for words in row:
            cell = table.TableCell()
            cell.addElement(text.P(text=words))
            line.addElement(cell)
        made.addElement(line)
    return made


def letter() -> bytes:
    made = opendocument.OpenDocumentText()
    made.meta.addElement(dc.Title(text="Rules of the harbour"))
    made.text.addElement(text.H(outlinelevel=1, text="Fuel"))
    paragraph = text.P(text="Petrol is stored in ")
    paragraph.addElement(text.Span(text="the red"))
    paragraph.addText(" shed.")
    note = text.Note(noteclass="footnote")
    note.addElement(text.NoteCitation(text="1"))
    body = text.NoteBody()
    body.addElement(text.P(text="Since 2019."))
    note.addElement(body)
    paragraph.addElement(note)
    comment = office.Annotation()
    comment.addElement(dc.Creator(text="Bo"))
    comment.addElement(text.P(text="Really?"))
    paragraph.addElement(comment)
    made.text.addElement(paragraph)
    made.text.addElement(text.H(outlinelevel=2, text="Boats"))
    items = text.List()
    for words, below in (("Terna", ["fast"]), ("Saga", [])):
        item = text.ListItem()
        item.addElement(text.P(text=words))
        if below:
            inner = text.List()
            for lower in below:
                inner_item = text.ListItem()
                inner_item.addElement(text.P(text=lower))
                inner.addElement(inner_item)
            item.addElement(inner)
        items.addElement(item)
    made.text.addElement(items)
    made.text.addElement(cells(["Boat", "Length"], ["Terna", "7 m"], ["Saga", "9 m"]))
    made.text.addElement(text.P(text="The end."))
    return saved(made)


def talk() -> bytes:
    made = opendocument.OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    made.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname="L")
    made.masterstyles.addElement(master)
    for number, title in enumerate(("Plans", "Boats"), 1):
        page = draw.Page(masterpagename="M", name=f"page{number}")
        frame = draw.Frame(width="10cm", height="3cm")
        box = draw.TextBox()
        items = text.List()
        for words in ("Grow", "Sail"):
            item = text.ListItem()
            item.addElement(text.P(text=f"{words} {number}"))
            items.addElement(item)
        box.addElement(items)
        frame.addElement(box)
        page.addElement(frame)
        head = draw.Frame(width="10cm", height="3cm")
        head.setAttrNS(presentation.PRESENTATIONNS, "class", "title")
        box = draw.TextBox()
        box.addElement(text.P(text=title))
        head.addElement(box)
        page.addElement(head)
        if number == 2:
            grid = draw.Frame(width="10cm", height="3cm")
            grid.addElement(cells(["Boat", "Length"], ["Terna", "7 m"], ["Saga", "9 m"]))
            page.addElement(grid)
            notes = presentation.Notes()
            below = draw.Frame(width="10cm", height="3cm")
            box = draw.TextBox()
            box.addElement(text.P(text="Mention the harbour."))
            below.addElement(box)
            notes.addElement(below)
            page.addElement(notes)
        made.presentation.addElement(page)
    return saved(made)


LETTER, TALK = letter(), talk()


def package(content: str, **parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", 8) as archive:
        archive.writestr("content.xml", content)
        for name, body in parts.items():
            archive.writestr(f"META-INF/{name}.xml", body)
    return stream.getvalue()


def odt(body: str, styles: str = "") -> str:
    return (
        f"<office:document-content {_NAMES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:text>{body}</office:text>"
        "</office:body></office:document-content>"
    )


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def test_a_text_keeps_its_structure() -> None:
    document = read_odt(LETTER, "letter.odt")
    assert document.title == "Rules of the harbour"
    assert blocks(document) == [
        ("heading", 1, "Fuel"),
        ("paragraph", 0, "Petrol is stored in the red shed."),
        ("heading", 2, "Boats"),
        ("list", 0, "- Terna\n  - fast\n- Saga"),
        ("table", 0, "Boat | Length\nTerna | 7 m\nSaga | 9 m"),
        ("paragraph", 0, "The end."),
        ("paragraph", 0, "Since 2019."),
        ("paragraph", 0, "Comment: Really?"),
    ]


def test_white_space_is_what_the_format_says() -> None:
    body = "<text:p>a\n   b<text:s text:c='3'/>c<text:tab/>d<text:line-break/>e</text:p>"
    assert read_odt(package(odt(body)), "x").text.strip() == "a b   c\td\ne"


def test_deleted_text_is_gone_and_boxes_are_read() -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        "<text:p>before <draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box>"
        "</draw:frame>after</text:p>"
    )
    assert read_odt(package(odt(body)), "x").text.split() == ["boxed", "before", "after"]


def test_a_title_by_its_style() -> None:
    styles = "<style:style style:name='P1' style:parent-style-name='Title'/>"
    body = "<text:p text:style-name='P1'>Harbour</text:p><text:p>Text</text:p>"
    document = read_odt(package(odt(body, styles)), "x")
    assert document.title == "Harbour"
    assert blocks(document)[0] == ("heading", 1, "Harbour")


def test_every_slide_is_a_page() -> None:
    document = read_odp(TALK, "talk.odp")
    assert [page.label for page in document.pages] == ["Slide 1", "Slide 2"]
    assert document.title == "Plans"
    assert [document.text[page.start : page.end] for page in document.pages] == [
        "Plans\n\n- Grow 1\n- Sail 1\n\n",
        "Boats\n\n- Grow 2\n- Sail 2\n\nBoat | Length\nTerna | 7 m\nSaga | 9 m\n\n"
        "Notes: Mention the harbour.\n\n",
    ]


@pytest.mark.parametrize(("data", "read"), [(LETTER, read_odt), (TALK, read_odp)])
def test_a_flat_file_reads_the_same(data: bytes, read: Read) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        flat = archive.read("content.xml")
    assert read(flat, "x").text == read(data, "x").text


@pytest.mark.parametrize("read", [read_odt, read_odp])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"hello", "whatever its name says"),
        (b"<html/>", "whatever its name says"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office file"),
        (LETTER[:900], "damaged"),
        (package("<a"), "damaged"),
        (package("<a>" * 10_000), "damaged"),
        (package('<!DOCTYPE a [<!ENTITY a "aaaaaaaa">]><a>&a;</a>'), "XML entities"),
        (package("<a>" + " " * (60 << 20) + "</a>"), "outrageous size"),
        (
            package(
                odt("<text:p>x</text:p>"),
                manifest="<manifest xmlns='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'>"
                "<encryption-data/></manifest>",
            ),
            "protected by a password",
        ),
    ],
)
def test_what_cannot_be_read_has_a_reason(read: Read, data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        read(data, "x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    source=st.sampled_from([LETTER, TALK]),
    where=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=12),
)
def test_a_damaged_file_is_read_or_refused(source: bytes, where: float, patch: bytes) -> None:
    at = int(where * len(source))
    damaged = source[:at] + patch + source[at + len(patch) :]
    for read in (read_odt, read_odp):
        with contextlib.suppress(UnreadableDocument):
            read(damaged, "x")
