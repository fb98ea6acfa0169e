"""Base and tuned answers side by side, on examples that nothing was learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InvalidInput
from engine.work import api
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:
    from engine.answers.generation import AdapterUse, Prompt
    from engine.host.parts import Parts
    from engine.tuning.datasets.types import Example

_MOST_TOKENS = 256


@dataclass(frozen=True)
class _Sides:
    """What is compared: a model as it is, and the same or another one with adapters."""

    base: api.ModelCard
    tuned: api.ModelCard
    use: list[AdapterUse]
    dataset: str


def compare_answers(
    parts: Parts, spec: api.CompareAdapterSpec, job: Job = NULL_JOB
) -> api.AdapterComparison:
    """Answer held-out examples of the dataset without and with what was learnt from it.

    Every pair is also said as the event "row" (an AnswerPair) as soon as it is there. The
    model as it is gets the list of labels where there is one, as it cannot know them.

    Raises:
        InvalidInput: there is no such adapter or run, or nothing of its dataset is held out.
        ModelUnavailable, NotEnoughMemory, WorkerCrashed: a model cannot answer.
        Cancelled: `job` was cancelled.
    """
    from engine.tuning.datasets.storing import load_dataset
    from engine.tuning.prompting import prompt_of

    sides = _sides(parts, spec)
    dataset = load_dataset(parts.home, parts.store, sides.dataset)
    held = dataset.examples("heldout")
    if not held:
        raise InvalidInput(f"Nothing of {dataset.name} is held out to compare with.")
    count = min(spec.rows, len(held))
    chosen = [held[at * len(held) // count] for at in range(count)]
    plain = [prompt_of(dataset.task, dataset.labels, one, tell_labels=True) for one in chosen]
    before: list[str] = []
    if sides.tuned.id != sides.base.id:  # one model at a time is loaded
        before = [_answer(parts, sides.base, prompt, [], job) for prompt in plain]
    rows: list[api.AnswerPair] = []
    for number, one in enumerate(chosen):
        job.progress(number, count, "comparing")
        base = before[number] if before else _answer(parts, sides.base, plain[number], [], job)
        taught = prompt_of(dataset.task, dataset.labels, one)
        tuned = _answer(parts, sides.tuned, taught, sides.use, job)
        rows.append(_pair(one, base, tuned))
        job.emit("row", rows[-1].model_dump(mode="json"))
    return api.AdapterComparison(rows=rows, heldout=len(held))


def _sides(parts: Parts, spec: api.CompareAdapterSpec) -> _Sides:
    from engine.answers.generation import AdapterUse

    adapter = spec.adapter
    if spec.run:
        run = parts.tuning.runs.find(spec.run)
        if run.report is None:
            raise InvalidInput(f"{run.name} is not over; there is nothing to compare yet.")
        adapter = run.report.adapter
        if run.method == "full":
            find = parts.models.find
            return _Sides(find(run.model), find(adapter), [], run.dataset)
    card = parts.adapters.find(adapter)
    model = parts.adapters.registry.model_of(card)
    return _Sides(model, model, [AdapterUse(path=card.path, scale=1.0)], card.dataset)


def _answer(
    parts: Parts, model: api.ModelCard, prompt: Prompt, adapters: list[AdapterUse], job: Job
) -> str:
    from engine.answers.generation import Task

    job.checkpoint()
    task = Task(mode="none", prompts=[prompt], adapters=adapters, max_tokens=_MOST_TOKENS)
    # An answer at a time: between two of them a question can have the model.
    with parts.generator.using(model, job) as generator:
        return generator.generate(task, job).text.strip()


def _pair(example: Example, base: str, tuned: str) -> api.AnswerPair:
    right = _plain(example.output)
    return api.AnswerPair(
        id=example.id,
        input=example.input,
        expected=example.output,
        base=base,
        tuned=tuned,
        base_right=_plain(base) == right,
        tuned_right=_plain(tuned) == right,
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
