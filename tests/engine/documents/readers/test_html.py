from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from engine.documents.readers.html import read_html
from engine.documents.readers.nesting import MAX_DEPTH, bounded_depth

PAGE = """<!doctype html><html><head><title>Badges &amp; keys</title>
<style>p{color:red}</style><script>alert('no')</script></head><body>
<h1>Badges</h1><p>Visitor badges are <b>orange</b><br>and expire.</p>
<table><tr><th>Who</th><th>Colour</th></tr><tr><td>Staff</td><td>blue</td></tr></table>
<ul><li>First</li><li>Second <i>item</i></li></ul>
<pre>  keep   this
    shape</pre><p hidden>secret</p><p style="display: none">unseen</p>
<div>Loose <span>words</span></div></body></html>"""


def test_visible_text_with_its_structure() -> None:
    document = read_html(PAGE.encode(), "x.html")
    assert document.title == "Badges & keys"
    found = [(b.kind, document.text[b.start : b.end]) for b in document.blocks]
    assert found == [
        ("heading", "Badges"),
        ("paragraph", "Visitor badges are orange\nand expire."),
        ("table", "Who | Colour\nStaff | blue"),
        ("list", "- First\n- Second item"),
        ("code", "  keep   this\n    shape"),
        ("paragraph", "Loose words"),
    ]


def test_the_declared_encoding_is_used() -> None:
    page = '<meta charset="windows-1251"><p>Привет, мир</p>'.encode("cp1251")
    assert read_html(page, "x.html").text.strip() == "Привет, мир"


def test_text_far_down_is_kept() -> None:
    assert "ZEBRA" in read_html(b"<div>" * 3000 + b"ZEBRA", "deep.html").text


def test_layout_tables_keep_their_text() -> None:
    page = b"<table><tr><td><h2>Menu</h2><p>One</p></td><td><p>Two</p></td></tr></table>"
    text = read_html(page, "x.html").text
    assert text.split() == ["Menu", "One", "Two"]


def test_a_tables_header_row_is_known() -> None:
    page = PAGE.replace("<table>", "<table><caption>Colours</caption>").encode()
    document = read_html(page, "x.html")
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "Who | Colour"
    assert "Colours" in document.text[: table.start]


def test_a_first_column_of_names_is_no_header_row() -> None:
    page = b"<table><tr><th>Who<td>Staff<tr><th>Colour<td>blue</table>"
    document = read_html(page, "x.html")
    assert document.text.strip() == "Who | Staff\nColour | blue"
    assert document.blocks[0].header_end == 0


def test_a_data_table_with_paragraphs_in_its_cells_keeps_its_rows() -> None:
    page = b"<table><tr><th>A<th>B<tr><td><p>1</p><td><p>2</p></table>"
    assert read_html(page, "x.html").text.strip() == "A | B\n1 | 2"


def test_readings_stand_after_the_whole_word() -> None:
    page = "<p><ruby>山<rp>(</rp><rt>やま</rt><rp>)</rp>路<rt>みち</rt></ruby>を登りながら"
    assert read_html(page.encode(), "x.html").text.strip() == "山路（やまみち）を登りながら"


def test_elements_closed_at_once_in_xhtml_do_not_swallow_the_page() -> None:
    page = (
        b'<?xml version="1.0" encoding="iso-8859-1"?><html xmlns="http://www.w3.org/1999/xhtml">'
        b'<head><title/><script src="x"/></head><body><a id="p1"/><p>caf\xe9</p><br/>on</body>'
    )
    assert read_html(page, "x.xhtml").text.split() == ["café", "on"]


BOTTOMLESS = [
    b"<div>", b"<b>", b"<table><tr><td>", b"<li><dd>", b'<div a="<">', b"<ruby>", b"<x-y>",
    b"<ul><li>",
]  # fmt: skip


@pytest.mark.parametrize("opening", BOTTOMLESS)
def test_bottomless_pages_keep_their_text(opening: bytes) -> None:
    document = read_html(opening * 30_000 + b"ZEBRA", "deep.html")
    assert document.text.lstrip("- ").strip().endswith("ZEBRA")


@pytest.mark.parametrize("opening", BOTTOMLESS)
def test_what_the_parser_gets_is_never_deep(opening: bytes) -> None:
    # It needs quadratic time in the depth: 200,000 elements took longer than a file may.
    page = bounded_depth((opening * 3_000).decode())
    node = LexborHTMLParser(page).root
    depth = deepest = 0
    while node is not None:
        deepest = max(deepest, depth)
        if node.first_child is not None:
            node, depth = node.first_child, depth + 1
            continue
        while node is not None and node.next is None:
            node, depth = node.parent, depth - 1
        node = node.next if node is not None else None
    assert 2 < deepest < 2 * MAX_DEPTH


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="<>/abptdivliruby= \"'x", max_size=400))
def test_any_soup_of_tags_is_read(soup: str) -> None:
    read_html(b"words " + soup.encode(), "x.html")


def test_the_main_text_of_real_pages_is_all_there(corpora: Path) -> None:
    shares: list[float] = []
    for source in sorted((corpora / "stress/html/readability").glob("*/source.html")):
        words = set(re.findall(r"\w+", read_html(source.read_bytes(), "x.html").text))
        expected = read_html(source.with_name("expected.html").read_bytes(), "x.html").text
        wanted = re.findall(r"\w+", expected)
        shares.append(sum(word in words for word in wanted) / max(1, len(wanted)))
    assert len(shares) > 30
    assert sum(shares) / len(shares) > 0.99
    assert min(shares) > 0.85


@pytest.mark.parametrize("page", ["", "<", "<p", "</p></p>", "<!-- x", "<table><tr><td>"])
def test_broken_pages_do_not_raise(page: str) -> None:
    read_html(b"words " + page.encode(), "x.html")
