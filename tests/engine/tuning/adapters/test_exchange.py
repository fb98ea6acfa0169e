"""Adapters in and out: a stranger's is tried first, what is exported does the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.answers.generation import AdapterUse
from engine.answers.mixing import log_softmax
from engine.answers.runtime import Runtime
from engine.errors import EngineError, InvalidInput, ModelUnavailable, StorageFull
from engine.models.gguf import read_contents
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters import exporting
from engine.tuning.adapters.exporting import export_adapter
from engine.tuning.adapters.gguf_adapter import read_lora, to_peft
from engine.tuning.adapters.importing import import_adapter
from engine.tuning.adapters.merging import rewrite_model
from engine.tuning.adapters.peft_folder import read_peft
from engine.tuning.adapters.registry import AdapterRegistry
from engine.work import api
from tests.adapters import write_random_lora, write_soft_prompt
from tests.architectures import write_architecture
from tests.engine.tuning.adapters.conftest import load_torch, with_lora
from tests.models import WIDTH, write_tiny_gguf

TOKENS = [1, *range(20, 60)]


class Desk:
    """A home with a tiny llama and a tiny qwen2, and a random adapter for the first."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.store = Store(Home(tmp / "home").create())
        self.models = ModelRegistry(self.store.home, self.store, starter=tmp / "none")
        self.llama = self.models.add(write_tiny_gguf(tmp / "llama.gguf"))
        self.qwen = self.models.add(write_architecture(tmp / "qwen.gguf", "qwen2"))
        self.registry = AdapterRegistry(
            self.store.home, self.store, self.models, tmp / "installed"
        )
        self.lora = write_random_lora(tmp / "lora.gguf", Path(self.llama.path), 4)

    def take_in(self, path: Path, **spec: object) -> api.AdapterCard:
        wanted = api.ImportAdapterSpec.model_validate({"path": str(path), **spec})
        return import_adapter(self.registry, self.models, wanted)

    def export(self, out: Path, **spec: object) -> api.ExportedAdapter:
        wanted = {"adapter": "mine", "out": str(out), "format": "gguf", **spec}
        return export_adapter(self.registry, api.ExportAdapterSpec.model_validate(wanted))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    one = Desk(tmp_path_factory.mktemp("desk"))
    one.take_in(one.lora, name="mine")
    yield one
    one.store.close()


def scores(model: Path, adapter: Path | None = None) -> np.ndarray:
    runtime = Runtime(model, 256, exact=True)
    try:
        runtime.use_adapters([AdapterUse(path=str(adapter))] if adapter else [])
        return log_softmax(runtime.compute({0: TOKENS}, want="all")[0])
    finally:
        runtime.close()


def kl(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.exp(one) * (one - other)).sum(-1).mean())


def test_a_strangers_gguf_finds_its_model(desk: Desk) -> None:
    card = desk.registry.find("mine")
    assert (card.model, card.proof, card.source) == (desk.llama.id, "none", "imported")
    assert (card.rank, card.layers, card.method) == (2, 2, "lora")
    assert card.metrics["trial_kl"] > 0
    assert Path(card.path).read_bytes() == desk.lora.read_bytes()
    names = load_file(desk.registry.folder(card) / "adapter.safetensors")
    assert "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" in names


def test_a_folder_of_peft_s_does_what_it_does_there(desk: Desk, tmp_path: Path) -> None:
    import torch

    tuned = with_lora(load_torch(Path(desk.llama.path)), rank=4, use_rslora=True)
    tuned.save_pretrained(tmp_path / "peft", save_embedding_layers=False)
    with torch.no_grad():
        wanted = log_softmax(tuned(torch.tensor([TOKENS])).logits[0].numpy())
    card = desk.take_in(tmp_path / "peft", name="from peft", model=desk.llama.id)
    found = scores(Path(desk.llama.path), Path(card.path))
    assert abs(kl(wanted, found)) < 1e-4
    assert kl(wanted, scores(Path(desk.llama.path))) > 0.01
    desk.registry.remove(card.id)


