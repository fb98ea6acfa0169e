from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.readers.text import clean, decode, read_text, read_xml
from engine.errors import UnreadableDocument

SENTENCE = "ZEBRA-ENC Zażółć gęślą jaźń — naïve café Привет 你好"


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "gb18030",
    ],
)
def test_any_unicode_encoding_gives_the_same_text(encoding: str) -> None:
    assert read_text(SENTENCE.encode(encoding), "x.txt").text == SENTENCE


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "ZEBRA-1250 Zażółć gęślą jaźń"),
        ("cp1251", "ZEBRA-1251 Привет, мир! Документ"),
        ("cp1252", "Die Größe der Prüfung übertraf die Erwartung: 30 € für später."),
        ("cp1252", "L’été dernier, la crème brûlée était délicieuse à Besançon."),
        ("shift_jis", "ZEBRA-SJIS 日本語の文書です。"),
        ("cp932", "新製品①の発売について、㈱山田商事からのお知らせです。"),
        ("euc_jp", "これは日本語の文書で、図書館にあります。"),
        ("big5", "這是一份繁體中文的文件,請保存在圖書館。"),
        ("cp949", "이것은 도서관에 있는 한국어 문서입니다."),
        ("iso2022_jp", "これは日本語の文書です。"),
    ],
)
def test_old_encodings_are_recognised(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_damaged_utf8_is_mended_with_replacement_characters() -> None:
    text = decode(b"ZEBRA-BAD ok \xff\xfe\xc3( \xed\xa0\x80 \xf8 end")
    assert text.startswith("ZEBRA-BAD ok ")
    assert text.endswith(" end")
    assert "\ufffd" in text


def test_newlines_are_one_kind_and_nul_is_gone() -> None:
    assert read_text(b"one\rtwo\r\nthree\n", "x").text == "one\ntwo\nthree\n"
    assert read_text(b"ZEBRA\0\0text", "x").text == "ZEBRAtext"


@pytest.mark.parametrize("data", [b"", bytes(range(256)) * 40, b"\x7fELF" + bytes(500)])
def test_what_is_not_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        decode(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused(encoding: str) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><r>&a;&a;</r>'
    with pytest.raises(UnreadableDocument, match="entities"):
        read_xml(bomb.encode(encoding), "bomb.xml")
    assert "<r>" in read_xml(b"<r>plain</r>", "x.xml").text


@given(st.binary(max_size=300))
def test_any_bytes_give_clean_text_or_a_reason(data: bytes) -> None:
    try:
        document = read_text(data, "x.txt")
    except UnreadableDocument:
        return
    document.text.encode("utf-8")
    assert "\0" not in document.text
    assert "\r" not in document.text


@given(st.text(max_size=200))
def test_paragraphs_cover_every_word(text: str) -> None:
    text = clean(text)
    document = read_text(text.encode("utf-8"), "x") if text.strip() else None
    if document is None:
        return
    left = list(document.text)
    for block in document.blocks:
        left[block.start : block.end] = " " * (block.end - block.start)
    assert not "".join(left).strip()
