"""Real readers and a real embedder, started once for all tests of the library."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.documents.pool import ReaderPool
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store.db import Store
from engine.work.lease import CoreLease

WORDS = ["amber", "basin", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "island"]
WORDS += ["jasper", "kelp", "lagoon", "meadow", "nectar", "orchid", "pebble", "quartz", "ridge"]
WORDS += ["summit", "tundra", "umber", "valley", "willow", "yarrow", "zephyr"]


@pytest.fixture(scope="session")
def embedder(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    home = Home(tmp_path_factory.mktemp("embedder"))
    store = Store(home)
    embedder = Embedder(starter_embedder(), store, CoreLease(home))
    yield embedder
    embedder.close()
    store.close()


@pytest.fixture(scope="session")
def readers(starter: Path) -> Iterator[ReaderPool]:
    pool = ReaderPool(starter_embedder().tokenizer, size=2)
    yield pool
    pool.close()


@pytest.fixture
def open_libraries(
    home: Home, embedder: Embedder, readers: ReaderPool
) -> Iterator[Callable[[], Libraries]]:
    """Opens the libraries of one home, as another process would, as often as called."""
    opened: list[tuple[Libraries, Store]] = []

    def open_one(with_embedder: Embedder = embedder) -> Libraries:
        store = Store(home)
        libraries = Libraries(home, store, readers, with_embedder, CoreLease(home))
        opened.append((libraries, store))
        return libraries

    yield open_one
    for libraries, store in opened:
        libraries.close()
        store.close()


@pytest.fixture
def libraries(open_libraries: Callable[[], Libraries]) -> Libraries:
    return open_libraries()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    return made


def prose(seed: object, words: int = 40) -> str:
    """Text of its own for every seed."""
    chance = random.Random(str(seed))
    return (
        f"Note {seed}, code zq{seed}x. "
        + " ".join(chance.choice(WORDS) for _ in range(words))
        + "."
    )


def telling_prose(seed: object, words: int = 12) -> str:
    """A sentence of invented words that hardly any other seed has."""
    chance = random.Random(f"telling {seed}")
    syllables = ["ka", "lo", "mi", "ru", "te", "su", "no", "va", "pi", "ge", "dra", "fel"]
    said = ["".join(chance.choices(syllables, k=4)) for _ in range(words)]
    return f"{' '.join(said).capitalize()}."


def write_notes(folder: Path, count: int, words: int = 40) -> None:
    for n in range(count):
        (folder / f"note{n:03d}.txt").write_text(prose(n, words))
