"""The scripted host's tuning: datasets in memory, runs that move as they are looked at."""

from __future__ import annotations

import math
import os
import time
from typing import Any

from engine.errors import InvalidInput, ModelUnavailable, TrainingFailed
from engine.work import api
from engine.work.jobs import Job

INTENTS = ("freeze account", "change pin", "card declined", "order cheques", "bill due")
STEPS = 420
MOMENT = "2026-05-03T14:02:00+00:00"


def dataset(number: int, name: str, task: api.TaskKind, rows: int) -> api.DatasetRow:
    return api.DatasetRow(
        id=f"set{number}",
        name=name,
        task=task,
        source=f"{name}.csv",
        rows=rows,
        train=rows - rows // 10,
        heldout=rows // 10,
        labels=list(INTENTS) if task == "classification" else [],
        sha256=f"{number}" * 64,
        seed=0,
        size_bytes=rows * 90,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def example(number: int) -> api.ExampleRow:
    label = INTENTS[number % len(INTENTS)]
    return api.ExampleRow(
        id=f"row{number}",
        input=f"Customer {number}: could you please {label} for me, it is urgent",
        output=label,
        split="heldout" if number % 10 == 9 else "train",
    )


def parity() -> api.ParityReport:
    return api.ParityReport(
        kl=0.004,
        top1=0.993,
        effect_kl=1.9,
        served_effect_kl=1.9,
        untuned_kl=0.002,
        mismatch=0.01,
        ending=1.0,
        prompts=40,
        tokens=400,
        passed=True,
    )


def adapter(number: int, name: str, **more: Any) -> api.AdapterCard:
    fields: dict[str, Any] = {
        "id": f"adapter{number}",
        "name": name,
        "base_sha256": "0" * 64,
        "base_name": "Qwen2.5 1.5B",
        "architecture": "qwen2",
        "rank": 16,
        "layers": 12,
        "task": "classification",
        "labels": list(INTENTS),
        "dataset": "set1",
        "dataset_name": "Bank intents",
        "metrics": {"heldout_before": 3.21, "heldout_loss": 0.94, "heldout_exact": 0.86},
        "parity": parity(),
        "proof": "proven",
        "created": MOMENT,
        "model": "model1",
        "size_bytes": 18_400_000,
        **more,
    }
    return api.AdapterCard.model_validate(fields)


def plan(spec: api.TuneSpec, fits: bool = True) -> api.TunePlan:
    return api.TunePlan(
        model="model1",
        model_name="Qwen2.5 1.5B",
        method=spec.method,
        examples=1312,
        heldout=131,
        left_out=2,
        epochs=3,
        steps=STEPS,
        layers=12,
        layers_of=28,
        rank=16,
        max_tokens=512,
        learning_rate=2e-4,
        precision="bf16",
        seconds=60 * min(spec.minutes or 45, 21),
        tokens_per_second=1240,
        memory_bytes=3_100_000_000 if fits else 64_000_000_000,
        disk_bytes=410_000_000,
        memory_available_bytes=9_000_000_000,
        fits=fits,
        methods=[
            api.MethodView(method="lora", fits=True),
            api.MethodView(method="prompt", fits=True),
            api.MethodView(
                method="full",
                fits=bool(os.environ.get("FULL")),
                why="" if os.environ.get("FULL") else "It would need 24 GB of memory.",
            ),
        ],
    )


def curve(steps: int) -> list[dict[str, Any]]:
    """Metrics as a training writes them: noisy training loss, held-out loss now and then."""
    lines: list[dict[str, Any]] = []
    for step in range(steps + 1):
        smooth = 0.72 + 2.4 * math.exp(-step / 70)
        if step:
            noise = 0.14 * math.sin(step * 12.9898) * math.cos(step * 4.1)
            lines.append(
                {"kind": "step", "step": step, "loss": smooth + noise, "epoch": step / 140}
            )
        if step % 30 == 0:
            lines.append({"kind": "evaluation", "step": step, "heldout_loss": smooth + 0.16})
    return lines


class TuningSide:
    """A run moves `RUN_STEPS` steps each time it is looked at, and ends after `STEPS`.

    A dataset called "weak" fails to train, a model "model0" does not fit, a file called
    "broken" cannot be read, one called "odd" has its columns the wrong way round.
    """

    models: list[api.ModelCard]

    def changed(self, *what: str) -> None:
        raise NotImplementedError

    def begin_tuning(self, full: bool) -> None:
        self.datasets = (
            [
                dataset(1, "Bank intents", "classification", 1312),
                dataset(2, "House style", "instruction", 84),
            ]
            if full
            else []
        )
        self.examples = {one.id: [example(n) for n in range(one.rows)] for one in self.datasets}
        self.adapters = (
            [
                adapter(1, "Bank intents", enabled=True),
                adapter(
                    2,
                    "House style",
                    task="instruction",
                    stale="3 of its documents changed.",
                    metrics={"heldout_before": 2.4, "heldout_loss": 1.71},
                ),
                adapter(
                    3,
                    "Brought along",
                    parity=None,
                    proof="none",
                    dataset_name="",
                    metrics={},
                    task="",
                ),
            ]
            if full
            else []
        )
        self.runs: list[api.RunView] = []
        self.lines: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, Any]] = []
        if full and os.environ.get("RUN"):
            spec = api.TuneSpec(dataset="set1", name="Bank intents", model="model1")
            self.runs.append(self.new_run(spec, int(os.environ["RUN"])))

    # --- datasets -------------------------------------------------------------------------

    def find_dataset(self, ref: str) -> api.DatasetRow:
        found = [one for one in self.datasets if ref in (one.id, one.name)]
        if not found:
            raise InvalidInput(f"There is no dataset {ref!r}.")
        return found[0]

    def preview(self, spec: api.ImportSpec, job: Job) -> api.View:
        if "broken" in spec.path:
            raise InvalidInput("This file holds no examples.", hint="Choose another file.")
        columns = {"input": "text", "output": "intent"}
        if "odd" in spec.path:
            columns = {"input": "intent", "output": "text"}
        columns.update(spec.columns)
        return api.ImportPreview(
            path=spec.path,
            format="CSV",
            task=spec.task or "classification",
            confidence=1.0,
            columns=columns,
            available=["text", "intent", "channel"],
            rows=48,
            train=43,
            heldout=5,
            labels=list(INTENTS),
            parts={},
            first=[example(n) for n in range(10)],
            broken=[api.BrokenRow(line=7, reason="The label is empty.")],
            broken_total=1,
            warnings=[],
        )

    def import_examples(self, spec: api.ImportSpec, job: Job) -> api.View:
        name = spec.name or os.path.splitext(os.path.basename(spec.path))[0]
        row = dataset(len(self.datasets) + 1, name, spec.task or "classification", 48)
        self.datasets.insert(0, row)
        self.examples[row.id] = [example(n) for n in range(48)]
        self.asked.append(("import", spec.columns))
        self.changed("datasets")
        return self.imported(row, 48)

    def imported(self, row: api.DatasetRow, added: int) -> api.ImportReport:
        return api.ImportReport(
            dataset=row.id,
            name=row.name,
            task=row.task,
            rows=row.rows,
            train=row.train,
            heldout=row.heldout,
            labels=row.labels,
            added=added,
            broken=[],
            broken_total=0,
            warnings=[],
        )

    def from_feedback(self, spec: Any, job: Job) -> api.View:
        row = dataset(9, "From conversations", "answers", 3)
        self.datasets.insert(0, row)
        self.examples[row.id] = [example(n) for n in range(3)]
        self.changed("datasets")
        return self.imported(row, 3)

    def rows(self, spec: api.RowsSpec, job: Job) -> api.View:
        found = [
            one
            for one in self.examples[self.find_dataset(spec.dataset).id]
            if (not spec.ids or one.id in spec.ids) and spec.search in one.input
        ]
        return api.RowsPage(
            total=len(found), rows=found[spec.offset : spec.offset + spec.limit]
        )

    def edit_row(self, spec: api.EditRowSpec, job: Job) -> api.View:
        row = self.find_dataset(spec.dataset)
        rows = [one for one in self.examples[row.id] if one.id not in spec.remove]
        changed: api.ExampleRow | None = None
        if not spec.remove:
            changed = next((one for one in rows if one.id == spec.id), None)
            if changed is None:
                changed = api.ExampleRow(id=f"new{len(rows)}", input="", output="")
                rows.insert(0, changed)
            changed.input, changed.output = spec.input or "", spec.output or ""
            changed.split = spec.split or changed.split
        self.examples[row.id] = rows
        row.rows, row.updated_at = len(rows), f"{MOMENT}+{time.monotonic()}"
        self.changed("datasets")
        return api.EditReport(dataset=row, row=changed)

    def rename_dataset(self, spec: api.RenameDatasetSpec, job: Job) -> api.View:
        row = self.find_dataset(spec.dataset)
        row.name = spec.name
        self.changed("datasets")
        return row

    def remove_dataset(self, spec: api.DatasetRef, job: Job) -> api.View:
        row = self.find_dataset(spec.dataset)
        self.datasets.remove(row)
        self.changed("datasets")
        return row

    def check(self, spec: api.CheckSpec, job: Job) -> api.View:
        row = self.find_dataset(spec.dataset)
        findings = [
            api.Finding(
                kind="leakage",
                severity="error" if "weak" in row.name else "warning",
                sentence="2 held-out examples also stand among those that are learnt from.",
                advice="Move them to one side, or the test flatters the model.",
                count=2,
                rows=["row9", "row19"],
            ),
            api.Finding(
                kind="balance",
                severity="note",
                sentence="Some labels have three times as many examples as others.",
                advice="This is fine; add examples where answers turn out wrong.",
                count=0,
            ),
        ]
        bins = [(16, 620), (32, 540), (64, 120), (128, 30), (256, 2)]
        return api.DatasetCheck(
            dataset=row.id,
            rows=row.rows,
            train=row.train,
            heldout=row.heldout,
            findings=findings if row.id != "set2" else [],
            histogram=[api.TokenBin(up_to=up_to, rows=rows) for up_to, rows in bins],
            tokens=28_400,
            longest_tokens=212,
            tokens_by="Qwen2.5 1.5B",
            labels={},
            compared_by=["words", "meaning"],
        )

    # --- runs -----------------------------------------------------------------------------

    def plan(self, spec: api.TuneSpec, job: Job) -> api.View:
        for _ in range(int(os.environ.get("PLAN_TICKS", "3"))):
            job.checkpoint()
            time.sleep(0.02)
        if spec.method == "prompt" and spec.minutes == 13:
            raise ModelUnavailable("This model cannot be trained.", hint="Choose another one.")
        return plan(spec, fits=spec.model != "model0")

    def new_run(self, spec: api.TuneSpec, step: int = 0) -> api.RunView:
        run = api.RunView(
            id=f"run{len(self.runs) + 1}",
            name=spec.name,
            state="running",
            stage="training" if step else "preparing",
            dataset=spec.dataset,
            dataset_name=self.find_dataset(spec.dataset).name,
            model=spec.model,
            model_name="Qwen2.5 1.5B",
            method=spec.method,
            created=MOMENT,
            plan=plan(spec),
        )
        self.lines[run.id] = []
        self.move(run, step)
        return run

    def move(self, run: api.RunView, to: int) -> None:
        if not to:
            return
        run.stage, run.step, run.steps = "training", min(to, STEPS), STEPS
        self.lines[run.id] = curve(run.step)
        losses = [one for one in self.lines[run.id] if one["kind"] == "evaluation"]
        run.heldout_loss = run.best_loss = losses[-1]["heldout_loss"] if losses else None
        run.eta_s, run.seconds = (STEPS - run.step) * 5.4, run.step * 5.4
        run.tokens_per_second, run.memory_bytes = 1312.0, 3_100_000_000
        if "weak" in run.dataset_name and run.step > 60:
            run.state, run.stage = "failed", "ended"
            run.error = TrainingFailed(
                "The training ran away.", hint="Try fewer minutes.", details="loss nan"
            ).to_dict()
        elif run.step >= STEPS:
            self.end(run, "done")

    def end(self, run: api.RunView, state: api.RunState) -> None:
        run.state, run.stage, run.eta_s = state, "ended", 0.0
        whole = run.method == "full"
        if whole:
            made = self.models[0].model_copy(update={"id": "model9", "name": run.name})
            made.default = False
            self.models.append(made)
        else:
            made = adapter(len(self.adapters) + 1, run.name, run=run.id)
            self.adapters.insert(0, made)
        run.report = api.TuneReport(
            adapter=made.id,
            method=run.method,
            examples=1312,
            steps=run.step,
            seconds=run.seconds,
            tokens_per_second=1312,
            loss=api.TuneLoss(train=0.8, heldout=0.94, before=3.21),
            heldout_exact=0.86,
            parity=None if whole else parity(),
            run=run.id,
            ended="stopped" if state == "stopped" else "done",
            warnings=["overfitting"],
        )

    def find_run(self, ref: str) -> api.RunView:
        found = [one for one in self.runs if ref == one.id]
        if not found:
            raise InvalidInput(f"There is no run {ref!r}.")
        return found[0]

    def start(self, spec: api.TuneSpec, job: Job) -> api.View:
        run = self.new_run(spec)
        self.runs.insert(0, run)
        self.changed("runs")
        return run

    def list_runs(self, spec: Any, job: Job) -> api.View:
        return api.RunList(runs=self.runs)

    def show_run(self, spec: api.MetricsSpec, job: Job) -> api.View:
        run = self.find_run(spec.run)
        if run.state == "running":
            self.move(run, run.step + int(os.environ.get("RUN_STEPS", "40")))
        return api.RunMetrics(run=run, after=spec.after, lines=self.lines[run.id][spec.after :])

    def pause_run(self, spec: api.RunRef, job: Job) -> api.View:
        run = self.find_run(spec.run)
        if run.state != "running":
            raise InvalidInput(f"{run.name} does not run.")
        run.state, run.eta_s = "paused", None
        self.changed("runs")
        return run

    def resume_run(self, spec: api.RunRef, job: Job) -> api.View:
        run = self.find_run(spec.run)
        run.state = "running"
        self.move(run, max(1, run.step - 5))
        self.changed("runs")
        return run

    def stop_run(self, spec: api.RunRef, job: Job) -> api.View:
        run = self.find_run(spec.run)
        self.end(run, "stopped")
        self.changed("runs", "adapters")
        return run

    def remove_run(self, spec: api.RunRef, job: Job) -> api.View:
        run = self.find_run(spec.run)
        if run.state == "running":
            raise InvalidInput(f"{run.name} runs.")
        self.runs.remove(run)
        self.changed("runs")
        return api.Empty()

    # --- adapters -------------------------------------------------------------------------

    def find_adapter(self, ref: str) -> api.AdapterCard:
        return next(one for one in self.adapters if one.id == ref)

    def enable(self, spec: api.EnableAdapterSpec, job: Job) -> api.View:
        card = self.find_adapter(spec.adapter)
        if spec.on and spec.alone:
            for other in self.adapters:
                other.enabled = False
        card.enabled, card.scale = spec.on, spec.scale
        self.changed("adapters")
        return card

    def rename_adapter(self, spec: api.RenameAdapterSpec, job: Job) -> api.View:
        card = self.find_adapter(spec.adapter)
        card.name = spec.name
        self.changed("adapters")
        return card

    def remove_adapter(self, spec: api.AdapterRef, job: Job) -> api.View:
        self.adapters.remove(self.find_adapter(spec.adapter))
        self.changed("adapters")
        return api.Empty()

    def import_adapter(self, spec: api.ImportAdapterSpec, job: Job) -> api.View:
        if "broken" in spec.path:
            raise InvalidInput("This adapter fits none of your models.")
        name = os.path.basename(spec.path)
        card = adapter(len(self.adapters) + 1, name, proof="none", parity=None)
        self.adapters.insert(0, card)
        self.changed("adapters")
        return card

    def export_adapter(self, spec: api.ExportAdapterSpec, job: Job) -> api.View:
        return api.ExportedAdapter(path=spec.out, files=[spec.out], size_bytes=18_400_000)

    def compare(self, spec: api.CompareAdapterSpec, job: Job) -> api.View:
        rows = []
        if not spec.run and spec.adapter not in {card.id for card in self.adapters}:
            raise InvalidInput(f"There is no adapter {spec.adapter!r}.")
        for number in range(spec.rows):
            job.checkpoint()
            one = example(number * 10 + 9)
            rows.append(
                api.AnswerPair(
                    id=one.id,
                    input=one.input,
                    expected=one.output,
                    base="It sounds like the customer wants help with their account.",
                    tuned=one.output if number != 2 else INTENTS[0],
                    base_right=False,
                    tuned_right=number != 2,
                )
            )
            job.emit("row", rows[-1].model_dump(mode="json"))
            time.sleep(0.01)
        return api.AdapterComparison(rows=rows, heldout=131)

    def tuning_handlers(self) -> dict[str, Any]:
        return {
            "datasets.list": lambda spec, job: api.DatasetList(datasets=self.datasets),
            "datasets.preview": self.preview,
            "datasets.import": self.import_examples,
            "datasets.from_feedback": self.from_feedback,
            "datasets.rows": self.rows,
            "datasets.edit_row": self.edit_row,
            "datasets.rename": self.rename_dataset,
            "datasets.remove": self.remove_dataset,
            "datasets.check": self.check,
            "tune.plan": self.plan,
            "tune.start": self.start,
            "runs.list": self.list_runs,
            "runs.show": self.show_run,
            "runs.pause": self.pause_run,
            "runs.resume": self.resume_run,
            "runs.stop": self.stop_run,
            "runs.remove": self.remove_run,
            "adapters.list": lambda spec, job: api.AdapterList(adapters=self.adapters),
            "adapters.enable": self.enable,
            "adapters.rename": self.rename_adapter,
            "adapters.remove": self.remove_adapter,
            "adapters.import": self.import_adapter,
            "adapters.export": self.export_adapter,
            "adapters.compare": self.compare,
        }
