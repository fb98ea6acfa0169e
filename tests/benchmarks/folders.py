"""Folders for the benchmarks, made of the corpora: mixed ones, and ones of many documents."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.corpus import QA

CORPORA = QA.parent
SEED = 3
_WORDS = 110
"""Words of a small document: one passage, sometimes two."""


def mixed(folder: Path, count: int) -> int:
    """Copy `count` files of all corpora, every kind among them; their bytes in all."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(CORPORA.rglob("*")):
        if path.is_file() and path.parent != CORPORA:
            kinds.setdefault(str(path.relative_to(CORPORA).parts[:2]), []).append(path)
    chance = random.Random(SEED)
    for files in kinds.values():
        chance.shuffle(files)
    # One of each corpus in turn, so that the rare kinds are all there.
    chosen: list[Path] = []
    while len(chosen) < count and any(kinds.values()):
        chosen += [files.pop() for files in kinds.values() if files]
    size_bytes = 0
    for number, path in enumerate(chosen[:count]):
        target = folder / f"part{number % 20}" / f"{number:04d}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        target.chmod(0o644)
        size_bytes += target.stat().st_size
    return size_bytes


def small_documents(count: int) -> Iterator[tuple[str, str]]:
    """(name, text) of `count` short documents: the question sets' own, cut at sentences.

    When they are used up, sentences of two documents are mixed, so that no two are equal.
    """
    pieces = [piece for path in sorted(QA.glob("*/docs/*")) for piece in _pieces(path)]
    chance = random.Random(SEED)
    chance.shuffle(pieces)
    for number in range(count):
        text = pieces[number % len(pieces)]
        if number >= len(pieces):
            one, two = chance.choice(pieces).split(". "), chance.choice(pieces).split(". ")
            text = ". ".join([*one[: len(one) // 2], *two[len(two) // 2 :]])
        yield f"doc{number:05d}.txt", f"Note {number}. {text}\n"


def write_small(folder: Path, count: int) -> None:
    """Write them, five hundred a folder."""
    for number, (name, text) in enumerate(small_documents(count)):
        target = folder / f"{number // 500:03d}" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _pieces(path: Path) -> Iterator[str]:
    text = re.sub(r"\s+", " ", path.read_text("utf-8", "replace")).strip()
    words: list[str] = []
    for sentence in re.split(r"(?<=[.!?]) ", text):
        words += sentence.split()
        if len(words) >= _WORDS:
            yield " ".join(words[: 2 * _WORDS])
            words = []
