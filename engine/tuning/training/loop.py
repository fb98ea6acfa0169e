"""The training loop: steps, evaluations, checkpoints, and the best that came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil
import torch
from torch import Tensor

from engine.errors import TrainingFailed
from engine.tuning.training.checkpoints import Checkpoints, Position
from engine.tuning.training.packs import Tokenized, order_batches
from engine.tuning.training.scoring import Lease, Scored
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned

CHECKPOINT_EVERY_S = 40.0
MIN_GAIN = 0.001
"""A validation loss lower by less than this is not better."""
OVERFITTING = 1.05
"""Validation loss over the best one at which it is called overfitting, if training's falls."""
FORGETTING = 0.5
"""Rise of the loss on the base's own answers, a token, at which it is called forgetting."""

Asked = Literal["", "pause", "stop"]


class Paused(Exception):
    """The training was asked to pause; its checkpoint is written."""


class Watcher(Protocol):
    """Who follows a training."""

    def asked(self) -> Asked:
        """What the user wants now; looked at before every step."""
        ...

    def note(self, entry: dict[str, Any]) -> None:
        """Take a line of metrics (JSON-ready)."""
        ...

    def rewind(self, step: int) -> None:
        """Forget the lines after this step: it is done again."""
        ...


@dataclass
class TrainingData:
    """Tokenized examples.

    `validation` chooses the best state and when to end; `heldout` only judges it, before and
    after. `replay`: the base's own answers, scored to notice forgetting.
    """

    train: list[Tokenized]
    validation: list[Tokenized]
    heldout: list[Tokenized]
    replay: list[Tokenized] = field(default_factory=list[Tokenized])


@dataclass(frozen=True)
class Outcome:
    """How a training ended."""

    position: Position
    steps: int
    adapter: dict[str, Tensor]
    """The best one."""
    heldout_loss: float
    heldout_exact: float
    """Share of the held-out examples that greedy decoding answers to the letter."""


