"""RTF: encodings, structure, and hostile nesting."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.readers.rtf import read_rtf
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_FONTS = (
    rb"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}"
    rb"{\f2\fcharset128 MS Mincho;}{\f3\fcharset2 Symbol;}}"
)


def rtf(body: bytes) -> bytes:
    return rb"{\rtf1\ansi\ansicpg1252\deff0" + _FONTS + body + b"}"


def read(body: bytes) -> str:
    return read_rtf(rtf(body), "x.rtf").text.strip()


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


LETTER = rtf(
    rb"{\colortbl;\red0\green0\blue0;}"
    rb"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0\b heading 1;}{\s2 \'dcberschrift 2;}"
    rb"{\s9 Title;}{\*\cs10 Default Paragraph Font;}}"
    rb"{\info{\title Rules of the h\'e5rbour}{\author Bo}{\company X}}"
    rb"{\header Page header\par}"
    rb"\pard\s9 Rules\par"
    rb"\pard\s1 Fuel\par"
    rb"\pard\plain Petrol is stored {\b in} the red shed.{\footnote\pard\plain Since 2019.}"
    rb" Ask {\field{\*\fldinst HYPERLINK \"http://x\"}{\fldrslt Ida}}.\par"
    rb"\pard\s2 Boats\par"
    rb"{\listtext\pard\plain\f3\'b7\tab}\pard\plain Terna\par"
    rb"{\listtext 2.\tab}Saga\par"
    rb"\pard\trowd\cellx3000\cellx6000\intbl Boat\cell Length\cell\row"
    rb"\trowd\cellx3000\cellx6000\intbl Terna\par small\cell 7 m\cell\row"
    rb"\trowd\cellx3000\cellx6000\intbl Saga\cell 9 m\cell\row"
    rb"\pard The end.{\*\annotation\pard Really?}{\v hidden}\par"
    rb"{\pict\pngblip 89504e470d0a}{\pict\bin7 }}{{\x\y}"
    rb"{\*\unknown What is this?}"
    rb"{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt\pard In the box.\par}}"
    rb"{\shprslt In the box.}}"
)


def test_a_letter_keeps_its_structure() -> None:
    document = read_rtf(LETTER, "letter.rtf")
    assert document.title == "Rules of the hårbour"
    assert blocks(document) == [
        ("heading", 1, "Rules"),
        ("heading", 1, "Fuel"),
        ("paragraph", 0, "Petrol is stored in the red shed. Ask Ida."),
        ("heading", 2, "Boats"),
        ("list", 0, "- Terna\n2. Saga"),
        ("table", 0, "Boat | Length\nTerna small | 7 m\nSaga | 9 m"),
        ("paragraph", 0, "The end."),
        ("paragraph", 0, "In the box."),
        ("paragraph", 0, "Since 2019."),
        ("paragraph", 0, "Comment: Really?"),
    ]
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "Boat | Length"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"caf\'e9 \'80 5", "café € 5"),
        (b"caf\xe9", "café"),
        (rb"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\f2 \'93\'fa\'96\'7b}", "日本"),
        (rb"{\f2 \'83\\x}", "ソx"),
        (rb"\u26085?\u26412?", "日本"),
        (rb"\uc2\u8364\'80\'80 5", "€ 5"),
        (rb"\uc0\u8364 5", "€5"),
        (rb"\u-10179?\u-8704?", "😀"),
        (rb"\u-10179?x", "x"),
        (rb"\lquote a\rquote\emdash b\~c\_d\-e", "‘a’—b\u00a0c-de"),
        (rb"a\{b\}\\c", "a{b}\\c"),
        (b"one\\\ntwo", "one\n\ntwo"),
        (rb"a\line b\tab c", "a\nb\tc"),
        (rb"\upr{a}{\*\ud\u225?}", "á"),
    ],
)
def test_characters(body: bytes, text: str) -> None:
    assert read(body + rb"\par") == text


def test_the_document_ends_with_its_last_brace() -> None:
    assert read_rtf(rtf(rb"one\par") + rb"{two\par}}}", "x").text.strip() == "one"


def test_a_file_cut_short_gives_what_there_is() -> None:
    assert "Petrol is stored in the red shed." in read_rtf(LETTER[:600], "x").text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an RTF document"),
        (b"PK\x03\x04", "not an RTF document"),
        (rb"{\rtf1 " + b"{" * 1_000_000, "nested too deeply"),
        (rb"{\rtf1 " + b"{\\footnote " * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        read_rtf(data, "x.rtf")


_TOKENS = st.sampled_from(
    rb"""{ } \par \pard \cell \row \intbl \trowd \footnote \*\annotation \listtext \u8364? \'e9
    \bin3 \bin999999 \uc9 \f1 \f2 \fonttbl \stylesheet \s1 heading;1; \info \title \v \pict
    \shp \shptxt \result \u-10179? \u55357? \u56832? \sect \nestcell \nestrow \* text
    \ud""".split()
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TOKENS, max_size=60))
def test_any_sequence_of_control_words_is_read(tokens: list[bytes]) -> None:
    document = read_rtf(rtf(b" ".join(tokens)), "x.rtf")
    for block in document.blocks:
        assert document.text[block.start : block.end].strip()


@settings(max_examples=80, deadline=None)
@given(at=st.integers(0, len(LETTER) - 1), patch=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_is_read_or_refused(at: int, patch: bytes) -> None:
    with contextlib.suppress(UnreadableDocument):
        read_rtf(LETTER[:at] + patch + LETTER[at + len(patch) :], "x.rtf")
