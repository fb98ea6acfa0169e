"""Adding, finding and removing models, with real files and real checks in children."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import files
from engine.errors import Cancelled, InvalidInput, ModelUnavailable, StorageFull
from engine.models import registry as registry_module
from engine.models.registry import STARTER_HASHES, ModelRegistry, display_name, slug
from engine.paths import Home
from engine.settings import load_settings
from engine.store.db import Store
from engine.work.jobs import CallbackJob
from tests.models import write_tiny_gguf

STARTER = next(iter(STARTER_HASHES))


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


@pytest.fixture
def registry(home: Home, store: Store) -> ModelRegistry:
    return ModelRegistry(home, store)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "Tiny-Chat.Q8_0.gguf")


def leftovers(home: Home) -> list[str]:
    return sorted(path.name for path in home.models.iterdir())


def test_the_starter_model_is_there_from_the_first_start(
    registry: ModelRegistry, starter: Path
) -> None:
    (card,) = registry.list()
    assert card.source == "starter"
    assert card.default
    assert card.fits
    assert card.chat_template
    assert card.sha256 == STARTER_HASHES[STARTER]
    assert registry.find(None) == card
    assert registry.find("smol") == registry.find(card.name.upper()) == card


def test_a_starter_file_with_other_bytes_is_not_offered(
    home: Home, store: Store, tmp_path: Path, starter: Path
) -> None:
    shutil.copy(starter / STARTER, tmp_path / STARTER)
    with (tmp_path / STARTER).open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x01")
    registry = ModelRegistry(home, store, starter=tmp_path)
    assert registry.list() == []
    with pytest.raises(ModelUnavailable):
        registry.find(None)


def test_the_hash_is_taken_once(
    home: Home, store: Store, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ModelRegistry(home, store).list()
    monkeypatch.setattr(
        registry_module, "sha256_file", lambda path: pytest.fail("hashed a second time")
    )
    assert [card.id for card in ModelRegistry(home, store).list()] == [first[0].id]


def test_a_model_is_added_found_chosen_and_removed(
    registry: ModelRegistry, home: Home, tiny: Path
) -> None:
    before = tiny.read_bytes()
    notes: list[str] = []
    job = CallbackJob(on_progress=lambda done, total, note, eta: notes.append(note))
    card = registry.add(tiny, job)
    assert card.id == "tiny-chat.q8_0"
    assert card.name == "Tiny-Chat"
    assert card.source == "added"
    assert card.quantization == "F32"
    assert card.sha256 == hashlib.sha256(before).hexdigest()
    assert card.chat_template
    assert Path(card.path).read_bytes() == before == tiny.read_bytes()
    assert "copying the model" in notes
    assert leftovers(home) == ["tiny-chat.q8_0.gguf", "tiny-chat.q8_0.json"]

    again = registry.add(tiny)
    assert again.id == card.id
    assert len(registry.list()) == 2

    registry.set_default("tiny")
    assert registry.find(None).id == card.id
    assert load_settings(home).default_model == card.id

    registry.remove(card.id)
    assert leftovers(home) == []
    assert tiny.read_bytes() == before
    assert registry.find(None).source == "starter"


def test_another_file_of_the_same_name_gets_its_own_id(
    registry: ModelRegistry, tmp_path: Path, tiny: Path
) -> None:
    first = registry.add(tiny)
    (tmp_path / "other").mkdir()
    second = registry.add(write_tiny_gguf(tmp_path / "other" / tiny.name, seed=1))
    assert (first.id, second.id) == ("tiny-chat.q8_0", "tiny-chat.q8_0-2")
    with pytest.raises(InvalidInput, match="Several"):
        registry.find("tiny-ch")
    assert registry.find("tiny-chat.q8_0").id == first.id


def test_a_link_as_download_caches_make_them_is_followed(
    registry: ModelRegistry, tmp_path: Path, tiny: Path
) -> None:
    link = tmp_path / "Linked.gguf"
    link.symlink_to(tiny)
    assert registry.add(link).sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()


def test_a_base_model_is_known_as_one(registry: ModelRegistry, tmp_path: Path) -> None:
    card = registry.add(write_tiny_gguf(tmp_path / "base.gguf", template=None))
    assert not card.chat_template


def _with_number(path: Path, key: bytes, value: int) -> None:
    """Change a 32-bit number in the header."""
    data = bytearray(path.read_bytes())
    at = data.index(key) + len(key) + 4
    data[at : at + 4] = struct.pack("<I", value)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"llama.block_count", 0),  # aborts llama.cpp
        (b"llama.block_count", 100_000),  # aborts llama.cpp
        (b"llama.block_count", 3),
        (b"llama.embedding_length", 63),
        (b"llama.attention.head_count", 0),
        (b"llama.attention.head_count", 3),
        (b"llama.attention.head_count_kv", 3),
        (b"llama.rope.dimension_count", 2**31),
    ],
)
def test_a_broken_header_is_refused_and_takes_nothing_down(
    registry: ModelRegistry, home: Home, tiny: Path, key: bytes, value: int
) -> None:
    _with_number(tiny, key, value)
    with pytest.raises(ModelUnavailable) as caught:
        registry.add(tiny)
    assert caught.value.message
    assert leftovers(home) == []
    assert [card.source for card in registry.list()] == ["starter"]


def test_a_file_that_aborts_llama_cpp_is_refused(
    registry: ModelRegistry, home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past our own checks, the trial's death is the file's fault and nobody else's."""
    _with_number(tiny, b"llama.block_count", 0)
    monkeypatch.setattr(registry_module, "check_usable", lambda header: None)
    with pytest.raises(ModelUnavailable):
        registry.add(tiny)
    assert leftovers(home) == []


