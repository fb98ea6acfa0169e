"""Documents into passages: pieces an embedder can take in whole.

A passage follows the document's own seams: it never crosses a heading, prefers to end at
a block, then at a line or sentence, then at a word, and splits a word only when there is
nothing else. Passages overlap by nothing: each character of the text that is not white
space stands in exactly one passage. What a passage loses by being cut out, its file's
title and its headings, is put before it for the embedding (see `engine.library`); one that
begins within a table carries the table's header row.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from tokenizers import Tokenizer

from engine.documents.places import PlaceFinder
from engine.documents.readers.markdown import heading_text
from engine.documents.types import Block, Document, Passage

TARGET_TOKENS = 200
MAX_TOKENS = 220
"""With 32 tokens of context and the two special tokens this fills a window of 256."""
MAX_HEADER_TOKENS = 60
"""A table's header row may take this much of a passage's room; a longer one is cut."""
MAX_HEADER_CHARACTERS = 400
_MOST_HEADING_TOKENS = 100
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
    header: str = ""
    """The header row above it, when it begins below one."""
    header_tokens: int = 0
    heading: bool = False


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
    finder = PlaceFinder(document)
    starts = [page.start for page in document.pages]
    for section in _sections(document):
        pieces = _section_pieces(document.text, section, starts, tokenizer)
        # A passage never crosses a page, so that its page is the page of all of it.
        for _, on_page in groupby(pieces, key=lambda piece: finder.page_at(piece.start)):
            last: int | None = None
            for start, end, header in _pack(on_page):
                passages.append(
                    Passage(
                        ordinal=len(passages),
                        start=start,
                        end=end,
                        page=finder.number_of(start),
                        heading=section.heading,
                        text=document.text[start:end],
                        gap=_gap(document.text, last, start),
                        place=finder.place_of(start, end),
                        header=header,
                    )
                )
                last = end
    return passages


def _sections(document: Document) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    heading = ""
    outlines = [page.start for page in document.pages if page.label]
    outline = 0
    for block in document.blocks:
        if outline < len(outlines) and block.start >= outlines[outline]:
            outline = bisect_right(outlines, block.start)
            if blocks:
                yield _Section(heading, blocks)
            path, blocks, heading = [], [], ""
        # Consecutive headings stay together: a heading alone is no passage worth finding.
        if block.kind == "heading":
            if any(earlier.kind != "heading" for earlier in blocks):
                yield _Section(heading, blocks)
                blocks = []
            while path and path[-1][0] >= block.level:
                path.pop()
            words = block.name or heading_text(document.text[block.start : block.end])
            path.append((block.level, " ".join(words.split())[:120]))
            heading = HEADING_SEPARATOR.join(text for _, text in path if text)
        blocks.append(block)
    if blocks:
        yield _Section(heading, blocks)


def _section_pieces(
    text: str, section: _Section, starts: list[int], tokenizer: Tokenizer
) -> list[_Piece]:
    """The pieces of a section's blocks; what follows headings leaves room for them."""
    pieces: list[_Piece] = []
    above = 0
    for block in section.blocks:
        for part in _by_page(block, starts):
            found = list(_pieces(text, part, above, tokenizer))
            if block.kind == "heading":
                found = [replace(piece, heading=True) for piece in found]
                above += sum(piece.tokens for piece in found)
            elif found:
                above = 0
            pieces += found
    return pieces


def _by_page(block: Block, starts: list[int]) -> Iterator[Block]:
    """A block cut where a page begins within it."""
    first, stop = bisect_right(starts, block.start), bisect_left(starts, block.end)
    cuts = [block.start, *starts[first:stop], block.end]
    if len(cuts) == 2:
        yield block
        return
    for start, end in pairwise(cuts):
        yield replace(block, start=start, end=end)


def _pieces(text: str, block: Block, above: int, tokenizer: Tokenizer) -> Iterator[_Piece]:
    """A block as pieces of at most `MAX_TOKENS` with their header; whole when it fits.

    The first piece leaves room for the `above` tokens of the headings over it.
    """
    if above > _MOST_HEADING_TOKENS:
        above = 0
    if not block.start < block.header_end < block.end:
        yield from _windows(text, block, MAX_TOKENS, above, tokenizer)
        return
    header, tokens = _header(text[block.start : block.header_end], tokenizer)
    for piece in _windows(text, block, MAX_TOKENS - tokens, above, tokenizer):
        if piece.start < block.header_end:
            yield piece
        else:
            yield replace(piece, header=header, header_tokens=tokens)


def _header(text: str, tokenizer: Tokenizer) -> tuple[str, int]:
    """A header row, cut to what a passage has room for, and its tokens."""
    text = " ".join(text[:MAX_HEADER_CHARACTERS].split())
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    if len(offsets) > MAX_HEADER_TOKENS:
        text = text[: offsets[MAX_HEADER_TOKENS][0]].rstrip()
    return text, min(len(offsets), MAX_HEADER_TOKENS)


def _windows(
    text: str, block: Block, most: int, above: int, tokenizer: Tokenizer
) -> Iterator[_Piece]:
    """A block as pieces of at most `most` tokens, the first `above` shorter.

    The text is tokenised once, window by window, and cut where its tokens say.
    """
    start, end = _trim(text, block.start, block.end)
    seam = _LINE_END if block.kind in ("table", "list", "code") else _SENTENCE_END
    while start < end:
        stop = min(end, start + _WINDOW_CHARACTERS)
        offsets = tokenizer.encode(text[start:stop], add_special_tokens=False).offsets
        pieces = list(_cut(text, start, stop, offsets, most, above, seam))
        above = 0
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
    most: int,
    above: int,
    seam: re.Pattern[str],
) -> Iterator[_Piece]:
    """Pieces of text[start:stop], given where its tokens lie relative to `start`."""
    position, token = start, 0
    while position < stop:
        limit = token + most - above
        above = 0
        end = start + offsets[limit][0] if limit < len(offsets) else stop
        end = min(end, position + most * _CHARACTERS_PER_TOKEN_MOST)
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


def _pack(pieces: Iterable[_Piece]) -> Iterator[tuple[int, int, str]]:
    """Join pieces in order up to the target: (start, end, header of the first)."""
    start = end = tokens = 0
    header = ""
    headings = True
    for piece in pieces:
        # A heading alone is no passage worth finding: it may go past the target.
        if tokens and tokens + piece.tokens > (MAX_TOKENS if headings else TARGET_TOKENS):
            yield start, end, header
            tokens = 0
            headings = True
        headings = headings and piece.heading
        if not tokens:
            start, header = piece.start, piece.header
            tokens = piece.header_tokens
        end = piece.end
        tokens += max(1, piece.tokens)
    if tokens:
        yield start, end, header


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
