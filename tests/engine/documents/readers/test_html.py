from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.documents.readers.html import read_html

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
