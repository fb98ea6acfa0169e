"""Rich Text Format (Microsoft, version 1.9.1): one pass over the file, no recursion.

Text is bytes in the code page of the current font, Unicode escapes, and control words; what
stands in a group of unknown purpose is skipped, as the specification asks.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.rtf_words import CHARSETS, SKIPPED, SPECIAL
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([\r\n\0]+)"
    r"|([^\\{}\r\n\0]+)",
    re.DOTALL,
)
_MAX_DEPTH = 2_000
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.IGNORECASE)
_TITLES = frozenset({"title", "titel", "titre", "título"})

Destination = Literal["body", "skip", "fonts", "styles", "title", "info", "mark", "aside"]


@dataclass
class _Group:
    """What a brace restores when it closes."""

    to: Destination = "body"
    font: int = -1
    skip_after_unicode: int = 1
    hidden: bool = False


@dataclass
class _Paragraph:
    """A paragraph as it grows; `style` and `level` belong to it, `mark` is its bullet."""

    words: list[str] = field(default_factory=list[str])
    mark: list[str] = field(default_factory=list[str])
    style: int = 0
    level: int = 0
    in_table: bool = False


def read_rtf(data: bytes, name: str) -> Document:
    """Paragraphs, headings, lists, tables, then notes and comments.

    Raises:
        UnreadableDocument: not RTF, or nested to no purpose.
    """
    text = data.decode("latin-1")
    start = text[:64].find("{\\rtf")
    if start < 0:
        raise UnreadableDocument("This is not an RTF document, whatever its name says.")
    reading = _Reading()
    reading.read(text, start)
    return reading.document()


class _Reading:
    def __init__(self) -> None:
        self._builder = DocumentBuilder()
        self._groups: list[_Group] = []
        self._now = _Group()
        self._depth = 0
        self._paragraph = _Paragraph()
        self._outer: list[tuple[int, str, _Paragraph]] = []
        """Paragraphs that notes interrupt: (depth of the note, its kind, paragraph)."""
        self._asides: list[str] = []
        self._bytes = bytearray()
        self._surrogate = 0
        self._to_skip = 0
        self._starred = False
        self._code_page = "cp1252"
        self._default_font = 0
        self._fonts: dict[int, str] = {}
        self._levels: dict[int, int] = {}
        self._title_styles: set[int] = set()
        self._style = 0
        self._name: list[str] = []
        self._title: list[str] = []
        self._rows: list[list[str]] = []
        self._cells: list[str] = []
        self._cell: list[str] = []
        self._listed: list[str] = []

    def read(self, text: str, start: int) -> None:
        """Follow the file from its first brace to the one that closes it."""
        at, match = start, _TOKEN.match
        while (found := match(text, at)) is not None:
            at = found.end()
            kind = found.lastindex
            if kind == 5:
                if not self._brace(found.group(5)):
                    break
            elif kind == 7:
                self._plain(found.group(7))
            elif kind == 3:
                self._byte(int(found.group(3), 16))
            elif kind == 4:
                self._symbol(found.group(4))
            elif kind in (1, 2):
                word, number = found.group(1), found.group(2)
                if word == "bin":
                    at += max(0, int(number or 0))
                else:
                    self._word(word, int(number) if number else None)
        while self._outer:
            self._end_aside()
        self._end_paragraph()

    def document(self) -> Document:
        """The finished document."""
        self._end_table()
        self._end_list()
        for aside in self._asides:
            self._builder.add("paragraph", aside)
        title = "".join(self._title).strip()
        return self._builder.document(title or self._builder.heading())

    # --- groups -----------------------------------------------------------------------

    def _brace(self, brace: str) -> bool:
        """Open or close a group; False when the document ends with it."""
        self._flush()
        self._to_skip, self._starred = 0, False
        if brace == "{":
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise UnreadableDocument("The file is nested too deeply to be read.")
            self._groups.append(self._now)
            self._now = replace(self._now)
            return True
        if self._outer and self._outer[-1][0] == self._depth:
            self._end_aside()
        self._depth -= 1
        if self._groups:
            self._now = self._groups.pop()
        return self._depth > 0

    def _begin_aside(self, kind: str) -> None:
        self._outer.append((self._depth, kind, self._paragraph))
        self._paragraph = _Paragraph()
        self._now.to = "aside"

    def _end_aside(self) -> None:
        self._flush()
        _, kind, paragraph = self._outer.pop()
        text = " ".join("".join(self._paragraph.words).split())
        if text:
            self._asides.append(f"Comment: {text}" if kind == "annotation" else text)
        self._paragraph = paragraph

    # --- control words ----------------------------------------------------------------

    def _word(self, word: str, number: int | None) -> None:
        if word == "u":
            self._unicode(number or 0)
            return
        self._flush()
        self._to_skip = 0
        starred, self._starred = self._starred, False
        if self._destination(word, starred):
            return
        if word in SPECIAL:
            self._text(SPECIAL[word])
        elif word == "f":
            self._now.font = number or 0
        elif word == "uc":
            self._now.skip_after_unicode = max(0, number or 0)
        elif word == "v":
            self._now.hidden = number != 0
        elif word == "plain":
            self._now.font, self._now.hidden = self._default_font, False
        elif word in ("ansicpg", "mac", "pc", "pca", "deff", "fcharset", "cpg"):
            self._encoding(word, number or 0)
        elif self._now.to == "styles":
            self._style_word(word, number or 0)
        elif self._now.to in ("body", "aside"):
            self._layout(word, number or 0)

    def _destination(self, word: str, starred: bool) -> bool:
        """Whether the word says what its group is for; what is unknown is skipped."""
        now = self._now
        if word in ("shptxt", "result", "ud"):
            # Text inside of what is otherwise skipped.
            now.to = "body" if not self._outer else "aside"
        elif now.to == "skip":
            return True
        elif word in ("footnote", "annotation"):
            self._begin_aside(word)
        elif word == "fonttbl":
            now.to = "fonts"
        elif word == "stylesheet":
            now.to = "styles"
        elif word == "info":
            now.to = "info"
        elif word == "title" and now.to == "info":
            now.to = "title"
        elif word in ("listtext", "pntext"):
            now.to = "mark"
        elif word in SKIPPED or (starred and word not in ("shppict", "cs", "s", "ts")):
            now.to = "skip"
        else:
            return False
        return True

    def _encoding(self, word: str, number: int) -> None:
        if word == "ansicpg":
            self._code_page = _codec(number, self._code_page)
        elif word == "deff":
            self._default_font = self._now.font = number
        elif self._now.to == "fonts" and word == "fcharset":
            charset = CHARSETS.get(number)
            if charset is not None:
                self._fonts[self._now.font] = charset
        elif self._now.to == "fonts" and word == "cpg":
            self._fonts[self._now.font] = _codec(number, self._code_page)
        elif word in ("mac", "pc", "pca"):
            self._code_page = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]

    def _style_word(self, word: str, number: int) -> None:
        if word == "s":
            self._style, self._name = number, []
        elif word == "outlinelevel" and number < 9:
            self._levels[self._style] = number + 1

    def _layout(self, word: str, number: int) -> None:
        paragraph = self._paragraph
        if word in ("par", "sect", "page"):
            if self._outer:
                self._text("\n")
            else:
                self._end_paragraph()
        elif word == "pard":
            paragraph.style = paragraph.level = 0
            paragraph.in_table = False
        elif word == "s":
            paragraph.style = number
        elif word == "outlinelevel":
            paragraph.level = number + 1 if number < 9 else 0
        elif word == "intbl":
            paragraph.in_table = True
        elif word in ("cell", "nestcell") and not self._outer:
            paragraph.in_table = True
            self._end_paragraph()
            self._cells.append(" ".join(self._cell))
            self._cell = []
        elif word in ("row", "nestrow") and self._cells:
            self._rows.append(self._cells)
            self._cells = []

    # --- text -------------------------------------------------------------------------

    def _plain(self, text: str) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(text))
            self._to_skip -= skipped
            text = text[skipped:]
        self._bytes += text.encode("latin-1")

    def _byte(self, byte: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        else:
            self._bytes.append(byte)

    def _symbol(self, char: str) -> None:
        if char == "*":
            self._starred = True
        elif char in "\r\n":
            self._word("par", None)
        elif self._to_skip:
            self._to_skip -= 1
        elif char in "\\{}":
            self._bytes.append(ord(char))  # may be the second byte of a Japanese character
        else:
            self._flush()
            self._text({"~": "\u00a0", "_": "-", "-": ""}.get(char, char))

    def _unicode(self, number: int) -> None:
        """A UTF-16 unit, written as a signed number; a pair of them is one character."""
        self._flush(keep_surrogate=True)
        unit = number & 0xFFFF
        self._to_skip = self._now.skip_after_unicode
        if 0xD800 <= unit < 0xDC00:
            self._surrogate = unit
        elif 0xDC00 <= unit < 0xE000:
            if self._surrogate:
                self._text(chr(0x10000 + ((self._surrogate - 0xD800) << 10) + unit - 0xDC00))
            self._surrogate = 0
        else:
            self._surrogate = 0
            self._text(chr(unit))

    def _flush(self, keep_surrogate: bool = False) -> None:
        """Decode the bytes collected so far in the current font's code page."""
        if not keep_surrogate:
            self._surrogate = 0
        if not self._bytes:
            return
        data, self._bytes = bytes(self._bytes), bytearray()
        if self._now.to == "skip":
            return
        font = self._now.font if self._now.font >= 0 else self._default_font
        self._text(data.decode(self._fonts.get(font, self._code_page), "replace"))

    def _text(self, text: str) -> None:
        to = self._now.to
        if self._now.hidden and to in ("body", "aside"):
            return
        if to in ("body", "aside"):
            self._paragraph.words.append(text)
        elif to == "mark":
            self._paragraph.mark.append(text)
        elif to == "title":
            self._title.append(text)
        elif to == "styles":
            self._style_name(text)

    def _style_name(self, text: str) -> None:
        self._name.append(text)
        if ";" not in text:
            return
        name = "".join(self._name).strip(" ;")
        heading = _HEADING.fullmatch(name)
        if heading:
            self._levels[self._style] = int(heading.group(1))
        elif name.lower() in _TITLES:
            self._title_styles.add(self._style)
        self._style, self._name = 0, []

    def _end_paragraph(self) -> None:
        self._flush()
        done = self._paragraph
        # Layout holds until \pard says otherwise.
        self._paragraph = replace(done, words=[], mark=[])
        text = "".join(done.words).strip()
        if done.in_table:
            self._end_list()
            if text:
                self._cell.append(" ".join(text.split()))
            return
        self._end_table()
        if not text:
            return
        level = done.level or self._levels.get(done.style, 0)
        title = done.style in self._title_styles
        mark = "".join(done.mark).strip()
        if done.mark and not level:
            numbered = any(char.isalnum() for char in mark)
            self._listed.append(f"{mark if numbered else '-'} {text}")
            return
        self._end_list()
        heading = bool(level or title)
        self._builder.add("heading" if heading else "paragraph", text, level or int(title))

    def _end_list(self) -> None:
        if self._listed:
            self._builder.add("list", "\n".join(self._listed))
            self._listed = []

    def _end_table(self) -> None:
        if self._cells or self._cell:
            self._rows.append([*self._cells, " ".join(self._cell)])
        if self._rows:
            # Nearly every table has a header row, and few say so.
            self._builder.table(self._rows, header=len(self._rows) > 2)
        self._rows, self._cells, self._cell = [], [], []


def _codec(code_page: int, fallback: str) -> str:
    """Python's name of a Windows code page; 65001 is UTF-8."""
    for name in ("utf-8" if code_page == 65001 else f"cp{code_page}", "mac_roman"):
        if name == "mac_roman" and code_page != 10000:
            break
        try:
            return codecs.lookup(name).name
        except LookupError:
            continue
    return fallback