def test_a_soft_prompt_of_peft_s(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "soft"
    write_soft_prompt(folder / "adapter_model.safetensors", WIDTH, tokens=7)
    (folder / "adapter_config.json").write_text('{"peft_type": "PROMPT_TUNING"}')
    with pytest.raises(InvalidInput, match="Several models"):
        desk.take_in(folder)
    card = desk.take_in(folder, model=desk.llama.id)
    assert (card.method, card.rank, card.id) == ("prompt", 7, "soft")
    out = tmp_path / "out"
    desk.export(out, adapter="soft", format="safetensors")
    soft = read_peft(out).soft
    assert soft is not None
    assert soft.shape == (7, WIDTH)
    with pytest.raises(InvalidInput, match="soft prompt"):
        desk.export(tmp_path / "x.gguf", adapter="soft")
    desk.registry.remove("soft")


def test_what_does_not_fit_or_does_nothing_is_refused(desk: Desk, tmp_path: Path) -> None:
    before = len(desk.registry.list())
    other = write_architecture(tmp_path / "gemma.gguf", "gemma3")
    with pytest.raises(InvalidInput, match="No model here fits"):
        desk.take_in(write_random_lora(tmp_path / "g.gguf", other))
    with pytest.raises(InvalidInput, match="architecture"):
        desk.take_in(desk.lora, model=desk.qwen.id)
    with pytest.raises(ModelUnavailable, match="changes nothing"):
        desk.take_in(write_random_lora(tmp_path / "n.gguf", Path(desk.llama.path), size=0.0))
    with pytest.raises(ModelUnavailable, match="not a LoRA"):
        desk.take_in(Path(desk.llama.path))
    with pytest.raises(InvalidInput, match="no file"):
        desk.take_in(tmp_path / "missing")
    assert len(desk.registry.list()) == before


def test_hostile_folders_are_refused(tmp_path: Path) -> None:
    lora = {
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": np.ones(
            (2, 64), np.float32
        ),
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": np.ones(
            (64, 2), np.float32
        ),
    }
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}
    folder = tmp_path / "p"
    folder.mkdir()

    def write(**more: object) -> None:
        (folder / "adapter_config.json").write_text(json.dumps({**config, **more}))

    write()
    with pytest.raises(ModelUnavailable, match="no safetensors"):
        read_peft(folder)
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelUnavailable, match="no safetensors"):
        read_peft(folder)
    save_file(lora, folder / "adapter_model.safetensors")
    assert read_peft(folder).lora is not None
    refused: list[dict[str, object]] = [
        {"use_dora": True},
        {"modules_to_save": ["lm_head"]},
        {"peft_type": "IA3"},
        {"lora_alpha": "4"},
        {"lora_alpha": 0},
        {"bias": "all"},
        {"fan_in_fan_out": True},
    ]
    for more in refused:
        write(**more)
        with pytest.raises(ModelUnavailable):
            read_peft(folder)
    write(alpha_pattern={"q_proj": 8, "(a+)+$": 3})
    assert read_peft(folder).alphas == {"model.layers.0.self_attn.q_proj": 8.0}
    data = (folder / "adapter_model.safetensors").read_bytes()
    for cut in range(0, len(data), 97):
        (folder / "adapter_model.safetensors").write_bytes(data[:cut])
        with pytest.raises(EngineError):
            read_peft(folder)


def test_exported_as_gguf_peft_and_ollama(desk: Desk, tmp_path: Path) -> None:
    made = desk.export(tmp_path)
    assert Path(made.path) == tmp_path / "mine.gguf"
    assert Path(made.path).read_bytes() == desk.lora.read_bytes()
    with pytest.raises(InvalidInput, match="there already"):
        desk.export(Path(made.path))
    desk.export(tmp_path / "peft", format="safetensors")
    base = read_contents(Path(desk.llama.path)).header
    wanted = to_peft(read_lora(desk.lora), base)
    found = read_peft(tmp_path / "peft").lora
    assert found is not None
    assert (found.rank, found.alpha) == (wanted.rank, wanted.alpha)
    for module, pair in wanted.factors.items():
        np.testing.assert_array_equal(found.factors[module].b, pair.b)
    made = desk.export(tmp_path / "ollama", format="ollama")
    text = (tmp_path / "ollama" / "Modelfile").read_text()
    assert f"FROM {desk.llama.path}" in text
    assert "ADAPTER ./adapter.gguf" in text
    assert len(made.files) == 2


def test_peft_reads_what_is_exported(desk: Desk, tmp_path: Path) -> None:
    import peft
    import torch

    desk.export(tmp_path / "peft", format="safetensors")
    tuned = peft.PeftModel.from_pretrained(
        load_torch(Path(desk.llama.path)), tmp_path / "peft"
    ).eval()
    with torch.no_grad():
        found = log_softmax(tuned(torch.tensor([TOKENS])).logits[0].numpy())
    wanted = scores(Path(desk.llama.path), desk.lora)
    assert abs(kl(wanted, found)) < 1e-4


def test_merged_is_model_and_adapter_in_one(desk: Desk, tmp_path: Path) -> None:
    base = Path(desk.llama.path)
    before, wanted = base.read_bytes(), scores(base, desk.lora)
    desk.export(tmp_path / "m.gguf", format="merged", quantization="F32")
    assert abs(kl(wanted, scores(tmp_path / "m.gguf"))) < 1e-4
    assert kl(wanted, scores(base)) > 0.01
    desk.export(tmp_path / "q.gguf", format="merged", quantization="q8_0")
    assert read_contents(tmp_path / "q.gguf").header.quantization == "Q8_0"
    assert kl(wanted, scores(tmp_path / "q.gguf")) < 0.1 * kl(wanted, scores(base))
    desk.export(tmp_path / "zero.gguf", format="merged", quantization="F32", scale=0.0)
    assert abs(kl(scores(base), scores(tmp_path / "zero.gguf"))) < 1e-6
    assert base.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.gguf", "q.gguf", "zero.gguf"]


def test_no_room_or_a_wrong_word_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="Q9"):
        desk.export(tmp_path / "m.gguf", format="merged", quantization="Q9")
    monkeypatch.setattr(exporting, "free_bytes", lambda folder: 1 << 20)
    for form in ("gguf", "safetensors", "ollama", "merged"):
        with pytest.raises(StorageFull, match="no room"):
            desk.export(tmp_path / "m", format=form)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_change_are_copied(tmp_path: Path) -> None:
    base = write_architecture(tmp_path / "b.gguf", "qwen2")
    rewrite_model(base, tmp_path / "same.gguf", {})
    one, two = read_contents(base), read_contents(tmp_path / "same.gguf")
    assert one.values == two.values
    assert one.tensors.keys() == two.tensors.keys()
    np.testing.assert_array_equal(scores(base), scores(tmp_path / "same.gguf"))
    with pytest.raises(EngineError):
        rewrite_model(base, tmp_path / "same.gguf", {})
