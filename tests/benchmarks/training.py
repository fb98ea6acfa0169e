"""Our training against a plain one: transformers' Trainer with peft, float32, batch 4.

The same base, rank, examples and tokens; the plain one pads its batches, computes all scores
and adapts every layer. Measured is the wall time our loop needs, evaluations included, to
reach the held-out loss that the plain one has after its last epoch; the plain one's time is its
training alone. Each runs in a process of its own, so that its memory peak is its own.

Environment: TRAINING_EXAMPLES (training examples of each intent, 40), TRAINING_INTENTS (20),
TRAINING_EPOCHS (3), TRAINING_MODEL (a GGUF file; default: the starter).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from engine import hardware
from engine.answers.tokenizing import Tokenizer
from engine.files import sha256_file
from engine.paths import Home, starter_dir
from engine.tuning.bases import Base, load_base, prepare_base
from engine.tuning.datasets.types import Example
from engine.tuning.training import planning
from engine.tuning.training.loop import Asked, Training, TrainingData
from engine.tuning.training.packs import tokenize
from engine.tuning.training.scoring import Scored
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned, lora_modules
from engine.work.api import TuneSpec
from tests.conftest import ROOT

PER_INTENT = int(os.environ.get("TRAINING_EXAMPLES", "40"))
INTENTS = int(os.environ.get("TRAINING_INTENTS", "20"))
HELDOUT_PER_INTENT = 5
EPOCHS = int(os.environ.get("TRAINING_EPOCHS", "3"))
RANK, ALPHA = 16, 32
PLAIN_RATE = 2e-4
"""The learning rate of peft's own LoRA examples."""
CORPUS = ROOT.parent / "shared" / "corpora" / "tuning" / "clinc150" / "data_full.json"


def model_file() -> Path:
    """The GGUF file that is trained."""
    chosen = os.environ.get("TRAINING_MODEL")
    return Path(chosen) if chosen else starter_dir() / "SmolLM2-135M-Instruct.Q4_1.gguf"


def examples() -> tuple[list[str], list[Example], list[Example]]:
    """Labels, training and held-out examples of the first intents."""
    data = json.loads(CORPUS.read_text("utf-8"))
    labels = sorted({label for _, label in data["train"]})[:INTENTS]
    sides: list[list[Example]] = []
    for part, count in (("train", PER_INTENT), ("val", HELDOUT_PER_INTENT)):
        taken = dict.fromkeys(labels, 0)
        rows: list[Example] = []
        for text, label in data[part]:
            if label in taken and taken[label] < count:
                taken[label] += 1
                rows.append(Example(id=str(len(rows)), input=text, output=label))
        sides.append(rows)
    return labels, sides[0], sides[1]


def load(folder: Path) -> tuple[Base, TrainingData]:
    """The converted base and the tokenized examples."""
    path = model_file()
    base = prepare_base(Home(folder / "home").create(), path, sha256_file(path))
    labels, train, heldout = examples()
    with Tokenizer(path) as tokenizer:
        made = [
            tokenize(tokenizer, "classification", labels, side) for side in (train, heldout)
        ]
    return base, TrainingData(made[0], made[1], made[1])


@contextlib.contextmanager
def all_cores() -> Iterator[int]:
    yield hardware.cpu().cores


