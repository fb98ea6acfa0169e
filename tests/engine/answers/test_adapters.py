"""Adapters on a loaded model: put on, mixed, taken off, and never with another's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import gguf
import numpy as np
import psutil
import pytest

from engine import hardware
from engine.answers import adapters
from engine.answers.contexts import Contexts
from engine.answers.generation import AdapterUse
from engine.answers.runtime import Runtime
from engine.answers.states import PassageStates
from engine.answers.vocabulary import Segment, Tokens
from engine.errors import InvalidInput, ModelUnavailable, NotEnoughMemory
from engine.models.gguf import read_contents
from tests.adapters import write_random_lora, write_soft_prompt
from tests.architectures import ARCHITECTURES, write_architecture
from tests.models import WIDTH, write_tiny_gguf

TOKENS = [1, *range(20, 60)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("base") / "base.gguf")


@pytest.fixture(scope="module")
def loras(base: Path) -> list[AdapterUse]:
    return [
        AdapterUse(path=str(write_random_lora(base.with_name(f"{n}.gguf"), base, n)))
        for n in range(3)
    ]


@pytest.fixture(scope="module")
def runtime(base: Path) -> Iterator[Runtime]:
    one = Runtime(base, 1024, exact=True)
    yield one
    one.close()


def scores(runtime: Runtime, uses: Sequence[AdapterUse]) -> np.ndarray:
    runtime.use_adapters(uses)
    runtime.forget()
    return runtime.compute({0: [*runtime.soft_prompt, *TOKENS]})[0][-1]


def scaled(use: AdapterUse, scale: float) -> AdapterUse:
    return use.model_copy(update={"scale": scale})


def test_put_on_mixed_and_taken_off(runtime: Runtime, loras: list[AdapterUse]) -> None:
    plain, first = scores(runtime, []), scores(runtime, loras[:1])
    assert np.abs(plain - first).max() > 0.1
    both = scores(runtime, loras[:2])
    assert np.abs(both - first).max() > 0.1
    np.testing.assert_array_equal(scores(runtime, loras[1::-1]), both)
    half = scores(runtime, [scaled(loras[0], 0.5)])
    assert 0 < np.abs(half - plain).max() < np.abs(first - plain).max() * 1.5
    twice = [scaled(loras[0], 0.5), scaled(loras[0], 0.5)]
    np.testing.assert_array_equal(scores(runtime, twice), first)
    np.testing.assert_array_equal(scores(runtime, [scaled(loras[0], 0.0)]), plain)
    np.testing.assert_array_equal(scores(runtime, []), plain)


def prompt(runtime: Runtime, passage: str) -> Tokens:
    segments = [
        Segment("read ", True),
        Segment(passage, False, kept=True),
        Segment(" what", False),
    ]
    tokens = runtime.vocabulary.prompt(segments)
    soft = runtime.soft_prompt
    return Tokens([*soft, *tokens.ids], [cut + len(soft) for cut in tokens.cuts])


def test_no_state_of_another_adapter_is_used(
    runtime: Runtime, loras: list[AdapterUse], tmp_path: Path
) -> None:
    """Every answer with warm states is the one with no state at all, to the bit."""
    soft = AdapterUse(path=str(write_soft_prompt(tmp_path / "soft.safetensors", WIDTH)))
    sets: list[list[AdapterUse]] = [
        [],
        [loras[0]],
        [scaled(loras[0], 0.5)],
        [loras[0], loras[1]],
        [soft],
        [soft, loras[0]],
    ]
    cold: list[np.ndarray] = []
    for uses in sets:
        fresh = Contexts(runtime, PassageStates(None, 0), "m")
        fresh.use_adapters(uses)
        cold.append(fresh.read([prompt(runtime, "a b c d" * 8)]).scores)
    assert len({one.tobytes() for one in cold}) == len(sets)
    states = PassageStates(tmp_path / "states", 64 << 20)
    contexts = Contexts(runtime, states, "m")
    for turn in range(3):
        for uses, wanted in zip(sets, cold, strict=True):
            contexts.use_adapters(uses)
            read = contexts.read([prompt(runtime, "a b c d" * 8)])
            assert np.array_equal(read.scores, wanted)
            assert (read.reused > 0) == (turn > 0)
    states.flush()
    another = Contexts(runtime, PassageStates(tmp_path / "states", 64 << 20), "m")
    for uses, wanted in zip(sets, cold, strict=True):
        another.use_adapters(uses)
        read = another.read([prompt(runtime, "a b c d" * 8)])
        assert read.reused > 0
        assert np.array_equal(read.scores, wanted)


def test_a_conversation_waits_for_its_own_adapter(
    runtime: Runtime, loras: list[AdapterUse]
) -> None:
    contexts = Contexts(runtime, PassageStates(None, 0), "m")
    talk = Tokens([1, *np.random.default_rng(0).integers(3, 250, 120).tolist()], [])
    longer = Tokens([*talk.ids, 30, 31, 32], [])
    contexts.use_adapters([])
    contexts.converse(talk)
    contexts.use_adapters(loras[:1])
    assert contexts.converse(longer) == 0  # nothing of the plain model's
    tuned = runtime.logits().copy()
    contexts.use_adapters([])
    assert contexts.converse(longer) >= len(talk.ids) - 1  # its own is still there
    plain = runtime.logits().copy()
    assert np.abs(tuned - plain).max() > 0.1
    contexts.use_adapters(loras[:1])
    assert contexts.converse(longer) == len(longer.ids) - 1
    np.testing.assert_allclose(runtime.logits(), tuned, atol=1e-4)


def test_a_file_that_changed_is_read_again(
    runtime: Runtime, base: Path, tmp_path: Path
) -> None:
    path = write_random_lora(tmp_path / "a.gguf", base, 1)
    first = scores(runtime, [AdapterUse(path=str(path))])
    other = write_random_lora(tmp_path / "b.gguf", base, 2, size=0.5)
    wanted = scores(runtime, [AdapterUse(path=str(other))])
    other.replace(path)
    found = scores(runtime, [AdapterUse(path=str(path))])
    assert np.array_equal(found, wanted)
    assert not np.array_equal(found, first)


def test_what_is_no_adapter_is_an_error_and_none_is_on_then(
    runtime: Runtime, base: Path, loras: list[AdapterUse], tmp_path: Path
) -> None:
    plain = scores(runtime, [])
    gone = tmp_path / "gone.gguf"
    with pytest.raises(ModelUnavailable, match="gone"):
        runtime.use_adapters([AdapterUse(path=str(gone))])
    with pytest.raises(ModelUnavailable, match="no adapter"):
        runtime.use_adapters([AdapterUse(path=str(base))])
    wide = write_soft_prompt(tmp_path / "wide.safetensors", WIDTH + 1)
    with pytest.raises(ModelUnavailable, match="another model"):
        runtime.use_adapters([AdapterUse(path=str(wide))])
    rubbish = tmp_path / "rubbish.safetensors"
    rubbish.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelUnavailable, match="no soft prompt"):
        runtime.use_adapters([AdapterUse(path=str(rubbish))])
    soft = [
        AdapterUse(path=str(write_soft_prompt(tmp_path / f"{n}.safetensors", WIDTH, seed=n)))
        for n in range(2)
    ]
    with pytest.raises(InvalidInput, match="Only one"):
        runtime.use_adapters(soft)
    with pytest.raises(InvalidInput, match="scale"):
        runtime.use_adapters([scaled(loras[0], float("nan"))])
    runtime.use_adapters(loras[:1])
    Path(gone).touch()
    with pytest.raises(ModelUnavailable):
        runtime.use_adapters([AdapterUse(path=str(gone))])
    assert np.array_equal(scores(runtime, []), plain)


def test_a_file_removed_while_it_is_on_is_an_error(
    runtime: Runtime, base: Path, tmp_path: Path
) -> None:
    path = write_random_lora(tmp_path / "a.gguf", base, 7)
    runtime.use_adapters([AdapterUse(path=str(path))])
    path.unlink()
    with pytest.raises(ModelUnavailable, match="gone"):
        runtime.use_adapters([AdapterUse(path=str(path))])
    runtime.use_adapters([])


def test_memory_is_looked_for_and_given_back(
    runtime: Runtime, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "memory_available_bytes", lambda: 1000)
    path = write_random_lora(tmp_path / "a.gguf", base, 9)
    with pytest.raises(NotEnoughMemory):
        runtime.use_adapters([AdapterUse(path=str(path))])
    monkeypatch.undo()
    paths: list[Path] = []
    for number in range(30):
        paths.append(tmp_path / f"big{number}.gguf")
        writer = gguf.GGUFWriter(paths[-1], "llama")
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", 1.0)
        for name, place in read_contents(base).tensors.items():
            if name.startswith("blk.") and len(place.shape) == 2:
                rank = 4096
                writer.add_tensor(f"{name}.lora_a", np.zeros((rank, place.shape[1]), "f4"))
                writer.add_tensor(f"{name}.lora_b", np.zeros((place.shape[0], rank), "f4"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    one_bytes = paths[0].stat().st_size
    before = psutil.Process().memory_info().rss
    for path in paths:
        runtime.use_adapters([AdapterUse(path=str(path))])
    grown = psutil.Process().memory_info().rss - before
    runtime.use_adapters([])
    assert grown < (adapters.KEPT + 6) * one_bytes


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_soft_prompt_of_real_tokens_is_those_tokens(
    architecture: str, tmp_path: Path
) -> None:
    """Embeddings of the vocabulary, fed as a soft prompt, give what the tokens give."""
    from safetensors.numpy import save_file

    path = write_architecture(tmp_path / "m.gguf", architecture)
    place = read_contents(path).tensors["token_embd.weight"]
    table = np.memmap(path, np.float32, "r", place.offset, place.shape)
    ids = [5, 40, 77, 120]
    soft = np.array(table[ids])
    if architecture.startswith("gemma"):
        soft *= np.float32(np.sqrt(place.shape[1]))
    save_file({"prompt_embeddings": soft}, tmp_path / "soft.safetensors")
    runtime = Runtime(path, 256, exact=True)
    try:
        wanted = runtime.compute({0: [*ids, *TOKENS]})[0][-1]
        runtime.use_adapters([AdapterUse(path=str(tmp_path / "soft.safetensors"))])
        assert runtime.soft_prompt == [-1, -2, -3, -4]
        found = runtime.compute({0: [*runtime.soft_prompt, *TOKENS]})[0][-1]
    finally:
        runtime.close()
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
