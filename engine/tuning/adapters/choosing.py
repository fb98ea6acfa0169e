"""Which adapters answer a question, and how it is worded for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from engine.answers.generation import AdapterUse, Prompt
from engine.answers.tuned import AdapterChoice, FindModel
from engine.errors import InvalidInput, ModelUnavailable
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.types import TASK_KINDS, Example, TaskKind
from engine.tuning.prompting import prompt_of
from engine.work.api import AdapterCard, AskSpec, ModelCard

MOST_AT_ONCE = 4


class Chooser:
    """The registry's side of `engine.answers.tuned.AdapterChooser`.

    Args:
        registry: the adapters.
    """

    def __init__(self, registry: AdapterRegistry) -> None:
        self._registry = registry

    def choose(self, spec: AskSpec, find: FindModel) -> tuple[ModelCard, AdapterChoice]:
        """See `AdapterChooser`."""
        if spec.adapter == "none" and not spec.mix:
            return find(spec.model), AdapterChoice()
        named = self._named(spec)
        if not named:
            model = find(spec.model)
            enabled = self._registry.enabled_for(model.sha256)
            usable = [(card, card.scale) for card in enabled if not card.problem]
            left = [card.name for card in enabled if card.problem]
            notice = (
                f"Without the adapter {', '.join(left)}, which cannot be used." if left else ""
            )
            return model, _choice(usable, notice)
        for card, _ in named:
            if card.problem and card.model:
                raise ModelUnavailable(
                    f"The adapter {card.name!r} cannot be used. {card.problem}",
                    hint="Choose another one, or none.",
                )
        first = named[0][0]
        model = find(spec.model) if spec.model else self._registry.model_of(first)
        for card, _ in named:
            _check_model(card, model)
        return model, _choice(named, "")

    def _named(self, spec: AskSpec) -> list[tuple[AdapterCard, float]]:
        if len(spec.mix) > MOST_AT_ONCE:
            raise InvalidInput(f"At most {MOST_AT_ONCE} adapters can be used at once.")
        if spec.mix and spec.adapter:
            raise InvalidInput("Name one adapter, or several with their scales, not both.")
        if spec.mix:
            return [(self._registry.find(one.adapter), one.scale) for one in spec.mix]
        return [(self._registry.find(spec.adapter), 1.0)] if spec.adapter else []


def _check_model(card: AdapterCard, model: ModelCard) -> None:
    if card.base_sha256 != model.sha256:
        raise InvalidInput(
            f"The adapter {card.name!r} was made for {card.base_name or 'another model'}, not "
            f"for {model.name}.",
            hint="Leave the model to the adapter, or choose another adapter.",
        )


def _choice(cards: Sequence[tuple[AdapterCard, float]], notice: str) -> AdapterChoice:
    if not cards:
        return AdapterChoice(notice=notice)
    only = len(cards) == 1 and cards[0][1] == 1.0
    return AdapterChoice(
        label=cards[0][0].id if only else " + ".join(f"{c.id}:{s:g}" for c, s in cards),
        uses=[AdapterUse(path=card.path, scale=scale) for card, scale in cards],
        tokens=sum(card.rank for card, _ in cards if card.method == "prompt"),
        prompt=_prompt([card for card, _ in cards]),
        notice=notice,
    )


def _prompt(cards: Sequence[AdapterCard]) -> Callable[[str], Prompt] | None:
    """How a question is worded for adapters of one task; None for questions and answers."""
    tasks = {card.task for card in cards}
    if len(tasks) != 1 or not tasks <= set(TASK_KINDS) or tasks == {"answers"}:
        return None
    task, labels = cast(TaskKind, tasks.pop()), cards[0].labels

    def worded(question: str) -> Prompt:
        return prompt_of(task, labels, Example(id="", input=question, output=""))

    return worded
