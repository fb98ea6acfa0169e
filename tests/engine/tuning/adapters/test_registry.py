"""Adapters kept: found, renamed, enabled, removed; and chosen for a question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.answers.answerer import Answerer
from engine.answers.generator import Generator
from engine.errors import InvalidInput, ModelUnavailable
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.cards import read_card
from engine.tuning.adapters.choosing import Chooser
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.storing import remove_dataset, save_dataset
from engine.tuning.datasets.types import Example
from engine.work import api
from engine.work.lease import CoreLease
from tests.adapters import write_random_lora, write_soft_prompt
from tests.models import WIDTH, write_tiny_gguf

PARITY = api.ParityReport(
    kl=0.001,
    top1=1.0,
    effect_kl=1.0,
    served_effect_kl=1.0,
    untuned_kl=0.001,
    mismatch=0.01,
    ending=1.0,
    prompts=4,
    tokens=20,
    passed=True,
)


class Shelf:
    """A home with two tiny models; adapters for the first."""

    def __init__(self, home: Home, tmp: Path) -> None:
        self.home, self.tmp = home, tmp
        self.store = Store(home)
        self.models = ModelRegistry(home, self.store, starter=tmp / "none")
        self.model = self.models.add(write_tiny_gguf(tmp / "one.gguf"))
        self.other = self.models.add(write_tiny_gguf(tmp / "two.gguf", seed=3))
        self.registry = AdapterRegistry(home, self.store, self.models, tmp / "installed")
        self.chooser = Chooser(self.registry)

    def save(self, name: str = "Clinic", seed: int = 0, **fields: object) -> api.AdapterCard:
        folder = self.tmp / f"made-{name}-{seed}"
        folder.mkdir(exist_ok=True)
        write_random_lora(folder / "adapter.gguf", Path(self.model.path), seed)
        return self.registry.save(folder, self.card(name, **fields))

    def card(self, name: str, **fields: object) -> api.AdapterCard:
        known = {
            "id": "",
            "name": name,
            "base_sha256": self.model.sha256,
            "base_name": self.model.name,
            "rank": 2,
            "parity": PARITY,
            **fields,
        }
        return api.AdapterCard.model_validate(known)

    def choose(self, **spec: object):
        asked = api.AskSpec.model_validate({"question": "x", **spec})
        return self.chooser.choose(asked, self.models.find)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    tmp = tmp_path_factory.mktemp("shelf")
    one = Shelf(Home(tmp / "home").create(), tmp)
    yield one
    one.store.close()


@pytest.fixture
def empty(shelf: Shelf) -> Iterator[Shelf]:
    yield shelf
    for card in shelf.registry.list():
        if card.source != "installation":
            shelf.registry.remove(card.id)


def test_kept_found_renamed_removed(empty: Shelf) -> None:
    card = empty.save("My Clinic", task="classification", labels=["a", "b"])
    assert (card.id, card.name, card.proof) == ("my-clinic", "My Clinic", "proven")
    assert card.model == empty.model.id
    assert card.problem == card.stale == ""
    assert card.size_bytes > 0
    again = empty.save("My Clinic", seed=1)
    assert again.id == "my-clinic-2"
    assert empty.registry.find("MY-CLINIC").id == "my-clinic"
    with pytest.raises(InvalidInput, match="Several"):
        empty.registry.find("my clinic")
    renamed = empty.registry.rename("my-clinic-2", "  Ward \n seven ")
    assert (renamed.id, renamed.name) == ("my-clinic-2", "Ward seven")
    assert empty.registry.find("ward").id == "my-clinic-2"
    for name in ("", "none", "x" * 200):
        with pytest.raises(InvalidInput):
            empty.registry.rename("ward", name)
    stored = json.loads((empty.registry.folder(card) / "card.json").read_bytes())
    assert "problem" not in stored
    assert read_card(empty.registry.folder(card)).labels == ["a", "b"]
    assert empty.registry.remove("ward").id == "my-clinic-2"
    with pytest.raises(InvalidInput, match="no adapter"):
        empty.registry.find("ward")
    assert not (empty.home.adapters / "my-clinic-2").exists()
    assert not list(empty.home.adapters.glob(".*"))


def test_a_card_of_a_newer_version_or_a_damaged_one(empty: Shelf) -> None:
    good, bad = empty.save("good"), empty.save("bad")
    path = empty.registry.folder(good) / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "later": 1}))
    (empty.registry.folder(bad) / "card.json").write_text("{")
    assert [card.id for card in empty.registry.list()] == ["good"]
    assert empty.save("bad").id == "bad-2"


def test_one_whose_proof_failed_is_kept_and_refused(empty: Shelf) -> None:
    failed = PARITY.model_copy(update={"passed": False, "reasons": ["wrong"]})
    card = empty.save("wrong", parity=failed)
    assert card.proof == "failed"
    assert "did not pass" in card.problem
    with pytest.raises(ModelUnavailable, match="did not pass"):
        empty.choose(adapter="wrong")
    with pytest.raises(ModelUnavailable):
        empty.registry.enable(api.EnableAdapterSpec(adapter="wrong"))


def test_enabled_alone_or_mixed(empty: Shelf) -> None:
    empty.save("a")
    empty.save("b", seed=1)
    enable = empty.registry.enable
    assert empty.choose()[1].uses == []
    assert enable(api.EnableAdapterSpec(adapter="a")).enabled
    model, choice = empty.choose(model=empty.model.id)
    assert (model.id, choice.label, len(choice.uses)) == (empty.model.id, "a", 1)
    assert empty.choose(model=empty.other.id)[1].uses == []
    assert empty.choose(model=empty.model.id, adapter="none")[1].uses == []
    enable(api.EnableAdapterSpec(adapter="b", scale=0.5, alone=False))
    mixed = empty.choose(model=empty.model.id)[1]
    assert sorted(use.scale for use in mixed.uses) == [0.5, 1.0]
    assert "b:0.5" in mixed.label
    enable(api.EnableAdapterSpec(adapter="b"))
    assert empty.choose(model=empty.model.id)[1].label == "b"
    enable(api.EnableAdapterSpec(adapter="b", on=False))
    assert empty.choose(model=empty.model.id)[1].label == ""


def test_named_ones_bring_their_model_and_refuse_another(empty: Shelf) -> None:
    empty.save("a")
    empty.save("b", seed=1)
    empty.models.set_default(empty.other.id)
    model, choice = empty.choose(adapter="a")
    assert (model.id, choice.label) == (empty.model.id, "a")
    with pytest.raises(InvalidInput, match="was made for"):
        empty.choose(adapter="a", model=empty.other.id)
    mix = [{"adapter": "a", "scale": 0.5}, {"adapter": "b"}]
    assert empty.choose(mix=mix)[1].label == "a:0.5 + b:1"
    with pytest.raises(InvalidInput, match="not both"):
        empty.choose(adapter="a", mix=mix)
    with pytest.raises(InvalidInput, match="no adapter 'c'"):
        empty.choose(adapter="c")


def test_what_is_gone_is_said(empty: Shelf) -> None:
    card = empty.save("a")
    empty.registry.enable(api.EnableAdapterSpec(adapter="a"))
    file = Path(card.path)
    aside = file.rename(file.with_name("aside"))
    with pytest.raises(ModelUnavailable, match="file is gone"):
        empty.choose(adapter="a")
    _, choice = empty.choose(model=empty.model.id)
    assert choice.uses == []
    assert "a, which cannot be used" in choice.notice
    aside.rename(file)
    stranger = empty.save("b", base_sha256="f" * 64, base_name="Elsewhere")
    assert "Elsewhere" in stranger.problem
    with pytest.raises(ModelUnavailable, match="Elsewhere"):
        empty.choose(adapter="b")


def test_stale_when_what_it_learnt_from_changed(empty: Shelf) -> None:
    examples = [Example(id=str(n), input=f"question {n}", output="a") for n in range(4)]
    row = save_dataset(empty.home, empty.store, "d", "answers", "test", examples)
    sha256 = row.sha256
    card = empty.save("a", dataset=row.id, dataset_sha256=sha256)
    assert card.stale == ""
    assert "changed" in empty.save("b", dataset=row.id, dataset_sha256="0" * 64).stale
    remove_dataset(empty.home, empty.store, row.id)
    assert "removed" in empty.registry.find("a").stale
    with empty.store.transaction() as connection:
        connection.execute(
            "INSERT INTO libraries (library_id, name, embedder, reader_version, format,"
            " created_at) VALUES ('L', 'L', 'e', 1, 1, '')"
        )
        connection.execute(
            "INSERT INTO contents (library_id, sha256, state) VALUES ('L', 'aa', 'indexed')"
        )
        connection.execute(
            "INSERT INTO files (library_id, path, shown, size_bytes, mtime_ns, content_id)"
            " VALUES ('L', x'61', '/a.md', 1, 1, (SELECT max(content_id) FROM contents))"
        )
    assert empty.save("c", documents={"/a.md": "aa"}).stale == ""
    assert "One document" in empty.save("d", documents={"/a.md": "bb"}).stale
    assert "2 documents" in empty.save("e", documents={"/a.md": "bb", "/b.md": "aa"}).stale


def test_those_of_the_installation_stay(empty: Shelf) -> None:
    card = empty.save("ours")
    (empty.tmp / "installed").mkdir(exist_ok=True)
    empty.registry.folder(card).rename(empty.tmp / "installed" / "ours")
    try:
        found = empty.registry.find("ours")
        assert found.source == "installation"
        assert Path(found.path).is_file()
        with pytest.raises(InvalidInput, match="belongs to the installation"):
            empty.registry.remove("ours")
        with pytest.raises(InvalidInput, match="belongs to the installation"):
            empty.registry.rename("ours", "mine")
        assert empty.save("ours").id == "ours-2"
        assert empty.choose(adapter="ours")[1].label == "ours"
    finally:
        (empty.tmp / "installed" / "ours").rename(empty.home.adapters / "ours")


def test_an_answer_comes_from_the_adapter(empty: Shelf, tmp_path: Path) -> None:
    """Through the generator's real process: other words, the report says whose."""
    empty.save("a", task="classification", labels=["x"])
    folder = tmp_path / "soft"
    write_soft_prompt(folder / "adapter.safetensors", WIDTH)
    empty.registry.save(folder, empty.card("soft", method="prompt", rank=5))
    generator = Generator(empty.home, CoreLease(empty.home))
    answerer = Answerer(
        empty.store,
        empty.models,
        generator,
        lambda spec, job: api.SearchReport(passages=[], milliseconds=0),
        adapters=empty.chooser,
    )

    def ask(**fields: object) -> api.AnswerReport:
        spec = {"question": "abc", "model": empty.model.id, "mode": "none", "max_tokens": 12}
        return answerer.ask(api.AskSpec.model_validate({**spec, "conversation": "", **fields}))

    try:
        plain, tuned = ask(adapter="none"), ask(adapter="a")
        assert (plain.adapter, tuned.adapter) == (None, "a")
        assert plain.answer != tuned.answer
        soft = ask(adapter="soft")
        assert soft.tokens.prompt == plain.tokens.prompt + 5
        assert ask(adapter="none").answer == plain.answer
        assert ask(adapter="a").answer == tuned.answer
        empty.registry.enable(api.EnableAdapterSpec(adapter="a"))
        assert ask().answer == tuned.answer
        Path(empty.registry.find("a").path).unlink()
        with pytest.raises(ModelUnavailable, match="gone"):
            ask(adapter="a")
        left = ask()
        assert left.answer == plain.answer
        assert "cannot be used" in left.notice
    finally:
        generator.close()
