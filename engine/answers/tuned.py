"""Which model and adapters answer a question: what its spec says, what is set for the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from engine.answers.generation import AdapterUse, Prompt
from engine.errors import InvalidInput
from engine.work.api import AskSpec, ModelCard

FindModel = Callable[[str | None], ModelCard]


@dataclass(frozen=True)
class AdapterChoice:
    """Adapters for one answer.

    `label` is what the answer's report calls them, "" for none; `tokens` of the context that
    they take; `prompt`: how a question without documents is worded for them, None for as
    always.
    """

    label: str = ""
    uses: list[AdapterUse] = field(default_factory=list[AdapterUse])
    tokens: int = 0
    prompt: Callable[[str], Prompt] | None = None
    notice: str = ""


class AdapterChooser(Protocol):
    """Knows the adapters; see `engine.tuning.adapters.choosing`."""

    def choose(self, spec: AskSpec, find: FindModel) -> tuple[ModelCard, AdapterChoice]:
        """The model and its adapters for a question.

        Raises:
            InvalidInput: there is no such adapter, or it is for another model.
            ModelUnavailable: its file or its model is gone, or it cannot be used.
        """
        ...


class NoAdapters:
    """Where there are none: every question goes to the model as it is."""

    def choose(self, spec: AskSpec, find: FindModel) -> tuple[ModelCard, AdapterChoice]:
        """See `AdapterChooser`."""
        named = [one.adapter for one in spec.mix] or [spec.adapter]
        if named[0] not in ("", "none"):
            raise InvalidInput(f"There is no adapter {named[0]!r}.", hint="Use none.")
        return find(spec.model), AdapterChoice()
