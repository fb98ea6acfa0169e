"""Tiny models and a generator that the tests of answers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.answers.answerer import Answerer
from engine.answers.generation import Prompt, Task
from engine.answers.generator import Generator
from engine.answers.runtime import Runtime
from engine.models.gguf import read_header
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import ModelCard, PassageHit, Ranks, SearchReport, SearchSpec
from engine.work.jobs import NULL_JOB, CallbackJob, Job
from engine.work.lease import CoreLease
from tests.models import IM_END, TOKENS, byte_chain, write_tiny_gguf


def alone(prompt: Prompt, max_tokens: int, temperature: float = 0.0, seed: int = 0) -> Task:
    """An answer to one prompt, without passages."""
    return Task(
        mode="none",
        prompts=[prompt],
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
    )


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


class Shelf:
    """A search over passages given by the test: the order is part of the case."""

    def __init__(self) -> None:
        self.passages: list[PassageHit] = []
        self.asked: list[SearchSpec] = []

    def search(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        self.asked.append(spec)
        return SearchReport(passages=self.passages[: spec.top], milliseconds=1.0)


class Events:
    """Everything a running question said, in order."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.text = ""
        self.job = CallbackJob(None, self._take)
        self.on_token: Callable[[str], None] = lambda text: None

    def _take(self, kind: str, data: Any) -> None:
        self.kinds.append(kind)
        if kind == "token":
            self.text += data["text"]
            self.on_token(data["text"])


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home")).create()


@pytest.fixture(scope="module")
def store(shared_home: Home) -> Iterator[Store]:
    one = Store(shared_home)
    yield one
    one.close()


@pytest.fixture(scope="module")
def models(shared_home: Home, store: Store, chain_gguf: Path) -> ModelRegistry:
    registry = ModelRegistry(shared_home, store)
    registry.add(chain_gguf)
    registry.set_default("smollm2")
    return registry


@pytest.fixture(scope="module")
def generator(shared_home: Home) -> Iterator[Generator]:
    one = Generator(shared_home, CoreLease(shared_home))
    yield one
    one.close()


@pytest.fixture
def answerer(
    store: Store, models: ModelRegistry, generator: Generator, shelf: Shelf
) -> Answerer:
    return Answerer(store, models, generator, shelf.search)
