"""CoNLL as rows: a token and its tag a line, a blank line between sentences.

The first column is the token (the second where the first counts), the last one the tag, in
IOB, IOB2, BIOES or BILOU (Ramshaw and Marcus 1995; Ratinov and Roth 2009).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import chain, pairwise

from engine.tuning.datasets.rows import RawRow, Rows, first_lines

_TAG = re.compile(r"O|[BIESLUM][-_].+")
_DOCUMENT = "-DOCSTART-"
_LOOKED_AT_LINES = 200
_MAX_TOKENS = 20_000


def looks_like(text: str) -> bool:
    """Whether most of the first lines end in a tag."""
    first = first_lines(text, _LOOKED_AT_LINES)
    lines = [line.split() for line in first if line.strip() and not line.startswith("# ")]
    tagged = sum(len(line) > 1 and bool(_TAG.fullmatch(line[-1])) for line in lines)
    return tagged * 4 > len(lines) * 3


def parse(text: str, name: str) -> Rows:
    """A sentence a row: `text` (its tokens with spaces between) and `entities`."""
    found = Rows("conll")
    document = 0
    counted = _counts(text)
    first = 1
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(chain(io.StringIO(text), [""]), 1):
        cells = _cells(line)
        if not cells or cells[0] == _DOCUMENT:
            _add(found, first, tokens, tags, document)
            tokens, tags, first = [], [], number + 1
            document += bool(cells)
            continue
        if not (len(cells) > 1 and _TAG.fullmatch(cells[-1])):
            if not line.startswith("#"):
                found.add_broken(number, "This line is no token with a tag.")
            continue
        if not tokens:
            first = number
        tokens.append(cells[1] if counted and len(cells) > 2 else cells[0])
        tags.append(cells[-1])
    return found


def entities_of(tokens: list[str], tags: list[str]) -> list[dict[str, str]]:
    """The entities that tags mark, in order; tokens of one are joined by spaces."""
    found: list[dict[str, str]] = []
    inside: list[str] = []
    label = ""
    for token, tag in zip(tokens, tags, strict=False):
        mark, _, kind = tag.replace("_", "-", 1).partition("-") if tag != "O" else ("O", "", "")
        if inside and (mark in "OBSU" or kind != label):
            found.append({"text": " ".join(inside), "label": label})
            inside = []
        if mark == "O":
            continue
        inside.append(token)
        label = kind
        if mark in "ESLU":
            found.append({"text": " ".join(inside), "label": label})
            inside = []
    if inside:
        found.append({"text": " ".join(inside), "label": label})
    return found


def _cells(line: str) -> list[str]:
    """The columns of a line: parted by tabs where there are any, which tokens may not hold."""
    if "\t" in line:
        return [cell.strip() for cell in line.strip("\n").split("\t")] if line.strip() else []
    return line.split()


def _counts(text: str) -> bool:
    """Whether the first column numbers the tokens of a sentence."""
    lines: Iterator[list[str]] = map(_cells, first_lines(text, _LOOKED_AT_LINES))
    tagged = (cells for cells in lines if len(cells) > 2 and _TAG.fullmatch(cells[-1]))
    numbers = [cells[0] for cells in tagged if cells[0] != _DOCUMENT]
    return (
        len(numbers) > 1
        and all(number.isdigit() for number in numbers)
        and all(
            int(b) in (int(a) + 1, 0, 1) for a, b in pairwise(number[:9] for number in numbers)
        )
    )


def _add(found: Rows, line: int, tokens: list[str], tags: list[str], document: int) -> None:
    if not tokens:
        return
    if len(tokens) > _MAX_TOKENS:
        found.add_broken(
            line, f"This sentence has {len(tokens):,} tokens: no blank line ends it."
        )
        return
    fields: dict[str, object] = {
        "text": " ".join(token for token in tokens if token),
        "entities": entities_of(tokens, tags),
    }
    if document:
        fields["document"] = str(document)
    found.add(RawRow(line, fields))
