"""`whetstone tune`: train an adapter, and follow the training; Ctrl+C pauses it."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, duration
from engine.errors import Cancelled, EngineError, TrainingFailed
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine
    from engine.work.api.tuning import TuneSpans

_LOOK_S = 0.3
_GOING = ("planned", "running")


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("tune", help="train an adapter on a dataset")
    parser.add_argument("--dataset", required=True, metavar="D", help="id or name")
    parser.add_argument("--name", required=True, metavar="NAME", help="of the adapter")
    parser.add_argument("--model", default="", metavar="M", help="the model to tune")
    parser.add_argument(
        "--method", choices=("lora", "prompt", "full"), default="lora", help="default: lora"
    )
    parser.add_argument(
        "--from", dest="from_adapter", default="", metavar="ADAPTER", help="tune it further"
    )
    parser.add_argument(
        "--minutes", type=float, default=0.0, metavar="N", help="plan to be done in that time"
    )
    parser.add_argument("--epochs", type=int, default=0, metavar="N")
    parser.add_argument("--rank", type=int, default=0, metavar="R")
    parser.add_argument("--layers", type=int, default=0, metavar="N", help="uppermost only")
    parser.add_argument("--learning-rate", type=float, default=0.0, metavar="X")
    parser.add_argument("--rslora", action="store_true", help="scale by the root of the rank")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--plan", action="store_true", help="only say what it would take")
    parser.set_defaults(run=run)
    add_json(parser)


def spec_of(options: argparse.Namespace) -> api.TuneSpec:
    """The training that was asked for.

    Raises:
        InvalidInput: a number out of its range.
    """
    from pydantic import ValidationError

    from engine.errors import InvalidInput

    try:
        return api.TuneSpec(
            dataset=options.dataset,
            name=options.name,
            model=options.model,
            method=options.method,
            from_adapter=options.from_adapter,
            minutes=options.minutes,
            epochs=options.epochs,
            rank=options.rank,
            layers=options.layers,
            learning_rate=options.learning_rate,
            rslora=options.rslora,
            seed=options.seed,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}.", details=str(error)
        ) from error


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Start the training and follow it to its end."""
    spec = spec_of(options)
    if options.plan:
        plan = engine.tuning.plan(spec, console.job)
        console.result(plan, lambda: describe_plan(plan))
        return 0
    started = engine.tuning.start(spec)
    console.note(f"Run {started.id}; it goes on if this window closes.")
    return follow(engine, started.id, console)


def follow(engine: Engine, run_id: str, console: Console) -> int:
    """Show a run until it ends, then what came of it.

    Raises:
        Cancelled: asked to stop; the run is paused.
        EngineError: how the run failed.
    """
    told_plan = False
    while True:
        view = engine.tuning.runs.find(run_id)
        if view.plan is not None and not told_plan:
            told_plan = True
            console.note(describe_plan(view.plan))
        if view.state not in _GOING:
            break
        if console.job.cancelled:
            return _pause(engine, view, console)
        stage = view.note or view.stage
        console.job.progress(view.step, view.steps, stage)
        time.sleep(_LOOK_S)
    if view.error is not None:
        raise EngineError.from_dict(view.error)
    if view.state == "paused":
        raise Cancelled(view.note or "The run is paused; nothing is lost.", hint=_how_on(view))
    if view.report is None:
        raise TrainingFailed(view.note or "The training ended without a report.")
    report = view.report
    console.result(report, lambda: describe_report(report))
    return 0


def _pause(engine: Engine, view: api.RunView, console: Console) -> int:
    console.note("Pausing; what was learnt is kept …")
    if view.state == "running":
        view = engine.tuning.runs.pause(view.id)
    raise Cancelled("Paused; what was learnt is kept.", hint=_how_on(view))


def _how_on(view: api.RunView) -> str:
    return f"Go on with: whetstone runs resume {view.id}"


def describe_plan(plan: api.TunePlan) -> str:
    """What a training takes, for a person."""
    lines = [
        f"{plan.model_name}, {plan.method}: {plan.examples} examples "
        f"({plan.heldout} held out), {plan.epochs} epochs, {plan.steps} steps, "
        f"{plan.layers} of {plan.layers_of} layers, rank {plan.rank}",
        f"about {duration(plan.seconds)}, {plan.memory_bytes / 2**30:.1f} GB of memory, "
        f"{plan.disk_bytes / 2**30:.1f} GB of disk; {plan.tokens_per_second:.0f} tokens/s",
    ]
    if plan.left_out:
        lines.append(f"{plan.left_out} examples are longer than {plan.max_tokens} tokens.")
    return "\n".join([*lines, *plan.reasons])


def describe_report(report: api.TuneReport) -> str:
    """What came of a training, for a person."""
    loss = report.loss
    lines = [
        f"Adapter {report.adapter}: {report.steps} steps in {duration(report.seconds)} "
        f"(planned: {duration(report.planned_seconds)}), "
        f"{report.tokens_per_second:.0f} tokens/s",
        f"of it: {describe_spans(report.spans)}",
    ]
    if loss.heldout is not None and loss.before is not None:
        exact = report.heldout_exact or 0.0
        lines.append(
            f"held-out loss {loss.before:.3f} before, {loss.heldout:.3f} after; "
            f"{exact:.0%} answered to the letter"
        )
    if report.parity is not None:
        lines.append(
            f"proven in llama.cpp: KL {report.parity.kl:.4f}, effect "
            f"{report.parity.effect_kl:.3f}, the same word in {report.parity.top1:.1%}"
        )
    return "\n".join([*lines, *(f"Warning: {name}" for name in report.warnings)])


def describe_spans(spans: TuneSpans) -> str:
    """What took how long, such as "converting 20 s, measuring 30 s, …"."""
    parts = (
        ("converting", spans.convert),
        ("measuring", spans.measure),
        ("training", spans.train),
        ("proving", spans.prove),
    )
    return ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts)
