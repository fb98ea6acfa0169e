"""`whetstone presets list|show|save|remove`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("presets", help="system prompts to ask with")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all presets")
    listing.set_defaults(run=run_list)
    showing = actions.add_parser("show", help="one preset with its text")
    showing.add_argument("preset", metavar="ID")
    showing.set_defaults(run=run_show)
    saving = actions.add_parser("save", help="make a preset, or change one of yours")
    saving.add_argument("name", metavar="NAME")
    saving.add_argument("--id", metavar="ID", help="the preset to change (default: a new one)")
    text = saving.add_mutually_exclusive_group(required=True)
    text.add_argument("--system", metavar="TEXT", help="what the model is told first")
    text.add_argument("--file", metavar="FILE", help="the same from a UTF-8 file")
    saving.set_defaults(run=run_save)
    removing = actions.add_parser("remove", help="delete a preset of yours")
    removing.add_argument("preset", metavar="ID")
    removing.set_defaults(run=run_remove)
    for parser in (listing, showing, saving, removing):
        add_json(parser)


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All presets, one a line."""
    presets = engine.list_presets().presets
    console.result(
        {"rows": [preset.model_dump(mode="json") for preset in presets]},
        lambda: "\n".join(map(describe, presets)),
    )
    return 0


def describe(preset: api.Preset) -> str:
    """One preset in one line."""
    return f"{preset.id}  {preset.name}" + (
        "  (comes with Whetstone)" if preset.builtin else ""
    )


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One preset and what it tells the model."""
    preset = _find(engine, options.preset)
    console.result(preset, lambda: f"{describe(preset)}\n\n{preset.system}")
    return 0


def run_save(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Make or change a preset."""
    system = options.system if options.file is None else _read(options.file)
    spec = api.SavePresetSpec(id=options.id, name=options.name, system=system)
    preset = engine.save_preset(spec)
    console.result(preset, lambda: describe(preset))
    return 0


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Delete a preset; conversations that used it go on without."""
    preset = _find(engine, options.preset)
    engine.remove_preset(api.PresetRef(preset=preset.id))
    console.result({"removed": preset.id}, lambda: f"Removed {preset.name}.")
    return 0


def _find(engine: Engine, preset: str) -> api.Preset:
    """By id or by name."""
    from engine.answers import presets

    return presets.find(engine.store, preset)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The text in {path!r} could not be read.",
            hint="It must be a UTF-8 file.",
            details=str(error),
        ) from error
