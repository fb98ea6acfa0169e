"""What a question is asked of: its spec, its conversation's memory, the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.answers import presets
from engine.answers.scope import SOME_GONE, resolve
from engine.errors import InvalidInput
from engine.paths import Home
from engine.settings import Settings, save_settings
from engine.store import conversations
from engine.store.db import Store
from engine.store.ledger import Ledger
from engine.work.api import AnswerReport, AskSpec, Filter, Timings, Tokens

PDF = Filter(types=["PDF"])


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


@pytest.fixture
def papers(store: Store) -> str:
    return Ledger(store).create("Papers", "e", 1, 1).library_id


@pytest.fixture
def mail(store: Store) -> str:
    return Ledger(store).create("Mail", "e", 1, 1).library_id


def asked(store: Store, libraries: list[str], **more: Any) -> str:
    """A conversation whose last question was asked of these; gives its id."""
    report = AnswerReport(
        question="Who?",
        answer="She.",
        refused=False,
        citations=[],
        sentences=[],
        passages=[],
        mode="joint",
        model="m",
        timings=Timings(retrieve_ms=1, first_token_ms=2, total_ms=3),
        tokens=Tokens(prompt=4, generated=5),
        libraries=libraries,
        **more,
    )
    return conversations.append(store, None, report).conversation


def test_a_spec_that_names_libraries_means_what_it_says(
    store: Store, papers: str, mail: str
) -> None:
    kept = asked(store, [mail], filter=PDF)
    scope = resolve(store, AskSpec(question="x", library="papers", conversation=kept))
    assert (scope.mode, scope.libraries, scope.filter) == ("auto", [papers], Filter())
    both = AskSpec(question="x", library=papers, libraries=["MAIL", papers, mail])
    assert resolve(store, both).libraries == [papers, mail]
    assert resolve(store, AskSpec(question="x", library="unknown")).libraries == ["unknown"]


def test_a_conversation_goes_on_where_it_was(store: Store, papers: str, mail: str) -> None:
    kept = asked(store, [papers, mail], filter=PDF)
    scope = resolve(store, AskSpec(question="x", conversation=kept))
    assert (scope.libraries, scope.filter, scope.notice) == ([papers, mail], PDF, "")
    other = Filter(paths=["*.md"])
    changed = resolve(store, AskSpec(question="x", conversation=kept, filter=other))
    assert (changed.libraries, changed.filter) == ([papers, mail], other)
    alone = resolve(store, AskSpec(question="x", conversation=kept, mode="none"))
    assert (alone.mode, alone.libraries) == ("none", [])


def test_a_conversation_of_the_first_version_knew_its_library_by_name(
    store: Store, papers: str
) -> None:
    kept = asked(store, ["Papers"])
    assert resolve(store, AskSpec(question="x", conversation=kept)).libraries == [papers]


def test_libraries_that_are_gone_are_left_out_and_said(store: Store, papers: str) -> None:
    kept = asked(store, ["gone", papers])
    scope = resolve(store, AskSpec(question="x", conversation=kept))
    assert (scope.libraries, scope.notice) == ([papers], SOME_GONE)
    lost = asked(store, ["gone"])
    with pytest.raises(InvalidInput, match="is gone"):
        resolve(store, AskSpec(question="x", conversation=lost))


def test_without_a_library_the_model_is_asked_alone(store: Store) -> None:
    assert resolve(store, AskSpec(question="x")).mode == "none"
    kept = asked(store, [])
    assert resolve(store, AskSpec(question="x", conversation=kept)).mode == "none"
    with pytest.raises(InvalidInput, match="needs a library"):
        resolve(store, AskSpec(question="x", conversation=kept, mode="joint"))


def test_presets_come_from_the_spec_the_conversation_or_the_settings(
    store: Store, home: Home
) -> None:
    own = presets.save(store, None, "Mine", "Be kind.")
    save_settings(home, Settings(preset=own.id))
    kept = asked(store, [], preset="contracts")
    for spec, wanted in (
        (AskSpec(question="x"), own.id),
        (AskSpec(question="x", preset=""), None),
        (AskSpec(question="x", preset="Plain words"), "plain-words"),
        (AskSpec(question="x", conversation=kept), "contracts"),
        (AskSpec(question="x", conversation=kept, preset=""), None),
        (AskSpec(question="x", conversation=asked(store, [])), None),
    ):
        found = resolve(store, spec).preset
        assert (found.id if found is not None else None) == wanted, spec
    with pytest.raises(InvalidInput, match="no preset"):
        resolve(store, AskSpec(question="x", preset="unknown"))
    mine = asked(store, [], preset=own.id)
    presets.remove(store, own.id)
    assert resolve(store, AskSpec(question="x")).preset is None
    assert resolve(store, AskSpec(question="x", conversation=mine)).preset is None


@pytest.mark.parametrize(
    "change",
    [
        {"replaces": 1},
        {"replaces": 1, "conversation": ""},
        {"replaces": 2, "conversation": "kept"},
        {"conversation": "gone"},
        {"seed": -1},
        {"libraries": ["x"] * 40, "library": "y"},
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(
    store: Store, change: dict[str, Any]
) -> None:
    if change.get("conversation") == "kept":
        change = {**change, "conversation": asked(store, [])}
    with pytest.raises(InvalidInput):
        resolve(store, AskSpec(question="x").model_copy(update=change))
