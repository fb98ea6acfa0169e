"""Source code by its structure, and other text that people cite by its lines.

The text is the file as it is. Functions, classes and methods become sections named by their
path, "class Parser › def parse"; comments, decorators and attributes before a definition
stay with it. Definitions too small to be found on their own stay with their neighbours, as
in cAST (Zhang et al. 2025, arXiv 2506.15655).
"""

from __future__ import annotations

import re
from itertools import accumulate

from engine.documents.readers.grammars import Definition, outline
from engine.documents.readers.text import clean, decode, paragraphs
from engine.documents.types import Anchor, Block, Document

LANGUAGES: dict[str, str] = {
    suffix: language
    for language, suffixes in {
        "bash": ".sh .bash .zsh .ksh .bats",
        "c": ".c",
        "cpp": ".h .hh .hpp .hxx .cc .cpp .cxx .ino",
        "csharp": ".cs .csx",
        "go": ".go",
        "java": ".java",
        "javascript": ".js .mjs .cjs .jsx",
        "php": ".php .phtml",
        "python": ".py .pyi .pyw",
        "ruby": ".rb .rake .gemspec",
        "rust": ".rs",
        "typescript": ".ts .mts .cts",
        "tsx": ".tsx",
    }.items()
    for suffix in suffixes.split()
}
"""Suffix → key of `grammars.GRAMMARS`."""
_PARSE_AT_MOST_CHARACTERS = 2_000_000
_ANCHOR_AT_MOST_LINES = 400_000
"""Beyond this a file is a log, and memory goes before line numbers."""
_SMALL_CHARACTERS = 200
_COMMENT_BEGINNINGS = frozenset("#/*")
_LATEX_HEADING = re.compile(
    r"^[ \t]*\\(part|chapter|section|subsection|subsubsection)\*?(?:\[[^\]\n]*\])?\{([^\n]*)\}",
    re.MULTILINE,
)
_LATEX_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4}


def read_code(data: bytes, name: str) -> Document:
    """Source code with its definitions as sections; text by lines where no grammar helps.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    text = clean(decode(data))
    language = LANGUAGES.get("." + name.lower().rpartition(".")[2])
    found = (
        outline(text, language) if language and len(text) <= _PARSE_AT_MOST_CHARACTERS else None
    )
    starts = _line_starts(text)
    if found is None:
        return _document(text, starts, _code_blocks(text, 0, len(text)))
    definitions = _with_comments(found.definitions, found.comments, text, starts)
    return _document(text, starts, _Sections(text, starts).blocks(definitions))


def read_lines(data: bytes, name: str) -> Document:
    """Any text that is cited by its lines: logs, settings, code in other languages.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    text = clean(decode(data))
    return _document(text, _line_starts(text), _code_blocks(text, 0, len(text)))


def read_latex(data: bytes, name: str) -> Document:
    """LaTeX source with its sections; its text stays as it is written.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    text = clean(decode(data))
    blocks: list[Block] = []
    covered = 0
    for match in _LATEX_HEADING.finditer(text):
        blocks += paragraphs(text, covered, match.start())
        words = re.sub(r"\\[a-zA-Z]+\s*|[{}]", "", match.group(2)).strip()
        level = _LATEX_LEVELS[match.group(1)]
        blocks.append(Block("heading", match.start(), match.end(), level, name=words))
        covered = match.end()
    blocks += paragraphs(text, covered, len(text))
    return _document(text, _line_starts(text), blocks)


def _document(text: str, starts: list[int], blocks: list[Block]) -> Document:
    if len(starts) > _ANCHOR_AT_MOST_LINES:
        return Document("", text, blocks)
    anchors = [Anchor(start, number) for number, start in enumerate(starts, 1)]
    return Document("", text, blocks, anchors=anchors, unit="line")


def _line_starts(text: str) -> list[int]:
    lengths = (len(line) + 1 for line in text.split("\n")[:-1])
    return list(accumulate(lengths, initial=0))


def _code_blocks(text: str, start: int, end: int) -> list[Block]:
    """Runs of lines between blank ones; a listing is cut there first, then at its lines."""
    return [Block("code", block.start, block.end) for block in paragraphs(text, start, end)]


def _with_comments(
    definitions: list[Definition], comments: list[tuple[int, int]], text: str, starts: list[int]
) -> list[Definition]:
    """Definitions that begin with the comments right above them."""
    above: dict[int, int] = {}
    for first, last in comments:
        start = starts[min(first, len(starts) - 1)]
        # One that begins behind code belongs to that line, not to what follows.
        before = text[start : start + 1000].lstrip(" \t")[:1]
        if before in _COMMENT_BEGINNINGS:
            above[last] = first
    extended: list[Definition] = []
    for definition in definitions:
        first = definition.first
        while first - 1 in above:
            first = above[first - 1]
        extended.append(definition._replace(first=first))
    return extended


class _Sections:
    """Lays the definitions of a file out as headings and blocks, in order."""

    def __init__(self, text: str, starts: list[int]) -> None:
        self._text = text
        self._starts = starts
        self._blocks: list[Block] = []
        self._open: list[Definition] = []
        self._row = 0
        """Rows before this one are laid out."""
        self._shown: list[Definition] = []
        """What the last heading stands for."""

    def blocks(self, definitions: list[Definition]) -> list[Block]:
        """Headings without text of their own, and the code under each."""
        for definition in definitions:
            first = max(definition.first, self._row)
            if definition.last < first or self._is_small(definition, first):
                continue
            self._close(first)
            self._lay_out(first)
            self._open.append(definition)
        self._close(len(self._starts))
        self._lay_out(len(self._starts))
        return self._blocks

    def _is_small(self, definition: Definition, first: int) -> bool:
        return self._offset(definition.last + 1) - self._offset(first) < _SMALL_CHARACTERS

    def _close(self, row: int) -> None:
        """Lay out what is left of the definitions that end before `row`."""
        while self._open and self._open[-1].last < row:
            self._lay_out(self._open[-1].last + 1)
            self._open.pop()

    def _lay_out(self, row: int) -> None:
        """Add the rows up to `row` to what is open."""
        start, end = self._offset(self._row), self._offset(row)
        self._row = max(self._row, row)
        found = _code_blocks(self._text, start, end)
        if not found:
            return
        self._head(found[0].start)
        self._blocks += found

    def _head(self, at: int) -> None:
        """Say where the code from `at` on stands, when that is not where the last stood."""
        if self._shown == self._open:
            return
        known = 0
        for shown, open_ in zip(self._shown, self._open, strict=False):
            if shown != open_:
                break
            known += 1
        known = min(known, max(0, len(self._open) - 1))
        for level, definition in enumerate(self._open[known:], known + 1):
            self._blocks.append(Block("heading", at, at, level, name=definition.name))
        if not self._open:
            self._blocks.append(Block("heading", at, at, 1))
        self._shown = list(self._open)

    def _offset(self, row: int) -> int:
        return self._starts[row] if row < len(self._starts) else len(self._text)
