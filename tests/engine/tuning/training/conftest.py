"""A tiny base, examples of a task it can learn, and somebody who watches."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.answers.tokenizing import Tokenizer
from engine.files import sha256_file
from engine.paths import Home
from engine.tuning.bases import Base, prepare_base
from engine.tuning.datasets.types import Example
from engine.tuning.training.loop import Asked, TrainingData
from engine.tuning.training.packs import Tokenized, tokenize

LABELS = ["ab", "cd"]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, tiny_gguf: Path) -> Base:
    """The tiny llama, converted."""
    home = Home(tmp_path_factory.mktemp("bases") / "home").create()
    return prepare_base(home, tiny_gguf, sha256_file(tiny_gguf))


def example_of(number: int) -> Example:
    """Texts with "x" are "ab", the others "cd"; of different lengths."""
    sign = "x" if number % 2 else "y"
    text = f"{'q' * (number % 5)} {sign} {number}"
    return Example(id=str(number), input=text, output=LABELS[0 if number % 2 else 1])


@pytest.fixture(scope="session")
def tokenized(tiny_gguf: Path) -> list[Tokenized]:
    with Tokenizer(tiny_gguf) as tokenizer:
        examples = [example_of(number) for number in range(60)]
        return tokenize(tokenizer, "classification", LABELS, examples)


@pytest.fixture
def data(tokenized: list[Tokenized]) -> TrainingData:
    return TrainingData(tokenized[:40], tokenized[40:50], tokenized[50:], tokenized[:4])


@contextlib.contextmanager
def one_thread() -> Iterator[int]:
    yield 1


class Audience:
    """Keeps the metrics; asks for `word` from step `at` on."""

    def __init__(self, word: Asked = "", at: int = 0) -> None:
        self.word: Asked = word
        self.at = at
        self.lines: list[dict[str, Any]] = []

    def asked(self) -> Asked:
        steps = [line["step"] for line in self.lines if line["kind"] == "step"]
        return self.word if max(steps, default=0) >= self.at else ""

    def note(self, entry: dict[str, Any]) -> None:
        self.lines.append(entry)

    def rewind(self, step: int) -> None:
        self.lines = [line for line in self.lines if line["step"] <= step]

    def of(self, kind: str, key: str) -> list[Any]:
        return [line[key] for line in self.lines if line["kind"] == kind]
