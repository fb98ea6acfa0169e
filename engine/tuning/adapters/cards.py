"""An adapter's folder: its files, and the card that says what is known of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from engine.errors import StorageDamaged
from engine.files import atomic_write, show_path
from engine.work.api import AdapterCard
from engine.work.api.adapters import FOUND_OUT

VERSION = 1
CARD, GGUF, SAFETENSORS = "card.json", "adapter.gguf", "adapter.safetensors"
MAX_CARD_BYTES = 8 << 20


def served_file(card: AdapterCard, folder: Path) -> Path:
    """The file the generator is given: a LoRA's GGUF, a soft prompt's safetensors."""
    return folder / (SAFETENSORS if card.method == "prompt" else GGUF)


def write_card(folder: Path, card: AdapterCard) -> None:
    """Keep a card in its folder, over an older one.

    Raises:
        StorageFull: no room; the older one stays.
    """
    kept = {"version": VERSION, **card.model_dump(mode="json", exclude=set(FOUND_OUT))}
    atomic_write(folder / CARD, json.dumps(kept, indent=2, ensure_ascii=True).encode() + b"\n")


def read_card(folder: Path) -> AdapterCard:
    """The card of a folder, whose name is the adapter's id.

    Keys that a newer version wrote are passed over.

    Raises:
        StorageDamaged: there is none that can be read.
    """
    path = folder / CARD
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError("it is too large")
        data: object = json.loads(path.read_bytes())
        if not isinstance(data, dict):
            raise ValueError("it is no object")
        fields = cast("dict[str, Any]", data)
        known = set(AdapterCard.model_fields) - FOUND_OUT
        kept = {key: value for key, value in fields.items() if key in known}
        return AdapterCard.model_validate({**kept, "id": folder.name})
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        raise StorageDamaged(
            f"The adapter in {show_path(folder)} has no card that can be read.",
            hint="Import the adapter again.",
            details=str(error),
        ) from error
