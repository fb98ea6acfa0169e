"""Plain text in any common encoding."""

from __future__ import annotations

import codecs
import re
import unicodedata

from engine.documents.readers.encodings import guess_encoding
from engine.documents.types import Block, Document
from engine.documents.xml import refuse_declarations
from engine.errors import UnreadableDocument

_SAMPLE_BYTES = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# ISO 2022 switches character sets with escape sequences; nothing else contains these.
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"))
# Python's own notations; decoding some of them takes quadratic time.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
# What programs write under these names, after https://encoding.spec.whatwg.org/#names-and-labels.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n(?=[^\n]*\S)[^\n]*)*")


def read_text(data: bytes, name: str) -> Document:
    """Text as one document; paragraphs are separated by blank lines.

    A mailbox often has no suffix; it is read as what it is.

    Raises:
        UnreadableDocument: the bytes are not text, or hold nothing.
    """
    if data.startswith(b"From ") and "." not in name.lstrip("."):
        from engine.documents.readers.mail import looks_like_mailbox, read_mailbox

        if looks_like_mailbox(data):
            return read_mailbox(data, name)
    text = clean(decode(data))
    return Document(title="", text=text, blocks=paragraphs(text))


def read_xml(data: bytes, name: str) -> Document:
    """XML as the text it is, unless it declares entities.

    Raises:
        UnreadableDocument: it has a document type declaration, or is not text.
    """
    refuse_declarations(data)
    return read_text(data, name)


def decode_as(data: bytes, encoding: str) -> str | None:
    """`data` in an encoding that a file or a mail says it has; None where that is not so."""
    try:
        known = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None
    if known in _NO_CHARSETS:
        return None
    try:
        return data.decode(_WIDER.get(known, known))
    except (LookupError, ValueError):
        return None


def clean(text: str) -> str:
    r"""Newlines as \n; control characters, lone surrogates and the BOM removed.

    They carry no words, and NUL ends strings in native code further down.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", text).replace("\ufeff", "")


def paragraphs(text: str, start: int = 0, end: int | None = None) -> list[Block]:
    """Paragraph blocks of text[start:end], split at blank lines."""
    stop = len(text) if end is None else end
    found = _PARAGRAPH.finditer(text, start, stop)
    return [Block("paragraph", match.start(), match.end()) for match in found]


def decode(data: bytes) -> str:
    """Bytes to text: byte order mark, UTF-8, UTF-16/32 by their zeros, then old encodings.

    Raises:
        UnreadableDocument: empty, or not text in any encoding.
    """
    if not data:
        raise UnreadableDocument("The file is empty.")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    for escape, encoding in _ESCAPES:
        if escape in data[:_SAMPLE_BYTES]:
            return data.decode(encoding, "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        # Some NULs in a text are damage and dropped later; many are UTF-16 or UTF-32.
        if text.count("\0") * 5 <= len(text):
            return _checked(text)
    wide = _wide(data)
    if wide is not None:
        return wide
    if _looks_binary(data[:_SAMPLE_BYTES]):
        raise UnreadableDocument("This is a binary file, not text.")
    return data.decode(guess_encoding(data[:_SAMPLE_BYTES]), "replace")


def _checked(text: str) -> str:
    controls = sum(map(len, _CONTROL.findall(text[:_SAMPLE_BYTES])))
    if controls * 5 > len(text[:_SAMPLE_BYTES]):
        raise UnreadableDocument("This is a binary file, not text.")
    return text


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: only one byte order gives ordinary characters."""
    best: tuple[float, str] | None = None
    for encoding, width in (
        ("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2),
    ):  # fmt: skip
        if len(data) % width:
            continue
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        share = _ordinary(text[:4096])
        if share > 0.97 and (best is None or share > best[0]):
            best = (share, text)
    # UTF-16 finds characters in any bytes: it must also show the zeros of spaces and ASCII.
    if best is None or data[:8192].count(0) * 20 < len(data[:8192]):
        return None
    return best[1]


def _ordinary(text: str) -> float:
    """Share of characters that occur in writing: assigned, and not from private planes."""
    if not text:
        return 0.0
    good = sum(char in "\n\r\t" or unicodedata.category(char)[0] in "LNPSZM" for char in text)
    return good / len(text)


def _looks_binary(sample: bytes) -> bool:
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in sample)
    return controls * 20 > len(sample)
