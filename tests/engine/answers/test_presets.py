"""System prompts under a name: built in, saved, changed, refused, removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.answers import presets
from engine.errors import InvalidInput
from engine.paths import Home
from engine.store.db import Store


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


def test_the_built_in_ones_are_short_and_say_nothing_of_refusing(store: Store) -> None:
    built = presets.list_all(store)
    assert [one.name for one in built] == [
        "Plain words",
        "Short and exact",
        "Contracts",
        "Medical notes",
        "Study helper",
    ]
    assert all(one.builtin and len(one.system) < 200 for one in built)
    assert len({one.id for one in built}) == len(built)
    assert not any("if " in one.system.lower() or "not " in one.system for one in built)


def test_a_preset_is_saved_found_changed_and_removed(store: Store) -> None:
    made = presets.save(store, None, " My  tone ", "Answer like a pirate.\n")
    assert (made.name, made.system, made.builtin) == (
        "My tone",
        "Answer like a pirate.",
        False,
    )
    assert presets.list_all(store)[-1] == made
    changed = presets.save(store, made.id, "My Tone", "Answer like a judge.")
    assert changed.id == made.id
    assert presets.find(store, made.id) == presets.find(store, "my tone") == changed
    assert presets.find(store, "contracts").builtin
    presets.remove(store, made.id)
    with pytest.raises(InvalidInput, match="no preset"):
        presets.find(store, made.id)
    with pytest.raises(InvalidInput, match="no preset"):
        presets.remove(store, made.id)


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("", "x"),
        ("x", "  "),
        ("x" * 61, "x"),
        ("x", "y" * 2001),
        ("CONTRACTS", "x"),
        ("\x07", "x"),
    ],
)
def test_what_cannot_be_a_preset_is_refused(store: Store, name: str, system: str) -> None:
    before = presets.list_all(store)
    with pytest.raises(InvalidInput):
        presets.save(store, None, name, system)
    assert presets.list_all(store) == before


def test_names_are_unique_among_ones_own_too(store: Store) -> None:
    one = presets.save(store, None, "One", "x")
    two = presets.save(store, None, "Two", "x")
    with pytest.raises(InvalidInput, match="already"):
        presets.save(store, two.id, "ONE", "x")
    with pytest.raises(InvalidInput, match="no preset"):
        presets.save(store, "gone", "Three", "x")
    assert presets.find(store, one.id).name == "One"


def test_built_in_ones_stay_as_they_are(store: Store) -> None:
    for action in (
        lambda: presets.save(store, "contracts", "Contracts", "Be rude."),
        lambda: presets.remove(store, "contracts"),
    ):
        with pytest.raises(InvalidInput, match="comes with Whetstone"):
            action()


def test_characters_that_cannot_be_kept_are_taken_out(store: Store) -> None:
    made = presets.save(store, None, "Odd\x00 \udcff", "Be\x1b[31m kind.\tNow\nhere.")
    assert made.name == "Odd ?"
    assert made.system == "Be[31m kind.\tNow\nhere."
