from __future__ import annotations

import contextlib
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.readers.epub import read_epub
from engine.documents.types import Document
from engine.errors import UnreadableDocument

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)
OPF = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Boats</dc:title>
<dc:creator>A. Sailor</dc:creator></metadata><manifest>
<item id="two" href="text/two%2Eb.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
</manifest><spine toc="toc"><itemref idref="one"/><itemref idref="two"/></spine></package>"""
NCX = """<?xml version="1.0"?>
<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/ncx-2005-1.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><docTitle><text>Boats</text></docTitle>
<navMap><navPoint><navLabel><text>On land</text></navLabel><content src="text/one.xhtml"/>
<navPoint><navLabel><text>Paint</text></navLabel><content src="text/one.xhtml#paint"/>
</navPoint></navPoint><navPoint><navLabel><text>At sea</text></navLabel>
<content src="text/two%2Eb.xhtml"/></navPoint></navMap></ncx>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>
<nav epub:type="toc"><h1>Contents</h1><ol><li><span>Part I</span><ol>
<li><a href="text/one.xhtml">On land</a></li></ol></li>
<li><a href="text/two%2Eb.xhtml">At sea</a></li></ol></nav>
<nav epub:type="page-list"><ol><li><a href="text/one.xhtml#paint">7</a></li></ol></nav>
</body></html>"""
ONE = """<html xmlns="http://www.w3.org/1999/xhtml"><body>
<p>Scrape the hull.</p><p id="paint">Red.</p></body></html>"""
TWO = "<html><body><h1>At sea</h1><p>Watch the <b>wind</b>.</p></body></html>"


def book(**parts: str | bytes) -> bytes:
    files: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": OPF,
        "OPS/toc.ncx": NCX,
        "OPS/text/one.xhtml": ONE,
        "OPS/text/two.b.xhtml": TWO,
    }
    files.update(
        {name.replace("__", "/").replace("_", "."): part for name, part in parts.items()}
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            if part:
                archive.writestr(name, part)
    return stream.getvalue()


def places(document: Document) -> dict[str, str]:
    return {page.label: document.text[page.start : page.end] for page in document.pages}


def test_chapters_stand_in_spine_order_under_the_names_of_the_contents() -> None:
    document = read_epub(book(), "x.epub")
    assert document.title == "Boats"
    found = places(document)
    assert list(found) == ["About this book", "On land", "On land › Paint", "At sea"]
    assert found["About this book"].split("\n")[:2] == ["Title: Boats", "Creator: A. Sailor"]
    assert found["On land"].strip() == "Scrape the hull."
    assert found["On land › Paint"].strip() == "Red."
    assert found["At sea"].strip() == "At sea\n\nWatch the wind."


def test_the_navigation_document_goes_before_the_ncx() -> None:
    opf = OPF.replace(
        "</manifest>",
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        "</manifest>",
    ).replace("</spine>", '<itemref idref="nav"/></spine>')
    document = read_epub(book(OPS__book_opf=opf, OPS__nav_xhtml=NAV), "x.epub")
    assert list(places(document)) == ["About this book", "Part I › On land", "At sea"]
    assert "Contents" not in document.text


def test_a_page_without_headings_takes_those_of_the_contents() -> None:
    document = read_epub(book(), "x.epub")
    names = [block.name for block in document.blocks if block.kind == "heading" and block.name]
    assert names == ["On land"]


def test_a_book_without_contents_or_container_is_read() -> None:
    parts: dict[str, str | bytes] = {"META-INF__container_xml": "", "OPS__toc_ncx": ""}
    assert list(places(read_epub(book(**parts), "x.epub"))) == [
        "About this book", "Section 1", "Section 2",
    ]  # fmt: skip


def encryption(target: str, algorithm: str) -> str:
    return (
        f'<encryption><EncryptedData><EncryptionMethod Algorithm="{algorithm}"/><CipherData>'
        f'<CipherReference URI="{target}"/></CipherData></EncryptedData></encryption>'
    )


def test_a_protected_book_is_refused_with_the_reason() -> None:
    aes = encryption("OPS/text/one.xhtml", "http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    with pytest.raises(UnreadableDocument, match="protected against copying"):
        read_epub(book(**{"META-INF__encryption_xml": aes}), "x.epub")


def test_obfuscated_fonts_do_not_matter() -> None:
    fonts = encryption("OPS/text/one.xhtml", "http://www.idpf.org/2008/embedding")
    read_epub(book(**{"META-INF__encryption_xml": fonts}), "x.epub")


@pytest.mark.parametrize(
    "data",
    [
        b"not a zip",
        b"PK\x03\x04 cut short",
        book(OPS__book_opf="<package></package>"),
        book(OPS__book_opf=""),
        book(OPS__text__one_xhtml="<p>" + "A" * (40 << 20)),
        book(OPS__text__one_xhtml=bytes(range(1, 9)) * 300, OPS__text__two_b_xhtml=""),
    ],
    ids=["text", "cut", "empty", "no package", "bomb", "binary"],
)
def test_hostile_books_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read_epub(data, "x.epub")
    assert caught.value.message.endswith(".")


def test_a_damaged_chapter_does_not_cost_the_others() -> None:
    data = book(OPS__text__one_xhtml=bytes(range(1, 9)) * 300)
    assert "Watch the wind." in read_epub(data, "x.epub").text


def test_a_path_out_of_the_book_leads_nowhere() -> None:
    opf = OPF.replace("text/one.xhtml", "../../../etc/passwd")
    assert "root:" not in read_epub(book(OPS__book_opf=opf), "x.epub").text


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_torn_package_ends_in_text_or_a_reason(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["OPS__book_opf", "OPS__toc_ncx", "OPS__text__one_xhtml"]))
    source = {"OPS__book_opf": OPF, "OPS__toc_ncx": NCX, "OPS__text__one_xhtml": ONE}[part]
    start = data.draw(st.integers(0, len(source)))
    torn = source[:start] + data.draw(st.text(max_size=8)) + source[start + 20 :]
    with contextlib.suppress(UnreadableDocument):
        read_epub(book(**{part: torn.encode("utf-8", "replace")}), "x.epub")


def test_real_books_are_read_whole(corpora: Path) -> None:
    books = sorted((corpora / "stress/epub").glob("*.epub"))
    assert len(books) == 8
    for path in books:
        document = read_epub(path.read_bytes(), path.name)
        assert document.title
        got = document.text + re.sub(r"（[^）]*）|\s", "", document.text)
        words = source_words(path)
        missing = [word for word in words if word not in got]
        assert len(missing) <= len(words) * 0.01, (path.name, missing[:20])


def source_words(path: Path) -> set[str]:
    """The words of a book's pages by plain means; contents pages are not searched."""
    words: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("html") and not re.search("nav|toc|cover|目次", name):
                page = re.sub(
                    r"(?s)<(script|style|svg|head)\b.*?</\1>|<rt>.*?</rt>|</?(rp|rb|ruby)>",
                    "",
                    archive.read(name).decode(),
                )
                words |= set(re.findall(r"\w+", re.sub(r"<[^>]*>|&\w+;", " ", page)))
    return words


def test_arabic_stands_in_reading_order(corpora: Path) -> None:
    path = corpora / "stress/epub/regime-anticancer-arabic.epub"
    document = read_epub(path.read_bytes(), path.name)
    assert "ما هو السرطان؟" in document.text
    assert sum("\u0600" <= char <= "\u06ff" for char in document.text) > 15_000


def test_numbers_of_printed_pages_do_not_break_sentences(corpora: Path) -> None:
    path = corpora / "stress/epub/childrens-literature.epub"
    text = " ".join(read_epub(path.read_bytes(), path.name).text.split())
    assert "the window flew open, and the Soldier fell head over heels" in text


def test_vertical_japanese_keeps_words_whole(corpora: Path) -> None:
    path = corpora / "stress/epub/kusamakura-japanese-vertical-writing.epub"
    document = read_epub(path.read_bytes(), path.name)
    assert document.title == "草枕"
    assert "山路（やまみち）を登りながら、こう考えた。" in document.text
    assert "十三" in places(document)
