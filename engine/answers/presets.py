"""Presets: system prompts under a name, built in or the user's own.

A preset's text is the user's word, so the model may follow it; control tokens in it stay
writing like everywhere else (`generation.prompt_segments`).
"""

from __future__ import annotations

import functools
import tomllib
import uuid

from engine.errors import InvalidInput
from engine.paths import resources_dir
from engine.store.db import Store, utc_now
from engine.work.api import Preset

MAX_NAME = 60
MAX_SYSTEM = 2_000
"""Characters; about 500 tokens, a quarter of the smallest context in use."""


@functools.cache
def builtin() -> tuple[Preset, ...]:
    """The presets that come with Whetstone, from `resources/prompts/presets.toml`."""
    text = (resources_dir() / "prompts" / "presets.toml").read_text("utf-8")
    return tuple(
        Preset(id=entry["id"], name=entry["name"], system=entry["system"], builtin=True)
        for entry in tomllib.loads(text)["presets"]
    )


def list_all(store: Store) -> list[Preset]:
    """Built-in presets first, then the user's own by name."""
    rows = store.connection().execute(
        "SELECT id, name, system FROM presets ORDER BY name COLLATE NOCASE, id"
    )
    own = [Preset(id=row["id"], name=row["name"], system=row["system"]) for row in rows]
    return [*(preset.model_copy() for preset in builtin()), *own]


def find(store: Store, preset: str) -> Preset:
    """The preset with this id, or else with this name (case does not matter).

    Raises:
        InvalidInput: there is none.
    """
    known = list_all(store)
    for one in known:
        if one.id == preset:
            return one
    for one in known:
        if one.name.casefold() == preset.casefold():
            return one
    raise InvalidInput(
        f"There is no preset {preset!r}.", hint="`whetstone presets list` shows them all."
    )


def save(store: Store, preset: str | None, name: str, system: str) -> Preset:
    """Make a preset, or change one of the user's own.

    Args:
        store: where it is kept.
        preset: id of the one to change; None makes a new one.
        name: what it is called; unique, whatever its case.
        system: what stands in the system message.

    Raises:
        InvalidInput: no name or text, too long, the name is taken, or it is a built-in one.
    """
    name, system = _cleaned(" ".join(name.split())), _cleaned(system).strip()
    _check(name, system)
    _check_own(preset)
    taken = {one.name.casefold(): one.id for one in list_all(store)}
    if taken.get(name.casefold(), preset) != preset:
        raise InvalidInput(
            f"There is a preset called {name!r} already.", hint="Choose another name."
        )
    with store.transaction() as writing:
        if preset is None:
            preset = uuid.uuid4().hex[:12]
            writing.execute(
                "INSERT INTO presets (id, name, system, updated_at) VALUES (?, ?, ?, ?)",
                (preset, name, system, utc_now()),
            )
        else:
            changed = writing.execute(
                "UPDATE presets SET name=?, system=?, updated_at=? WHERE id=?",
                (name, system, utc_now(), preset),
            )
            if changed.rowcount == 0:
                raise _unknown(preset)
    return Preset(id=preset, name=name, system=system)


def remove(store: Store, preset: str) -> None:
    """Delete a preset of the user's own; conversations that used it go on without.

    Raises:
        InvalidInput: there is none with this id, or it is a built-in one.
    """
    _check_own(preset)
    with store.transaction() as writing:
        gone = writing.execute("DELETE FROM presets WHERE id=?", (preset,))
        if gone.rowcount == 0:
            raise _unknown(preset)


def _check(name: str, system: str) -> None:
    if not name or not system:
        raise InvalidInput("A preset needs a name and a text.", hint="Fill in both.")
    if len(name) > MAX_NAME:
        raise InvalidInput(f"The name has {len(name)} characters; {MAX_NAME} are allowed.")
    if len(system) > MAX_SYSTEM:
        raise InvalidInput(
            f"The text has {len(system):,} characters; {MAX_SYSTEM:,} are allowed.",
            hint="Every character is read again with each question: keep it short.",
        )


def _check_own(preset: str | None) -> None:
    if any(one.id == preset for one in builtin()):
        raise InvalidInput(
            "This preset comes with Whetstone and stays as it is.",
            hint="Save a copy under another name.",
        )


def _unknown(preset: str) -> InvalidInput:
    return InvalidInput(f"There is no preset {preset!r}.", hint="Choose another one.")


def _cleaned(text: str) -> str:
    """Without what cannot be stored or printed: lone surrogates and control characters."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(char for char in text if char in "\n\t" or char.isprintable() or char == " ")
