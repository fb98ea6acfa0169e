"""`whetstone models list|show|add|default|gpu-layers|remove|reranker`."""

from __future__ import annotations

import argparse
import os
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
    parsers = [listing, adding, layers, _add_reranker(actions)]
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


def _add_reranker(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        "reranker",
        help="a cross-encoder of your own that orders what a search found",
        description="Set the folder of a cross-encoder (config.json, model.safetensors, "
        "tokenizer), show it, switch it on or off, take it away (none), or measure in a "
        "library whether it is worth it. A folder of one of these names is ./none.",
    )
    parser.add_argument(
        "what", metavar="FOLDER|show|measure|on|off|none", nargs="?", default="show"
    )
    parser.add_argument("--library", metavar="NAME", help="where to measure")
    parser.add_argument(
        "--questions", type=int, default=60, metavar="N", help="how many to measure with (60)"
    )
    parser.set_defaults(run=run_reranker)
    return parser


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


def run_reranker(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Show, set, switch, measure or take away the reranker."""
    what = str(options.what)
    if what == "measure":
        return _measure_reranker(engine, options, console)
    if what == "show":
        view = engine.libraries.reranker.view()
    elif what in ("on", "off"):
        view = engine.switch_reranker(api.RerankerSwitch(on=what == "on"))
    else:
        folder = "" if what == "none" else os.path.abspath(os.path.expanduser(what))
        view = engine.set_reranker(api.RerankerSpec(folder=folder), console.job)
    console.result(view, lambda: describe_reranker(view))
    return 0


def _measure_reranker(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    if not options.library:
        raise InvalidInput(
            "Measuring needs a library.", hint="Name one with --library, which gives questions."
        )
    if not 1 <= options.questions <= 500:
        raise InvalidInput("Give 1 to 500 questions.")
    spec = api.MeasureRerankerSpec(library=options.library, questions=options.questions)
    measured = engine.measure_reranker(spec, console.job)
    on = engine.libraries.reranker.view().on

    def said() -> str:
        return f"{describe_measured(measured)}\nThe reranker is {'on' if on else 'off'}."

    console.result(measured, said)
    return 0


def describe_reranker(view: api.RerankerView) -> str:
    """What is set, for a person."""
    if not view.folder:
        return "No reranker is set."
    lines = [f"{view.name}: {'on' if view.on else 'off'}, {view.folder}"]
    if view.problem:
        return "\n".join([*lines, f"    {view.problem}"])
    lines.append(
        f"    {view.architecture}, {size(view.size_bytes)}, reads {view.max_tokens} tokens"
    )
    for measured in view.measured:
        lines += ["", describe_measured(measured)]
    if not view.measured:
        lines.append("    Not measured: whetstone models reranker measure --library NAME")
    return "\n".join(lines)


def describe_measured(measured: api.RerankerMeasurement) -> str:
    """What was measured in one library, for a person."""
    lines = [
        f"{measured.library}, {measured.questions} questions made from it:",
        "                   alone  reranked  gain (95 % interval)",
    ]
    plain, reranked = measured.plain, measured.reranked
    for name, without, with_it, gain in (
        ("recall@1", plain.recall_1, reranked.recall_1, measured.recall_1_gain),
        ("recall@5", plain.recall_5, reranked.recall_5, measured.recall_5_gain),
        ("MRR@10", plain.mrr, reranked.mrr, measured.mrr_gain),
    ):
        lines.append(
            f"    {name:12}{without:8.3f}{with_it:10.3f}  {gain.mean:+.3f} "
            f"({gain.low:+.3f} to {gain.high:+.3f})"
        )
    times = f"{plain.milliseconds:8.0f}{reranked.milliseconds:10.0f}"
    return "\n".join([*lines, f"    ms a search {times}", measured.sentence])
