"""Conversations as files for others: complete, escaped, and JSON that reads back."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.answers.exporting import escape_markdown, export, file_stem
from engine.work.api import (
    AnswerReport,
    Citation,
    Conversation,
    Feedback,
    Filter,
    Timings,
    Tokens,
)

HOSTILE = (
    "</p><script>alert(1)</script><img src=x onerror=alert(2)> ![p](file:///etc/passwd) "
    "[l](javascript:alert(3)) <https://evil.example> `x` **b** # h\n- item\n1. one\x00\x1b"
)


def turn(number: int, question: str, answer: str, quote: str = "130 EUR") -> AnswerReport:
    source = Citation(
        n=1,
        file_id=1,
        path="/docs/Travel policy.pdf",
        title="Travel",
        heading="Hotels",
        page=3,
        quote=quote,
        start=0,
        end=len(quote),
        verified=True,
    )
    sheet = source.model_copy(update={"page": None, "place": "Budget!A5:F9", "heading": ""})
    return AnswerReport(
        question=question,
        answer=answer,
        refused=False,
        citations=[source, sheet],
        sentences=[],
        passages=[],
        mode="joint",
        model="qwen",
        timings=Timings(retrieve_ms=1, first_token_ms=2, total_ms=3),
        tokens=Tokens(prompt=4, generated=5),
        turn=number,
        asked_at="2026-05-01T10:00:00Z",
        rewritten="And for meals? (Lisbon)" if number == 2 else "",
        feedback=Feedback(verdict="down", correction="It is 20 EUR.") if number == 2 else None,
    )


def conversation(*turns: AnswerReport, title: str = "Travel rules") -> Conversation:
    return Conversation(
        id="abc",
        title=title,
        library="lib",
        libraries=["lib"],
        filter=Filter(types=["PDF"]),
        turns=list(turns),
    )


PLAIN = conversation(
    turn(1, "What is the hotel limit?", "It is 130 EUR. [1]"),
    turn(2, "And for meals?", "No idea. [1]"),
)


class Elements(HTMLParser):
    """Every element and attribute of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_json_reads_back_to_the_same() -> None:
    exported = export(PLAIN, "json")
    assert exported.name == "Travel rules.json"
    assert Conversation.model_validate_json(exported.text) == PLAIN


def test_markdown_has_questions_answers_and_sources() -> None:
    text = export(PLAIN, "md").text
    shown = Elements(MarkdownIt("commonmark").render(text))
    for part in (
        "Travel rules",
        "Only: PDF",
        "What is the hotel limit?",
        "It is 130 EUR. [1]",
        "/docs/Travel policy.pdf, page 3, Hotels",
        "/docs/Travel policy.pdf, Budget!A5:F9",
        "130 EUR",
        "Searched for: And for meals? (Lisbon)",
        "Correction: It is 20 EUR.",
        "qwen",
    ):
        assert part in shown.text, part
    assert shown.tags.count("h2") == 2
    assert "blockquote" in shown.tags


def test_html_is_one_quiet_page_with_the_same() -> None:
    page = export(PLAIN, "html").text
    shown = Elements(page)
    for part in (
        "What is the hotel limit?",
        "/docs/Travel policy.pdf, page 3, Hotels",
        "/docs/Travel policy.pdf, Budget!A5:F9",
        "Correction: It is 20 EUR.",
    ):
        assert part in shown.text, part
    assert "prefers-color-scheme: dark" in page
    assert "script" not in shown.tags
    assert ("href", "#s1-1") in shown.attributes
    names = [value for name, value in shown.attributes if name == "id"]
    assert len(names) == len(set(names))
    assert {"s1-1", "s2-1"} <= set(names)


def test_hostile_words_stay_words() -> None:
    hostile = conversation(turn(1, HOSTILE, HOSTILE, HOSTILE), title=HOSTILE)
    for form in ("md", "html"):
        page = export(hostile, form).text
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", page)
        html = MarkdownIt("commonmark").render(page) if form == "md" else page
        shown = Elements(html)
        assert not {"script", "img", "iframe", "code", "ul"} & set(shown.tags)
        assert all(
            value and value.startswith("#") for n, value in shown.attributes if n == "href"
        )
        assert not any(name.startswith("on") or name == "src" for name, _ in shown.attributes)
        assert "<script>alert(1)</script>" in shown.text


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))))
def test_escaped_text_is_only_text_to_markdown(text: str) -> None:
    text = " ".join(text.split())
    shown = Elements(MarkdownIt("commonmark").render(f"x {escape_markdown(text)}"))
    assert set(shown.tags) <= {"p"}
    assert " ".join(shown.text.split()) == f"x {text}".strip()


@given(
    text=st.text(alphabet="ab 1-=+*_#>`|.)(\t\n~[]<&!:\\", max_size=80),
)
def test_lines_of_marks_are_only_lines(text: str) -> None:
    asked = conversation(turn(1, text, text, text))
    shown = Elements(MarkdownIt("commonmark").render(export(asked, "md").text))
    assert set(shown.tags) <= {"h1", "h2", "p", "br", "em", "strong", "blockquote"}


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("What is in ../../etc/passwd?", "What is in etc passwd"),
        ("CON", "Conversation CON"),
        ("???", "Conversation"),
        ("Größe & Länge", "Größe Länge"),
        ("x" * 300, "x" * 60),
    ],
)
def test_file_names_suit_every_system(title: str, stem: str) -> None:
    assert file_stem(title) == stem