class Training:
    """One training; goes on where its checkpoint stands.

    Args:
        tuned: the model that learns.
        data: what it learns from.
        folder: of the run.
        lease: gives the cores for one group of examples, as threads to use.
        watcher: follows it and says when to pause or stop.
    """

    def __init__(
        self, tuned: Tuned, data: TrainingData, folder: Path, lease: Lease, watcher: Watcher
    ) -> None:
        if not data.train:
            raise TrainingFailed(
                "There are no examples to learn from.",
                hint="Add examples, or allow longer ones.",
            )
        settings = tuned.settings
        self._tuned, self._data, self._watcher = tuned, data, watcher
        self._settings: Settings = settings
        self._checkpoints = Checkpoints(folder / "checkpoint")
        keep = settings.keep_states
        self._train = Scored(
            tuned, data.train, lease, folder / "states-train.bin" if keep else None
        )
        self._validation = Scored(
            tuned, data.validation, lease, folder / "states-validation.bin" if keep else None
        )
        self._heldout = Scored(tuned, data.heldout, lease, None)
        self._replay = Scored(tuned, data.replay, lease, None)
        self._parameters = tuned.parameters()
        self._optimizer: Any = torch.optim.AdamW(
            list(self._parameters.values()),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.steps_per_epoch = -(-len(data.train) // settings.batch_examples)
        self.steps = self.steps_per_epoch * settings.epochs
        self._position = Position()
        self._best: Mapping[str, Tensor] | None = None
        self._best_saved = True
        self._interval: list[float] = []
        self._saved_at = time.monotonic()
        self._clock = time.monotonic()
        self._recent: list[tuple[float, int]] = []

    def run(self) -> Outcome:
        """Train to the end, and give the best.

        Raises:
            Paused: it was asked to; resumable.
            TrainingFailed: the numbers ran away.
            NotEnoughMemory, StorageFull: the checkpoint before is kept; resumable.
        """
        try:
            self._resume()
            while not self._position.finished:
                asked = self._watcher.asked()
                if asked == "pause":
                    self._save()
                    raise Paused
                if asked == "stop":
                    if not self._position.step:
                        raise TrainingFailed("It was stopped before anything was learnt.")
                    self._finish("stopped")
                    break
                self._step()
                self._after_step()
            return self._outcome()
        finally:
            for scored in (self._train, self._validation, self._heldout, self._replay):
                scored.close()

    # --- steps -------------------------------------------------------------------------

    def _resume(self) -> None:
        saved = self._checkpoints.load()
        self._clock = self._saved_at = time.monotonic()
        if saved is None:
            self._watcher.rewind(-1)
            self._position.heldout_first = self._judge()[0] if self._data.heldout else None
            self._evaluate()
            return
        self._position, adapter, optimizer = saved
        self._tuned.load(adapter)
        self._load_optimizer(optimizer)
        self._watcher.rewind(self._position.step)

    def _rate(self, step: int) -> float:
        """Learning rate of a step: up in a line, then down to zero."""
        settings = self._settings
        warmup = max(1, round(settings.warmup * self.steps))
        if step < warmup:
            return settings.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, self.steps - warmup)
        if settings.schedule == "linear":
            return settings.learning_rate * (1 - done)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def _step(self) -> None:
        settings, position = self._settings, self._position
        epoch, at = divmod(position.step, self.steps_per_epoch)
        batch = order_batches(self._data.train, settings.batch_examples, settings.seed, epoch)[
            at
        ]
        examples = [self._data.train[row] for row in batch]
        answers = sum(example.answer_tokens for example in examples)
        begun, total = time.monotonic(), 0.0
        rate = self._rate(position.step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        for rows in self._train.packs(batch):
            total += self._train.learn(rows, 1 / answers)
        with self._tuned.computing():
            parameters = list(self._parameters.values())
            norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip))
            if not math.isfinite(norm) or not math.isfinite(total):
                raise TrainingFailed(
                    "The training ran away: its numbers are no numbers any more.",
                    hint="Try a smaller learning rate. Earlier adapters are kept.",
                    details=f"step {position.step}: loss {total}, gradient {norm}",
                )
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
        tokens = sum(len(example.ids) for example in examples)
        position.step += 1
        position.tokens += tokens
        position.train_loss = total / answers
        self._interval.append(position.train_loss)
        self._tick()
        self._recent = [*self._recent[-19:], (time.monotonic() - begun, tokens)]
        self._note_step(rate)

    def _note_step(self, rate: float) -> None:
        position = self._position
        seconds = sum(s for s, _ in self._recent)
        self._watcher.note(
            {
                "kind": "step",
                "step": position.step,
                "steps": self.steps,
                "epoch": position.step / self.steps_per_epoch,
                "loss": position.train_loss,
                "learning_rate": rate,
                "tokens_per_second": sum(t for _, t in self._recent) / max(seconds, 1e-9),
                "seconds": position.seconds,
                "memory_bytes": psutil.Process().memory_info().rss,
            }
        )

    def _tick(self) -> None:
        now = time.monotonic()
        self._position.seconds += now - self._clock
        self._clock = now

    def _after_step(self) -> None:
        position, settings = self._position, self._settings
        last = position.step >= self.steps
        if last or self._evaluation_due():
            self._evaluate()
            if not last and settings.patience and position.since_best >= settings.patience:
                self._finish("early")
        if last:
            self._finish("done")
        elif settings.limit_s and position.seconds > settings.limit_s:
            self._finish("time")
        if position.finished or time.monotonic() - self._saved_at > CHECKPOINT_EVERY_S:
            self._save()

    def _evaluation_due(self) -> bool:
        """So many times an epoch, the last time at its very end."""
        each, step = self._settings.evaluations_per_epoch, self._position.step
        done = step * each // self.steps_per_epoch
        return done > (step - 1) * each // self.steps_per_epoch

    def _finish(self, reason: str) -> None:
        if self._position.best_step < self._position.step and reason in ("stopped", "time"):
            self._evaluate()
        self._position.finished = reason
        self._save()

    # --- evaluations -------------------------------------------------------------------

    def _judge(self) -> tuple[float, float]:
        """Loss a token and share answered exactly, over the held-out examples."""
        return self._heldout.score(_spread(self._data.heldout, self._settings.report_examples))

    def _evaluate(self) -> None:
        position, settings = self._position, self._settings
        rows = _spread(self._data.validation, settings.validation_examples)
        loss, exact = self._validation.score(rows)
        if not rows:  # nothing to choose by: the newest is the best
            loss = -float(position.step)
        replay = self._score_replay()
        before, self._interval = position.interval_loss, self._interval
        mean = sum(self._interval) / len(self._interval) if self._interval else None
        self._interval = []
        if position.first_loss is None:
            position.first_loss = loss
        if position.best_loss is None or loss < position.best_loss - MIN_GAIN:
            position.best_loss, position.best_step = loss, position.step
            position.best_exact, position.since_best = exact, 0
            self._best, self._best_saved = self._tuned.adapter(), False
        else:
            position.since_best += 1
        position.interval_loss = mean
        self._tick()
        self._watcher.note(
            {
                "kind": "evaluation",
                "step": position.step,
                "heldout_loss": loss if rows else None,
                "heldout_exact": exact if rows else None,
                "train_loss": mean,
                "replay_loss": replay,
                "best": position.best_step == position.step,
                "seconds": position.seconds,
            }
        )
        falling = mean is not None and before is not None and mean < before
        if loss > (position.best_loss or 0.0) * OVERFITTING and falling:
            self._warn(
                "overfitting",
                "It learns the examples by heart: the loss on examples put aside rises while "
                "the training loss falls. The best state so far is kept.",
            )

    def _score_replay(self) -> float | None:
        """Loss on the base's own answers, once before and then at the end of each epoch."""
        position = self._position
        due = position.step in (0, self.steps) or position.step % self.steps_per_epoch == 0
        if not self._data.replay or not due:
            return None
        loss, _ = self._replay.score(range(len(self._data.replay)))
        if position.replay_first is None:
            position.replay_first = loss
        position.replay_last = loss
        if loss > position.replay_first + FORGETTING:
            self._warn(
                "forgetting",
                "It forgets what the base could do: general questions are answered "
                "differently than before. Mix in general examples, or train more gently.",
            )
        return loss

    def _warn(self, name: str, text: str) -> None:
        if name not in self._position.warnings:
            self._position.warnings.append(name)
            self._watcher.note(
                {"kind": "warning", "step": self._position.step, "name": name, "text": text}
            )

    def _outcome(self) -> Outcome:
        best = self._best if self._best is not None else self._checkpoints.best()
        if best is None:
            raise TrainingFailed("The training ended before anything was learnt.")
        if not self._position.best_step:
            raise TrainingFailed(
                "Nothing was gained: the examples put aside were never answered better than "
                "before.",
                hint="Look at the examples, or train longer or at another learning rate.",
            )
        self._tuned.load(best)
        loss, exact = self._judge() if self._data.heldout else (0.0, 0.0)
        self._tick()
        return Outcome(self._position, self.steps, dict(best), loss, exact)

    # --- checkpoints -------------------------------------------------------------------

    def _save(self) -> None:
        self._tick()
        optimizer: dict[str, Tensor] = {}
        for name, parameter in self._parameters.items():
            for key, value in self._optimizer.state.get(parameter, {}).items():
                optimizer[f"{key}/{name}"] = value
        optimizer["rng"] = torch.get_rng_state()
        best = None if self._best_saved else self._best
        self._checkpoints.save(self._position, self._tuned.adapter(), optimizer, best)
        self._best_saved = True
        self._saved_at = time.monotonic()

    def _load_optimizer(self, saved: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(saved["rng"])
        for name, parameter in self._parameters.items():
            state = {
                key: saved[f"{key}/{name}"]
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{key}/{name}" in saved
            }
            if state:
                self._optimizer.state[parameter] = state


def _spread(examples: Sequence[Tokenized], most: int) -> list[int]:
    """At most so many rows of the examples: evenly spread, always the same."""
    count, wanted = len(examples), min(len(examples), most)
    return [at * count // wanted for at in range(wanted)]