def peak_mb() -> float:
    """The most memory this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def heldout_loss(model: Any, base: Base, data: TrainingData) -> float:
    """Held-out loss of a model with a LoRA, scored as our own loop does."""
    tuned = Tuned(base, Settings(rank=RANK, alpha=ALPHA), {})
    from peft import get_peft_model_state_dict

    tuned.load({n: t.detach() for n, t in get_peft_model_state_dict(model).items()})
    return Scored(tuned, data.heldout, all_cores, None).score(range(len(data.heldout)))[0]


def train_plain(folder: Path) -> dict[str, Any]:
    """Trainer and peft as their documentation shows them."""
    from peft import LoraConfig, get_peft_model
    from transformers import Trainer, TrainingArguments

    base, data = load(folder)
    model = load_base(base)
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=lora_modules(model), task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, config)
    rows = [
        {"ids": list(one.ids), "labels": [-100] * one.answer + list(one.ids[one.answer :])}
        for one in data.train
    ]

    def collate(batch: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        longest = max(len(one["ids"]) for one in batch)

        def padded(key: str, value: int) -> torch.Tensor:
            return torch.tensor(
                [one[key] + [value] * (longest - len(one[key])) for one in batch]
            )

        ids = padded("ids", 0)
        real = torch.tensor(
            [[1] * len(one["ids"]) + [0] * (longest - len(one["ids"])) for one in batch]
        )
        return {"input_ids": ids, "attention_mask": real, "labels": padded("labels", -100)}

    arguments = TrainingArguments(
        output_dir=str(folder / "plain"),
        per_device_train_batch_size=4,
        num_train_epochs=EPOCHS,
        learning_rate=PLAIN_RATE,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=True,
        seed=0,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collate)
    begun = time.perf_counter()
    trainer.train()
    seconds, peak = time.perf_counter() - begun, peak_mb()
    return {"seconds": seconds, "loss": heldout_loss(model, base, data), "peak_mb": peak}


class _Record:
    """Keeps the evaluations of our loop."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def asked(self) -> Asked:
        return ""

    def note(self, entry: dict[str, Any]) -> None:
        if entry["kind"] == "evaluation":
            self.lines.append(entry)

    def rewind(self, step: int) -> None:
        self.lines.clear()


def train_ours(folder: Path) -> dict[str, Any]:
    """Our own loop, with the settings it chooses by itself except rank and epochs."""
    base, data = load(folder)
    config = json.loads((base.folder / "config.json").read_text("utf-8"))
    layers = int(config["num_hidden_layers"])
    spec = TuneSpec(dataset="clinc150", name="bench", rank=RANK, epochs=EPOCHS)
    settings = planning.first_settings(spec, data.train, layers)
    speed = planning.measure(base, settings, data, all_cores)
    tuned = Tuned(base, settings, {})
    trained = sum(parameter.numel() for parameter in tuned.parameters().values())
    planned = planning.estimate(settings, data, speed, base, trained)
    record = _Record()
    outcome = Training(tuned, data, folder / "ours", all_cores, record).run()
    return {
        "lines": record.lines,
        "seconds": outcome.position.seconds,
        "planned": planned.seconds,
        "loss": outcome.heldout_loss,
        "exact": outcome.heldout_exact,
        "peak_mb": peak_mb(),
    }


def in_child(what: str, folder: Path) -> dict[str, Any]:
    """Run one of the two in a process of its own."""
    (folder / "ours").mkdir(exist_ok=True)
    into = folder / f"{what}.json"
    command = [sys.executable, "-m", "tests.benchmarks.training", what, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return json.loads(into.read_text("utf-8"))


def main() -> list[dict[str, Any]]:
    """Both trainings and what they say of each other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load(folder)  # converted once, in nobody's time
        plain, ours = in_child("plain", folder), in_child("ours", folder)
    reached = [one["seconds"] for one in ours["lines"] if one["heldout_loss"] <= plain["loss"]]
    count = f"{INTENTS} × {PER_INTENT} examples"
    error = abs(ours["planned"] - ours["seconds"]) / ours["seconds"]
    return [
        {
            "name": f"plain Trainer + peft, {EPOCHS} epochs",
            "value": plain["seconds"],
            "unit": "s",
            "note": f"{count}, held-out loss {plain['loss']:.3f}",
        },
        {
            "name": f"ours, {EPOCHS} epochs",
            "value": ours["seconds"],
            "unit": "s",
            "note": f"held-out loss {ours['loss']:.3f}, {ours['exact']:.1%} to the letter",
        },
        {
            "name": "ours to the plain one's held-out loss",
            "value": reached[0] / plain["seconds"] if reached else "not reached",
            "unit": "of its time",
            "note": "goal: at most a third",
        },
        {"name": "memory peak, plain", "value": plain["peak_mb"], "unit": "MB"},
        {"name": "memory peak, ours", "value": ours["peak_mb"], "unit": "MB"},
        {
            "name": "error of the estimate",
            "value": 100 * error,
            "unit": "%",
            "note": "goal: at most 20 %",
        },
    ]


if __name__ == "__main__":
    chosen, place = sys.argv[1], Path(sys.argv[2])
    figures = train_plain(place) if chosen == "plain" else train_ours(place)
    (place / f"{chosen}.json").write_text(json.dumps(figures), "utf-8")
