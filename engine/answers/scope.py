"""Where and how one question is asked: what its spec says, what its conversation remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.answers import presets
from engine.errors import InvalidInput
from engine.settings import load_settings
from engine.store import conversations
from engine.store.db import Store
from engine.store.ledger import Ledger
from engine.work.api import AskSpec, Filter, Preset

MAX_QUESTION_CHARACTERS = 20_000
MOST_LIBRARIES = 32
SOME_GONE = "A library of this conversation is gone: only the others were searched."


@dataclass(frozen=True)
class Scope:
    """What a question is asked of. `libraries` is empty exactly when the mode is "none"."""

    mode: Literal["auto", "joint", "token", "sequence", "none"]
    libraries: list[str] = field(default_factory=list[str])
    filter: Filter = field(default_factory=Filter)
    preset: Preset | None = None
    notice: str = ""


def resolve(store: Store, spec: AskSpec) -> Scope:
    """Fill in what the spec leaves open.

    A spec that names a library means just what it says. One that names none goes on where
    its conversation was: the same libraries, and the same files unless it has a filter of
    its own.

    Raises:
        InvalidInput: the question, the conversation or the turn to replace is not one, the
            libraries are gone, or there is no such preset.
    """
    _check(spec)
    kept = None
    if spec.conversation:
        kept = conversations.remembered(store, spec.conversation)
    if spec.replaces is not None:
        if not spec.conversation:
            raise InvalidInput(
                "Only a question of a conversation can be replaced.",
                hint="Name the conversation it belongs to.",
            )
        conversations.check_turn(store, spec.conversation, spec.replaces)
    preset = _preset(store, spec, kept.preset if kept is not None else None)
    if spec.mode == "none":
        return Scope("none", preset=preset)
    named = [spec.library, *spec.libraries] if spec.library else spec.libraries
    if named:
        return Scope(spec.mode, _ids(store, named), spec.filter, preset)
    if kept is not None and kept.libraries:
        libraries = _still_there(store, kept.libraries)
        chosen = kept.filter if spec.filter.empty() else spec.filter
        notice = SOME_GONE if len(libraries) < len(kept.libraries) else ""
        return Scope(spec.mode, libraries, chosen, preset, notice)
    if spec.mode != "auto":
        raise InvalidInput(
            f"Mode {spec.mode} needs a library.", hint="Name one, or use mode none."
        )
    return Scope("none", preset=preset)


def _check(spec: AskSpec) -> None:
    """Refuse what is no question before anything is done for it."""
    if not spec.question.strip():
        raise InvalidInput("The question is empty.", hint="Type a question.")
    if len(spec.question) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(spec.question)} characters; "
            f"{MAX_QUESTION_CHARACTERS} are allowed.",
            hint="Ask a shorter question.",
        )
    if spec.top is not None and not 1 <= spec.top <= 50:
        raise InvalidInput("The number of passages must be from 1 to 50.")
    if spec.max_tokens < 1:
        raise InvalidInput("An answer needs at least one token.")
    if spec.seed is not None and spec.seed < 0:
        raise InvalidInput("A seed is a number from 0 up.")
    if len(spec.libraries) >= MOST_LIBRARIES:
        raise InvalidInput(f"At most {MOST_LIBRARIES} libraries can be asked at once.")


def _preset(store: Store, spec: AskSpec, kept: str | None) -> Preset | None:
    """The preset asked for, or else the conversation's, or for a new one the default.

    One that was chosen earlier and has since been removed counts as none.
    """
    if spec.preset is not None:
        return presets.find(store, spec.preset) if spec.preset else None
    wanted = load_settings(store.home).preset if kept is None else kept
    known = {preset.id: preset for preset in presets.list_all(store)} if wanted else {}
    return known.get(wanted)


def _ids(store: Store, references: list[str]) -> list[str]:
    """Ids of libraries given by id or name, each once; what is unknown, search refuses."""
    ledger = Ledger(store)
    found = [(ledger.find(one), one) for one in references]
    ids = [one if record is None else record.library_id for record, one in found]
    return list(dict.fromkeys(ids))


def _still_there(store: Store, references: list[str]) -> list[str]:
    """Those of a conversation's libraries that there still are.

    Raises:
        InvalidInput: none of them is left.
    """
    ledger = Ledger(store)
    records = [record for one in references if (record := ledger.find(one)) is not None]
    if not records:
        raise InvalidInput(
            "The library of this conversation is gone. What was said is kept.",
            hint="Choose another library for the next question.",
        )
    return list(dict.fromkeys(record.library_id for record in records))
