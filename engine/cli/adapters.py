"""`whetstone adapters list|show|rename|remove|enable|disable|import|export`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, size
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("adapters", help="list, use, import or export adapters")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all adapters")
    listing.set_defaults(run=run_list)
    parsers = [listing, _add_enable(actions), _add_import(actions), _add_export(actions)]
    for name, run, text in (
        ("show", run_show, "one adapter's card"),
        ("disable", run_disable, "answer without it again where nothing else is said"),
        ("rename", run_rename, "give an adapter another name"),
        ("remove", run_remove, "delete an adapter"),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument("adapter", metavar="ID")
        if name == "rename":
            parser.add_argument("name", metavar="NAME")
        parser.set_defaults(run=run)
        parsers.append(parser)
    for parser in parsers:
        add_json(parser)


def _add_enable(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        "enable", help="answer with it where its model answers and nothing else is said"
    )
    parser.add_argument("adapter", metavar="ID")
    parser.add_argument("--scale", type=float, default=1.0, metavar="S", help="how strongly")
    parser.add_argument(
        "--too",
        action="store_true",
        help="mixed with those enabled, not in their place",
    )
    parser.set_defaults(run=run_enable)
    return parser


def _add_import(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        "import", help="take in a GGUF adapter, or a folder of peft's with safetensors"
    )
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--model", metavar="M", help="the model it is for (default: what fits)")
    parser.add_argument("--name", default="", metavar="NAME", help="what to call it")
    parser.set_defaults(run=run_import)
    return parser


def _add_export(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser("export", help="write an adapter for other programs")
    parser.add_argument("adapter", metavar="ID")
    parser.add_argument("out", metavar="OUT", help="file or folder to make")
    parser.add_argument(
        "--format",
        choices=["gguf", "safetensors", "ollama", "merged"],
        default="gguf",
        help="gguf: the file; safetensors: a folder for peft; ollama: a folder with a "
        "Modelfile; merged: model and adapter in one GGUF file",
    )
    parser.add_argument(
        "--quantization", default="", metavar="Q", help="of a merged file, such as Q8_0"
    )
    parser.add_argument("--scale", type=float, default=1.0, metavar="S", help="when merged")
    parser.set_defaults(run=run_export)
    return parser


def describe(card: api.AdapterCard) -> str:
    """One adapter in a few lines."""
    what = "soft prompt" if card.method == "prompt" else "LoRA"
    lines = [
        f"{'* ' if card.enabled else '  '}{card.id}: {card.name}, {what} of rank {card.rank} "
        f"for {card.base_name or card.base_sha256[:12]}, {size(card.size_bytes)}"
    ]
    if card.enabled and card.scale != 1.0:
        lines[0] += f", at {card.scale:g}"
    about = [card.task, f"from {card.dataset_name}" if card.dataset_name else "", _proof(card)]
    lines.append("    " + "; ".join(filter(None, about)))
    lines += [f"    {line}" for line in (card.stale, card.problem) if line]
    return "\n".join(lines)


def _proof(card: api.AdapterCard) -> str:
    if card.parity is None:
        return "not proven here"
    found = card.parity
    return (
        f"{'proven' if found.passed else 'proof failed'}: KL {found.kl:.2g} against an effect "
        f"of {found.effect_kl:.2g}, top-1 {found.top1:.0%}"
    )


def _show(console: Console, card: api.AdapterCard) -> int:
    console.result(card, lambda: describe(card))
    return 0


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All adapters; those that are enabled are marked."""
    cards = engine.adapters.list().adapters
    console.result(
        {"rows": [card.model_dump(mode="json") for card in cards]},
        lambda: "\n".join(map(describe, cards)) or "No adapters yet.",
    )
    return 0


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One card."""
    return _show(console, engine.adapters.find(options.adapter))


def run_enable(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Put it on its model from now on."""
    spec = api.EnableAdapterSpec(
        adapter=options.adapter, scale=options.scale, alone=not options.too
    )
    return _show(console, engine.adapters.enable(spec))


def run_disable(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Take it off its model."""
    spec = api.EnableAdapterSpec(adapter=options.adapter, on=False)
    return _show(console, engine.adapters.enable(spec))


def run_rename(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Give it another name."""
    spec = api.RenameAdapterSpec(adapter=options.adapter, name=options.name)
    return _show(console, engine.adapters.rename(spec))


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Delete an adapter of the user's own."""
    card = engine.adapters.find(options.adapter)
    engine.adapters.remove(api.AdapterRef(adapter=card.id))
    console.result({"removed": card.id}, lambda: f"Removed {card.name}.")
    return 0


def run_import(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Check a stranger's adapter, copy it in, print its card."""
    spec = api.ImportAdapterSpec(
        path=os.path.abspath(os.path.expanduser(options.path)),
        model=options.model,
        name=options.name,
    )
    return _show(console, engine.adapters.import_file(spec, console.job))


def run_export(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Write it where it is asked for."""
    spec = api.ExportAdapterSpec(
        adapter=options.adapter,
        format=options.format,
        out=os.path.abspath(os.path.expanduser(options.out)),
        quantization=options.quantization,
        scale=options.scale,
    )
    made = engine.adapters.export(spec, console.job)
    console.result(made, lambda: f"Written: {made.path} ({size(made.size_bytes)})")
    return 0
