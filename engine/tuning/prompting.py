"""How an example is worded: the one place for training, proving, serving and comparing.

It gives the very `Prompt` the generator is given when it answers, so that a model is asked
what it was taught to be asked.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import replace

from engine.answers.generation import Part, Prompt, Turn
from engine.answers.prompts import Exchange, Wording, build_prompt, wording
from engine.paths import resources_dir
from engine.tuning.datasets.types import Example, TaskKind

_WITH_LABELS: frozenset[TaskKind] = frozenset(("classification", "entities", "fields"))


def wording_of(task: TaskKind, with_context: bool = False) -> tuple[str, Wording]:
    """Name and texts of the prompt of a task, from `resources/prompts`."""
    if task == "answers":
        name = "passages" if with_context else "none"
    else:
        name = task
    return name, wording(name)


def wording_version(task: TaskKind) -> str:
    """What names the wording a model was tuned with, such as "passages-1 none-1"."""
    names = [wording_of(task, True)]
    if task == "answers":
        names.append(wording_of(task, False))
    return " ".join(f"{name}-{words.version}" for name, words in names)


def prompt_of(
    task: TaskKind, labels: Sequence[str], example: Example, tell_labels: bool = False
) -> Prompt:
    """The prompt of an example; its texts are untrusted parts.

    Args:
        task: what kind of example it is.
        labels: the dataset's labels or fields.
        example: its own `system` stands in place of the task's.
        tell_labels: list the labels in the system message, as an untuned model needs it.
    """
    name, words = wording_of(task, bool(example.context))
    if example.system:
        words = replace(words, preset=example.system)
    context = [example.context] if example.context else []
    history = [Exchange(said.question, said.answer) for said in example.history]
    prompt = build_prompt(words, example.input, context, history)
    if tell_labels and labels and task in _WITH_LABELS:
        return _with_labels(prompt, name, labels)
    return prompt


def messages(
    task: TaskKind, labels: Sequence[str], example: Example, tell_labels: bool = False
) -> tuple[list[tuple[str, str]], str]:
    """The chat turns of an example as (role, text), and the answer the model should write.

    For showing, counting and exporting: what may become a control token is known to the
    parts of `prompt_of` alone.
    """
    prompt = prompt_of(task, labels, example, tell_labels)
    turns = [(turn.role, "".join(part.text for part in turn.content)) for turn in prompt.turns]
    return [(str(role), text) for role, text in turns], example.output


def _with_labels(prompt: Prompt, name: str, labels: Sequence[str]) -> Prompt:
    before, _, after = _labels_form(name).partition("{labels}")
    told = [Part(text=before, trusted=True), Part(text=", ".join(labels))]
    if after:
        told.append(Part(text=after, trusted=True))
    system = prompt.turns[0]
    turns = [Turn(role=system.role, content=[*system.content, *told]), *prompt.turns[1:]]
    plain = [*told, Part(text="\n\n", trusted=True), *prompt.plain]
    return prompt.model_copy(update={"turns": turns, "plain": plain})


@functools.cache
def _labels_form(name: str) -> str:
    path = resources_dir() / "prompts" / f"{name}.toml"
    return str(tomllib.loads(path.read_text("utf-8"))["labels"])
