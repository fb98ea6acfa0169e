"""`whetstone models list|show|add|default|gpu-layers|remove`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, size
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("models", help="list, add, choose or remove language models")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all models")
    listing.set_defaults(run=run_list)
    adding = actions.add_parser("add", help="add a GGUF file; it is checked and copied")
    adding.add_argument("file", metavar="FILE")
    adding.set_defaults(run=run_add)
    layers = actions.add_parser("gpu-layers", help="how many layers go on the GPU")
    layers.add_argument("model", metavar="ID")
    layers.add_argument("layers", metavar="N|auto")
    layers.set_defaults(run=run_gpu_layers)
    parsers = [listing, adding, layers]
    for name, run, text in (
        ("show", run_show, "one model's card"),
        ("default", run_default, "answer with this model unless another is named"),
        ("remove", run_remove, "delete a model that was added"),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument("model", metavar="ID")
        parser.set_defaults(run=run)
        parsers.append(parser)
    for parser in parsers:
        add_json(parser)


def describe(card: api.ModelCard) -> str:
    """One model in two lines."""
    mark = "* " if card.default else "  "
    fit = "fits" if card.fits else "does not fit"
    return (
        f"{mark}{card.id}: {card.name}, {card.architecture}, "
        f"{card.parameters / 1e6:.0f} M parameters, {card.quantization}, "
        f"{size(card.size_bytes)}\n"
        f"    context {card.context} tokens, licence {card.license or 'not stated'}; needs "
        f"{size(card.memory_bytes)} of {size(card.memory_available_bytes)} free memory: {fit}"
    )


def _show(console: Console, card: api.ModelCard) -> int:
    console.result(card, lambda: describe(card))
    return 0


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All models; the default is marked."""
    cards = engine.models.list()
    console.result(
        {"rows": [card.model_dump(mode="json") for card in cards]},
        lambda: "\n".join(map(describe, cards)) or "No models: run set-up again, or add one.",
    )
    return 0


def run_add(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Check a GGUF file, copy it in, print its card."""
    return _show(console, engine.add_model(api.AddModelSpec(path=options.file), console.job))


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One card."""
    return _show(console, engine.models.find(options.model))


def run_default(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Choose the default model."""
    return _show(console, engine.set_default_model(api.ModelRef(model=options.model)))


def run_gpu_layers(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Override or restore the automatic number of GPU layers."""
    text = str(options.layers)
    if text != "auto" and not text.isdigit():
        raise InvalidInput("Give a number of layers, or auto.")
    layers = None if text == "auto" else int(text)
    card = engine.set_gpu_layers(api.GpuLayersSpec(model=options.model, layers=layers))
    return _show(console, card)


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Delete a model the user added."""
    card = engine.models.find(options.model)
    engine.remove_model(api.ModelRef(model=card.id))
    console.result({"removed": card.id}, lambda: f"Removed {card.name}.")
    return 0
