"""Tiny models and a generator that the tests of answers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.answers.runtime import Runtime
from engine.models.gguf import read_header
from engine.paths import Home
from engine.work.api import ModelCard, PassageHit, Ranks
from engine.work.lease import CoreLease
from tests.models import IM_END, TOKENS, byte_chain, write_tiny_gguf

NEWLINE = TOKENS.index("<0x0A>")
CHAIN_TEXT = "é🙂Ж!"


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama of two layers with a ChatML template."""
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="session")
def chain_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama that always answers `CHAIN_TEXT`, byte by byte."""
    chain = [*byte_chain(CHAIN_TEXT, NEWLINE), IM_END]
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny") / "chain.gguf", chain=chain)


@pytest.fixture(scope="session")
def tiny_runtime(tiny_gguf: Path) -> Iterator[Runtime]:
    runtime = Runtime(tiny_gguf, 1024, threads=1)
    yield runtime
    runtime.close()


@pytest.fixture(scope="session")
def starter_runtime(starter: Path) -> Iterator[Runtime]:
    runtime = Runtime(starter / "SmolLM2-135M-Instruct.Q4_1.gguf", 2048, threads=2)
    yield runtime
    runtime.close()


@pytest.fixture
def lease(home: Home) -> CoreLease:
    return CoreLease(home)


def card_of(path: Path, context: int = 1024) -> ModelCard:
    """A card for a model file as the registry would write it."""
    header = read_header(path)
    return ModelCard(
        id=path.stem,
        name=path.stem,
        path=str(path),
        architecture=header.architecture,
        parameters=header.parameters,
        quantization=header.quantization,
        size_bytes=header.size_bytes,
        context=header.context,
        license=header.license,
        chat_template=bool(header.chat_template),
        sha256="0" * 64,
        source="added",
        layers=header.layers,
        memory_bytes=header.size_bytes * 2,
        context_used=context,
        memory_available_bytes=8 << 30,
        fits=True,
    )


@pytest.fixture
def make_card() -> Callable[..., ModelCard]:
    return card_of


def hit(text: str, n: int = 1, start: int = 0, page: int | None = None) -> PassageHit:
    """A passage that stands at `start` of document number `n`."""
    return PassageHit(
        passage_id=n,
        file_id=n,
        path=f"/documents/{n}.md",
        title=f"Document {n}",
        heading="",
        page=page,
        text=text,
        start=start,
        end=start + len(text),
        score=1.0 / n,
        ranks=Ranks(dense=n, keyword=n),
    )


@pytest.fixture
def make_hit() -> Callable[..., PassageHit]:
    return hit
