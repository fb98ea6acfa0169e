"""Comparisons as the host and the command line use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.answers.tuned import AdapterChoice
from engine.errors import InvalidInput
from engine.files import sha256_file
from engine.work import api
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:
    from engine.compare.answering import Arm
    from engine.host.parts import Parts


class Comparing:
    """Runs comparisons and shows their rows.

    Args:
        parts: the engine's parts.
        on_changed: told when the list of comparisons is stale.
    """

    def __init__(self, parts: Parts, on_changed: Callable[[list[str]], None]) -> None:
        self._parts = parts
        self._on_changed = on_changed

    def run(self, spec: api.CompareSpec, job: Job = NULL_JOB) -> api.CompareReport:
        """Let arms answer an exam; see `compare`.

        Raises:
            InvalidInput: there is no such exam, dataset, model or adapter.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: a model cannot be run.
            Cancelled: `job` was cancelled; what was answered is kept for the next call.
        """
        from engine.compare.comparing import ask_what, compare

        parts = self._parts
        asked = ask_what(parts.home, parts.store, spec)
        arms = self._arms(spec, asked.task)
        job.progress(0, 0, f"Loading {arms[0].card.name}")
        parts.generator.load(arms[0].card, job)
        report = compare(parts.home, parts.generator, parts.idle, asked, arms, spec.seed, job)
        self._on_changed(["comparisons"])
        return report

    def rows(self, spec: api.CompareRowsSpec) -> api.AnsweredRows:
        """A page of rows side by side; see `compared_rows`."""
        from engine.compare.comparing import compared_rows

        return compared_rows(self._parts.home, spec)

    def _arms(self, spec: api.CompareSpec, task: api.TaskKind) -> list[Arm]:
        from engine.compare.answering import Arm

        if not spec.arms or len(set(spec.arms)) != len(spec.arms):
            raise InvalidInput("Name at least one arm, and each only once.")
        wanted = self._adapter(spec) if "tuned" in spec.arms else "none"
        ask = api.AskSpec(question="", adapter=wanted, model=spec.model or None)
        card, choice = self._parts.adapters.chooser.choose(ask, self._parts.models.find)
        if "tuned" in spec.arms and not choice.uses:
            raise InvalidInput(
                f"There is no adapter for {card.name} to compare with. {choice.notice}".strip(),
                hint="Name one with --adapter, or tune one first.",
            )
        size = Path(card.path).stat().st_size
        arms: list[Arm] = []
        for name in spec.arms:
            if name == "base":
                arms.append(Arm("base", card, [], disk_bytes=size, tell_labels=True))
            else:
                arms.append(_tuned(card, choice, size))
        self._check_task(wanted, task)
        return arms

    def _adapter(self, spec: api.CompareSpec) -> str:
        """The adapter of the arm tuned; "" for what is enabled."""
        if spec.adapter or not spec.dataset:
            return spec.adapter
        dataset = self._parts.datasets.find(spec.dataset).id
        cards = self._parts.adapters.list().adapters  # the newest first
        fitting = (card.id for card in cards if card.dataset == dataset and not card.problem)
        return next(fitting, "")

    def _check_task(self, adapter: str, task: api.TaskKind) -> None:
        if adapter in ("", "none"):
            return
        card = self._parts.adapters.find(adapter)
        if card.task and card.task != task:
            raise InvalidInput(
                f"The adapter {card.name!r} was tuned for {card.task}, the exam is for {task}.",
                hint="Choose an exam of the same kind.",
            )


def _tuned(card: api.ModelCard, choice: AdapterChoice, size_bytes: int) -> Arm:
    from engine.compare.answering import Arm

    files = [Path(use.path) for use in choice.uses]
    return Arm(
        "tuned",
        card,
        choice.uses,
        adapter=choice.label,
        adapter_sha256=" ".join(map(sha256_file, files)),
        disk_bytes=size_bytes + sum(file.stat().st_size for file in files),
    )
