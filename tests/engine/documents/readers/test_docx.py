from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest

from engine.documents.readers.docx import read_docx
from engine.errors import UnreadableDocument

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def package(document_xml: str, **parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", document_xml)
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_headings_lists_and_tables_of_a_real_document() -> None:
    written = docx.Document()
    written.add_heading("Boat rules", 0)
    written.add_heading("Fuel", 1)
    written.add_paragraph("Petrol is stored in the red shed.")
    written.add_paragraph("flares", style="List Bullet")
    table = written.add_table(2, 2)
    for cell, text in zip(table._cells, ["Boat", "Length", "Terna", "7 m"], strict=True):
        cell.text = text
    written.core_properties.title = "Boats of the station"
    stream = io.BytesIO()
    written.save(stream)
    document = read_docx(stream.getvalue(), "x.docx")
    assert document.title == "Boats of the station"
    found = [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]
    assert found[:3] == [
        ("heading", 1, "Boat rules"),
        ("heading", 1, "Fuel"),
        ("paragraph", 0, "Petrol is stored in the red shed."),
    ]
    assert ("table", 0, "Boat | Length\nTerna | 7 m") in found
    assert "flares" in document.text


def test_text_of_fallbacks_is_not_doubled() -> None:
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    body = (
        f'<w:document xmlns:w="{W}" xmlns:mc="{mc}"><w:body><w:p><w:r><mc:AlternateContent>'
        "<mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback><w:t>twice</w:t></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p></w:body></w:document>"
    )
    assert read_docx(package(body), "x.docx").text.split() == ["once"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF not a zip",
        b"PK\x03\x04 cut short",
        package("<w:document"),
        package('<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'),
        package(f'<w:document xmlns:w="{W}">' + "<w:p>" * 100_000 + "</w:document>"),
        package(f'<w:document xmlns:w="{W}"><w:t>' + "A" * (40 << 20) + "</w:t></w:document>"),
    ],
    ids=["elf", "cut", "torn", "entity", "deep", "bomb"],
)
def test_hostile_files_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read_docx(data, "x.docx")
    assert caught.value.message.endswith((".", "!"))


@pytest.mark.parametrize(
    ("inside", "reason"),
    [(b"", r"old \.doc file.*Save it as \.docx"), ("EncryptedPackage", "by a password")],
)
def test_other_files_under_its_name_say_what_they_are(inside: bytes | str, reason: str) -> None:
    extra = inside.encode("utf-16-le") if isinstance(inside, str) else inside
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + extra
    with pytest.raises(UnreadableDocument, match=reason):
        read_docx(data, "x.docx")


def test_a_table_knows_its_header_row() -> None:
    rows = "".join(
        f"<w:tr><w:tc><w:p><w:r><w:t>{name}</w:t></w:r></w:p></w:tc>"
        f"<w:tc><w:p><w:r><w:t>{length}</w:t></w:r></w:p></w:tc></w:tr>"
        for name, length in (("Boat", "Length"), ("Terna", "7 m"), ("Saga", "9 m"))
    )
    body = f'<w:document xmlns:w="{W}"><w:body><w:tbl>{rows}</w:tbl></w:body></w:document>'
    document = read_docx(package(body), "x.docx")
    [block] = document.blocks
    assert document.text[block.start : block.header_end] == "Boat | Length"


def test_real_word_files_are_read(corpora: Path) -> None:
    files = sorted((corpora / "stress/office/python-docx").rglob("*.docx"))
    assert len(files) > 30
    for file in files:
        read_docx(file.read_bytes(), file.name)