def test_a_template_that_never_ends_is_replaced(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    endless = (
        "<|im_start|>{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
        "{% endfor %}{{ messages[0].content }}"
    )
    card = registry.add(write_tiny_gguf(tmp_path / "endless.gguf", template=endless))
    assert card.chat_template  # the pinned one of its family
    stored = json.loads(Path(card.path).with_suffix(".json").read_text())
    assert stored["template"] == "chatml"


def test_no_room_on_the_disk(
    registry: ModelRegistry, home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "free_bytes", lambda folder: 1000)
    with pytest.raises(StorageFull):
        registry.add(tiny)
    assert leftovers(home) == []
    assert files.free_bytes(home.models) > 1000


def test_a_cancel_while_copying_keeps_nothing(
    registry: ModelRegistry, home: Home, tiny: Path
) -> None:
    job = CallbackJob()
    job = CallbackJob(on_progress=lambda done, total, note, eta: job.cancel())
    with pytest.raises(Cancelled):
        registry.add(tiny, job)
    assert leftovers(home) == []


def test_names_that_are_not_there(registry: ModelRegistry, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="There is no model"):
        registry.find("llama-70b")
    for path in (tmp_path / "nothing.gguf", tmp_path):
        with pytest.raises(InvalidInput):
            registry.add(path)
    with pytest.raises(InvalidInput, match="belongs to the installation"):
        registry.remove("smol")


def test_gpu_layers_are_kept_and_given_back(registry: ModelRegistry, starter: Path) -> None:
    registry.set_gpu_layers("smol", 4)
    card = registry.find("smol")
    assert (card.gpu_layers, card.gpu_layers_chosen) == (4, "user")
    registry.set_gpu_layers("smol", None)
    assert registry.find("smol").gpu_layers_chosen == "automatic"
    with pytest.raises(InvalidInput):
        registry.set_gpu_layers("smol", 99)


def test_a_model_whose_file_or_card_is_broken_is_not_offered(
    registry: ModelRegistry, home: Home, tiny: Path
) -> None:
    card = registry.add(tiny)
    file = Path(card.path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    assert len(registry.list()) == 1
    file.write_bytes(whole)
    file.with_suffix(".json").write_text("{")
    assert len(registry.list()) == 1


@pytest.mark.parametrize(
    ("file", "name", "identity"),
    [
        (
            "Qwen2.5-7B-Instruct-Q4_K_M.gguf",
            "Qwen2.5-7B-Instruct",
            "qwen2.5-7b-instruct-q4_k_m",
        ),
        ("model.gguf", "model", "model"),
        ("ÄÖ …gguf.gguf", "ÄÖ …gguf", "gguf"),
        ("phi-3-mini.IQ3_XS.gguf", "phi-3-mini", "phi-3-mini.iq3_xs"),
    ],
)
def test_names_from_files(file: str, name: str, identity: str) -> None:
    assert display_name(file) == name
    assert slug(Path(file).stem) == identity
