from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QUrl

from desktop.widgets.answer_view import AnswerView
from desktop.widgets.safe_text import SafeDocument, cited_number, escape_marks, show_markdown


def links(document: SafeDocument) -> dict[str, str]:
    found, block = {}, document.begin()
    while block.isValid():
        for piece in block:  # pyright: ignore[reportGeneralTypeIssues]
            fragment = piece.fragment()
            if fragment.charFormat().isAnchor():
                found[fragment.text()] = fragment.charFormat().anchorHref()
        block = block.next()
    return found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_an_image_never_opens_a_local_file(qapp: Any, qtbot: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    view = AnswerView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    # Opening the pipe would hang here until the test's time limit.
    text = f"![x]({pipe}) ![y](file://{pipe})\n\n[z]: {pipe}\n![z]\n\n`![in code]({pipe})`"
    view.show_answer(text, 1, now=True)
    view.grab()
    view.document().setHtml(f"<img src='{pipe}'>")
    view.grab()


def test_marks_become_links_only_where_there_is_a_source(qapp: Any) -> None:
    document = SafeDocument()
    show_markdown(document, "Yes [1], no [2] and [7]. `code [1]`\n\n[2]: http://x.example", 2)
    found = links(document)
    assert (found.pop("[1]"), found.pop("[2]")) == ("cite:1", "cite:2")
    assert all(href == "http://x.example" for href in found.values())
    assert "[7]" in document.toPlainText()
    assert "http://x.example" in document.toPlainText()


def test_marks_beyond_the_basic_plane_are_found(qapp: Any) -> None:
    document = SafeDocument()
    show_markdown(document, "😀😀 **𝒳** [1]", 1)
    assert links(document) == {"[1]": "cite:1"}


def test_html_is_text_and_tables_are_tables(qapp: Any) -> None:
    document = SafeDocument()
    show_markdown(document, "<script>x</script> **b**\n\n| a | b |\n|---|---|\n| 1 | 2 |", 0)
    assert "<script>x</script>" in document.toPlainText()
    assert len(document.rootFrame().childFrames()) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab[]()12`!#|*_\n-: ~", max_size=120))
def test_any_markdown_is_shown_without_leaving_the_house(text: str) -> None:
    document = SafeDocument()
    show_markdown(document, text, 3)
    document.setTextWidth(300)
    cited = [href for href in links(document).values() if href.startswith("cite:")]
    assert all(0 < int(href.removeprefix("cite:")) <= 3 for href in cited)


def test_marks_are_escaped_outside_of_code_only() -> None:
    assert escape_marks("a [1] `b[1]` [12]") == r"a \[1\] `b[1]` \[12\]"
    assert escape_marks("```\nx[1]\n```\n[2]") == "```\nx[1]\n```\n\\[2\\]"
    assert escape_marks("```\nopen [1]") == "```\nopen [1]"


def test_only_our_own_links_are_citations() -> None:
    assert cited_number(QUrl("cite:3")) == 3
    assert cited_number(QUrl("cite:x")) is None
    assert cited_number(QUrl("http://cite/3")) is None
    assert cited_number(QUrl("file:///etc/passwd")) is None
