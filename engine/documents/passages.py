"""Documents into passages: pieces an embedder can take in whole.

A passage follows the document's own seams: it never crosses a heading, prefers to end at
a block, then at a line or sentence, then at a word, and splits a word only when there is
nothing else. Passages overlap by nothing: each character of the text that is not white
space stands in exactly one passage. What a passage loses by being cut out, its file's
title and its headings, is put before it for the embedding (see `engine.library`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tokenizers import Tokenizer

from engine.documents.readers.markdown import heading_text
from engine.documents.types import Block, Document, PageSpan, Passage

TARGET_TOKENS = 200
MAX_TOKENS = 220
"""With 32 tokens of context and the two special tokens this fills a window of 256."""
OVERLAP_CHARACTERS = 0
HEADING_SEPARATOR = " › "
_WINDOW_CHARACTERS = 20_000
"""Tokenised at once, so that a document of one endless line costs linear time."""
_CHARACTERS_PER_TOKEN_MOST = 20
_LINE_END = re.compile(r"\n")
_LONGEST_GAP_CHARACTERS = 100
_LONGEST_WORD_CHARACTERS = 100
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s+|\n|[。！？]")


@dataclass(frozen=True)
class _Piece:
    """A run of text that is not divided further: text[start:end], `tokens` long."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True)
class _Section:
    """Blocks under one heading path."""

    heading: str
    blocks: list[Block]


def split(document: Document, tokenizer: Tokenizer) -> list[Passage]:
    """The passages of a document, in order.

    Args:
        document: blocks in order, not overlapping.
        tokenizer: the embedder's; truncation and padding must be off.
    """
    passages: list[Passage] = []
    pages = _PageFinder(document.pages)
    for section in _sections(document):
        pieces = [
            piece
            for block in section.blocks
            for piece in _pieces(document.text, block, tokenizer)
        ]
        # A passage never crosses a page, so that its page is the page of all of it.
        for page, on_page in groupby(pieces, key=lambda piece: pages.page_of(piece.start)):
            last: int | None = None
            for start, end in _pack(on_page):
                passages.append(
                    Passage(
                        ordinal=len(passages),
                        start=start,
                        end=end,
                        page=page,
                        heading=section.heading,
                        text=document.text[start:end],
                        gap=_gap(document.text, last, start),
                    )
                )
                last = end
    return passages


def _sections(document: Document) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    heading = ""
    for block in document.blocks:
        # Consecutive headings stay together: a heading alone is no passage worth finding.
        if block.kind == "heading":
            if any(earlier.kind != "heading" for earlier in blocks):
                yield _Section(heading, blocks)
                blocks = []
            while path and path[-1][0] >= block.level:
                path.pop()
            words = heading_text(document.text[block.start : block.end])
            path.append((block.level, " ".join(words.split())[:120]))
            heading = HEADING_SEPARATOR.join(text for _, text in path if text)
        blocks.append(block)
    if blocks:
        yield _Section(heading, blocks)


def _pieces(text: str, block: Block, tokenizer: Tokenizer) -> Iterator[_Piece]:
    """A block as pieces of at most `MAX_TOKENS`; whole when it fits.

    The text is tokenised once, window by window, and cut where its tokens say.
    """
    start, end = _trim(text, block.start, block.end)
    seam = _LINE_END if block.kind in ("table", "list", "code") else _SENTENCE_END
    while start < end:
        stop = min(end, start + _WINDOW_CHARACTERS)
        offsets = tokenizer.encode(text[start:stop], add_special_tokens=False).offsets
        pieces = list(_cut(text, start, stop, offsets, seam))
        if stop < end and len(pieces) > 1:
            # The window ended this piece, not a seam: begin the next window with it.
            stop = pieces.pop().start
        yield from pieces
        start = stop


def _cut(
    text: str,
    start: int,
    stop: int,
    offsets: Sequence[tuple[int, int]],
    seam: re.Pattern[str],
) -> Iterator[_Piece]:
    """Pieces of text[start:stop], given where its tokens lie relative to `start`."""
    position, token = start, 0
    while position < stop:
        limit = token + MAX_TOKENS
        end = start + offsets[limit][0] if limit < len(offsets) else stop
        end = min(end, position + MAX_TOKENS * _CHARACTERS_PER_TOKEN_MOST)
        if end < stop:
            end = _seam_before(text, position, end, seam)
        after = token
        while after < len(offsets) and start + offsets[after][0] < end:
            after += 1
        first, last = _trim(text, position, end)
        if first < last:
            yield _Piece(first, last, _weight(after - token, last - first))
        position, token = end, after


def _weight(tokens: int, characters: int) -> int:
    """Tokens, or more: WordPiece makes one token of an endless word, however long it is."""
    return max(1, tokens, characters // _CHARACTERS_PER_TOKEN_MOST)


def _seam_before(text: str, start: int, end: int, seam: re.Pattern[str]) -> int:
    """The last good place to cut in the second half of [start, end]: a seam, else a space."""
    half = (start + end) // 2
    seams = [match.end() for match in seam.finditer(text, half, end)]
    if seams:
        return seams[-1]
    for position in range(end, max(start, end - _LONGEST_WORD_CHARACTERS), -1):
        if text[position].isspace() or text[position - 1].isspace():
            return position
    return end


def _pack(pieces: Iterable[_Piece]) -> Iterator[tuple[int, int]]:
    """Join pieces in order up to the target."""
    start = end = tokens = 0
    for piece in pieces:
        if tokens and tokens + piece.tokens > TARGET_TOKENS:
            yield start, end
            tokens = 0
        if not tokens:
            start = piece.start
        end = piece.end
        tokens += max(1, piece.tokens)
    if tokens:
        yield start, end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _gap(text: str, last: int | None, start: int) -> str | None:
    """What stands between two passages that follow one another."""
    if last is None or start - last > _LONGEST_GAP_CHARACTERS:
        return None
    return text[last:start]


class _PageFinder:
    """The page of a position; asked in rising order, so that it only moves forward."""

    def __init__(self, pages: list[PageSpan]) -> None:
        self._pages = pages
        self._at = 0

    def page_of(self, position: int) -> int | None:
        """1-based page number, None for a document without pages."""
        if not self._pages:
            return None
        while self._at + 1 < len(self._pages) and position >= self._pages[self._at + 1].start:
            self._at += 1
        return self._pages[self._at].number
