"""It learns, keeps the best, ends for a reason, and goes on after a pause as if none was."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from engine.errors import StorageDamaged, StorageFull, TrainingFailed
from engine.tuning.bases import Base
from engine.tuning.training.checkpoints import Checkpoints
from engine.tuning.training.loop import Outcome, Paused, Training, TrainingData
from engine.tuning.training.packs import Tokenized
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned
from tests.engine.tuning.training.conftest import Audience, one_thread

SETTINGS = Settings(rank=4, epochs=4, batch_examples=4, learning_rate=5e-3)


def train(
    base: Base, data: TrainingData, folder: Path, audience: Audience, settings: Settings
) -> Outcome:
    return Training(Tuned(base, settings, {}), data, folder, one_thread, audience).run()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"upper_layers": 1},
        {"upper_layers": 1, "keep_states": False},
        {"rslora": True, "schedule": "linear"},
        {"method": "prompt", "soft_tokens": 6, "learning_rate": 0.05},
        {"method": "full", "learning_rate": 2e-3},
        {"method": "full", "learning_rate": 2e-3, "upper_layers": 1},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())) or "plain",
)
def test_every_method_learns(
    tiny_base: Base, data: TrainingData, tmp_path: Path, changes: dict
) -> None:
    audience = Audience()
    settings = SETTINGS.model_copy(update=changes)
    outcome = train(tiny_base, data, tmp_path, audience, settings)
    assert outcome.position.heldout_first is not None
    assert outcome.heldout_loss < outcome.position.heldout_first * 0.6
    assert outcome.position.finished in ("done", "early")
    best = min(audience.of("evaluation", "heldout_loss"))
    assert outcome.position.best_loss == pytest.approx(best, abs=0.002)
    assert audience.of("step", "step") == list(range(1, outcome.position.step + 1))
    assert not list(tmp_path.glob("states*"))


def test_kept_states_change_nothing(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    losses = []
    for keep in (True, False):
        audience = Audience()
        settings = SETTINGS.model_copy(update={"upper_layers": 1, "keep_states": keep})
        train(tiny_base, data, tmp_path / str(keep), audience, settings)
        losses.append(audience.of("step", "loss"))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_pause_changes_nothing(tiny_base: Base, data: TrainingData, tmp_path: Path) -> None:
    whole, audience = Audience(), Audience("pause", 7)
    unbroken = train(tiny_base, data, tmp_path / "whole", whole, SETTINGS)
    for at in (7, 19, 30):
        audience.at = at
        with pytest.raises(Paused):
            train(tiny_base, data, tmp_path / "parts", audience, SETTINGS)
    audience.word = ""
    resumed = train(tiny_base, data, tmp_path / "parts", audience, SETTINGS)
    assert audience.of("step", "step") == whole.of("step", "step")
    assert audience.of("step", "loss") == pytest.approx(whole.of("step", "loss"), rel=1e-4)
    assert resumed.heldout_loss == pytest.approx(unbroken.heldout_loss, rel=1e-4)
    for name, tensor in unbroken.adapter.items():
        torch.testing.assert_close(resumed.adapter[name], tensor, rtol=1e-3, atol=1e-5)


def test_a_stop_keeps_the_best(tiny_base: Base, data: TrainingData, tmp_path: Path) -> None:
    outcome = train(tiny_base, data, tmp_path, Audience("stop", 12), SETTINGS)
    assert outcome.position.finished == "stopped"
    assert outcome.position.step == 12
    assert outcome.heldout_loss < (outcome.position.heldout_first or 0)


def test_learning_by_heart_is_called_by_name(
    tiny_base: Base, tokenized: list[Tokenized], tmp_path: Path
) -> None:
    """The answers put aside are the other label: what is learnt is wrong for them."""
    other = [
        Tokenized(
            (*one.ids[: one.answer], *tokenized[at + 1].ids[tokenized[at + 1].answer :]),
            one.answer,
        )
        for at, one in enumerate(tokenized[40:50], 40)
    ]
    audience = Audience()
    settings = SETTINGS.model_copy(update={"epochs": 12, "patience": 3})
    outcome = train(
        tiny_base, TrainingData(tokenized[:40], other, []), tmp_path, audience, settings
    )
    assert audience.of("warning", "name") == ["overfitting"]
    assert outcome.position.finished == "early"
    assert outcome.position.best_step < outcome.position.step


def test_forgetting_is_called_by_name(
    tiny_base: Base, tokenized: list[Tokenized], tmp_path: Path
) -> None:
    model = Tuned(tiny_base, SETTINGS, {}).model
    replay = []
    for one in tokenized[:4]:
        ids = list(one.ids[: one.answer])
        for _ in range(6):
            with torch.no_grad():
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        replay.append(Tokenized(tuple(ids), one.answer))
    audience = Audience()
    data = TrainingData(tokenized[:40], tokenized[40:], [], replay)
    outcome = train(tiny_base, data, tmp_path, audience, SETTINGS)
    assert "forgetting" in outcome.position.warnings
    first, last = outcome.position.replay_first, outcome.position.replay_last
    assert first is not None
    assert last is not None
    assert last > first + 0.5


def test_what_is_held_out_chooses_nothing(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    """Other held-out examples: the same training, the same best, another judgement."""
    outcomes = []
    for name, heldout in (("one", data.heldout), ("other", data.heldout[:2]), ("none", [])):
        given = TrainingData(data.train, data.validation, heldout)
        outcomes.append(train(tiny_base, given, tmp_path / name, Audience(), SETTINGS))
    one, other, none = outcomes
    assert one.position.best_step == other.position.best_step == none.position.best_step
    for name, tensor in one.adapter.items():
        torch.testing.assert_close(other.adapter[name], tensor, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(none.adapter[name], tensor, rtol=1e-3, atol=1e-5)
    assert one.heldout_loss != other.heldout_loss
    assert none.position.heldout_first is None


def test_without_examples_put_aside_the_last_state_is_kept(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    given, audience = TrainingData(data.train, [], data.heldout), Audience()
    outcome = train(tiny_base, given, tmp_path, audience, SETTINGS)
    assert outcome.position.best_step == outcome.position.step == outcome.steps
    assert set(audience.of("evaluation", "heldout_loss")) == {None}


def test_each_epoch_ends_with_an_evaluation_of_what_may_be_forgotten(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    audience = Audience()
    given = TrainingData(data.train[:28], data.validation, [], data.replay)  # 7 steps
    settings = SETTINGS.model_copy(update={"epochs": 3, "patience": 0})
    train(tiny_base, given, tmp_path, audience, settings)
    assert audience.of("evaluation", "step") == [0, 4, 7, 11, 14, 18, 21]
    scored = audience.of("evaluation", "replay_loss")
    assert [at for at, loss in enumerate(scored) if loss is not None] == [0, 2, 4, 6]


def test_numbers_that_run_away_end_it(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    tuned = Tuned(tiny_base, SETTINGS, {})
    with torch.no_grad():
        next(iter(tuned.parameters().values())).fill_(float("nan"))
    with pytest.raises(TrainingFailed, match="ran away"):
        Training(tuned, data, tmp_path, one_thread, Audience()).run()


def test_nothing_to_learn_from(tiny_base: Base, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="no examples"):
        train(tiny_base, TrainingData([], [], []), tmp_path, Audience(), SETTINGS)


def test_a_damaged_checkpoint_says_so(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(Paused):
        train(tiny_base, data, tmp_path, Audience("pause", 3), SETTINGS)
    (last,) = (tmp_path / "checkpoint").glob("last-*.safetensors")
    last.write_bytes(last.read_bytes()[:-1] + b"?")
    with pytest.raises(StorageDamaged, match="cannot be resumed"):
        train(tiny_base, data, tmp_path, Audience(), SETTINGS)


def test_half_a_save_leaves_the_one_before(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(Paused):
        train(tiny_base, data, tmp_path, Audience("pause", 3), SETTINGS)
    folder = tmp_path / "checkpoint"
    (folder / "last-9.safetensors").write_bytes(b"half")
    (folder / ".last-10.tmp").write_bytes(b"half")
    saved = Checkpoints(folder).load()
    assert saved is not None
    assert saved[0].step == 3
    train(tiny_base, data, tmp_path, Audience(), SETTINGS)
    assert len(list(folder.iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_write_that_fails_keeps_the_one_before(
    tiny_base: Base, data: TrainingData, tmp_path: Path
) -> None:
    import resource

    with pytest.raises(Paused):
        train(tiny_base, data, tmp_path, Audience("pause", 3), SETTINGS)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StorageFull, match="saved before is kept"):
            train(tiny_base, data, tmp_path, Audience("pause", 5), SETTINGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    saved = Checkpoints(tmp_path / "checkpoint").load()
    assert saved is not None
    assert saved[0].step == 3
    assert not list((tmp_path / "checkpoint").glob(".*"))
