"""Conversations and presets as the window asks for them, by method name and plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.host.engine import handlers, typed
from engine.host.service import Engine
from engine.paths import Home
from engine.store import conversations
from engine.work.api import AnswerReport, Conversation, Timings, Tokens
from engine.work.jobs import NULL_JOB

Call = Callable[..., Any]


@pytest.fixture
def changed() -> list[str]:
    """Which views the host has called stale, in order."""
    return []


@pytest.fixture
def engine(home: Home, changed: list[str]) -> Iterator[Engine]:
    with Engine(home, on_changed=changed.extend) as one:
        yield one


@pytest.fixture
def call(engine: Engine) -> Call:
    methods = {name: typed(name, handler) for name, handler in handlers(engine).items()}
    return lambda method, **params: methods[method](params, NULL_JOB)


@pytest.fixture
def talk(engine: Engine) -> str:
    """A conversation of one turn."""
    report = AnswerReport(
        question="Hotel limit?",
        answer="130 EUR.",
        refused=False,
        citations=[],
        sentences=[],
        passages=[],
        mode="joint",
        model="tiny",
        timings=Timings(retrieve_ms=1, first_token_ms=2, total_ms=3),
        tokens=Tokens(prompt=4, generated=5),
    )
    return conversations.append(engine.store, None, report).conversation


def test_a_conversation_is_renamed_found_judged_and_exported(
    call: Call, talk: str, changed: list[str]
) -> None:
    assert call("conversations.rename", conversation=talk, title="Trip")["title"] == "Trip"
    judged = call(
        "conversations.feedback", conversation=talk, turn=1, verdict="down", correction="140."
    )
    assert judged["feedback"]["correction"] == "140."
    assert changed == ["conversations", "conversations"]
    (hit,) = call("conversations.search", query="140")["hits"]
    assert (hit["conversation"], hit["turn"], hit["title"]) == (talk, 1, "Trip")
    exported = call("conversations.export", conversation=talk, format="json")
    shown = call("conversations.show", conversation=talk)
    assert Conversation.model_validate_json(exported["text"]).model_dump() == shown
    version = call("conversations.version", conversation=talk, turn=1, version=1)
    assert version == shown["turns"][0]
    assert call("state")["conversations"][0]["title"] == "Trip"


def test_all_conversations_are_forgotten_at_once(
    call: Call, talk: str, changed: list[str]
) -> None:
    call("conversations.clear")
    assert call("conversations.list")["conversations"] == []
    assert changed == ["conversations"]
    with pytest.raises(InvalidInput, match="no conversation"):
        call("conversations.show", conversation=talk)


def test_presets_are_kept(call: Call, changed: list[str]) -> None:
    made = call("presets.save", name="Mine", system="Be kind.")
    changed_one = call("presets.save", id=made["id"], name="Mine", system="Be brief.")
    assert changed_one in call("presets.list")["presets"]
    call("presets.remove", preset=made["id"])
    assert all(preset["builtin"] for preset in call("presets.list")["presets"])
    assert changed == ["presets"] * 3
