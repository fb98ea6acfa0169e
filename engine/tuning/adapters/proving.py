"""The parity gate: what was trained is what llama.cpp runs, or the adapter is not offered.

The same held-out prompts, as the model's chat template words them, go through torch with the
adapter and through llama.cpp over the quantized base with the adapter's file. The difference
between the two must be small beside the difference that the adapter makes; so an adapter that
is not applied, whose rows are in the wrong order, whose scale is wrong, or that does nothing
cannot pass.

A divergence alone says little of an adapter that is very sure of itself: at half its scale it
may still be sure of the same words. So the change of all scores is compared as well, which
does not level off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.answers.generation import AdapterUse
from engine.answers.mixing import log_softmax
from engine.answers.runtime import Runtime
from engine.errors import InvalidInput
from engine.work.api import ParityReport
from engine.work.jobs import NULL_JOB, Job

MOST_PROMPTS = 32
LONGEST_ANSWER = 128
_SEQUENCE = 0


@dataclass(frozen=True)
class Limits:
    """What an adapter must hold to; shares, and `least_effect` in nats a token.

    `ratio`: of the difference between the engines to the effect of the adapter.
    """

    ratio: float = 0.1
    least_effect: float = 1e-3
    top1: float = 0.9
    ending: float = 0.9


@dataclass
class _Sums:
    """Differences summed over tokens."""

    kl: float = 0.0
    effect: float = 0.0
    served_effect: float = 0.0
    untuned: float = 0.0
    shift: float = 0.0
    missed: float = 0.0
    agreed: int = 0
    tokens: int = 0
    endings: list[tuple[bool, bool]] = field(default_factory=list[tuple[bool, bool]])


def prove(
    model: Any,
    adapter: Path,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    runtime: Runtime,
    limits: Limits = Limits(),
    job: Job = NULL_JOB,
) -> ParityReport:
    """Compare the tuned model in torch with the base in llama.cpp under the adapter's file.

    Scores are compared at every token of the answers, the one that ends them among them. The
    runtime is left without adapters.

    Args:
        model: a peft model with the adapter on, float32; its threads are the caller's.
        adapter: the file as it will be served: GGUF, or safetensors for a soft prompt.
        prompts: token ids of held-out prompts, the chat template around them.
        answers: token ids of their answers, each with the token that ends a turn.
        runtime: the base as it will be served.
        limits: what to hold it to.
        job: progress in prompts; can cancel.

    Raises:
        InvalidInput: there is nothing to compare.
        ModelUnavailable: llama.cpp refuses the file.
        Cancelled: stopped.
    """
    pairs = _pairs(prompts, answers, runtime)
    sums = _Sums()
    try:
        for done, (prompt, answer) in enumerate(pairs):
            job.checkpoint()
            job.progress(done, len(pairs), "proving the adapter")
            tuned = _torch_scores(model, prompt, answer)
            with model.disable_adapter():
                base = _torch_scores(model, prompt, answer)
            served = _served_scores(
                runtime, [AdapterUse(path=str(adapter))], prompt, answer, job
            )
            plain = _served_scores(runtime, [], prompt, answer, job)
            _add(sums, tuned, base, served, plain, answer, runtime.vocabulary.ending_ids)
    finally:
        runtime.use_adapters([])
    return _judge(sums, len(pairs), limits)


def _pairs(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], runtime: Runtime
) -> list[tuple[list[int], list[int]]]:
    """Prompts with answers that the runtime has room for, spread over all that were given."""
    fitting = [
        (list(prompt), _shortened(answer))
        for prompt, answer in zip(prompts, answers, strict=True)
        if prompt and answer and len(prompt) + len(answer) + 1 < runtime.context
    ]
    if not fitting:
        raise InvalidInput("There are no held-out examples to prove the adapter with.")
    step = max(1, len(fitting) // MOST_PROMPTS)
    return fitting[::step][:MOST_PROMPTS]


def _shortened(answer: Sequence[int]) -> list[int]:
    return list(answer[:LONGEST_ANSWER])


def _torch_scores(model: Any, prompt: list[int], answer: list[int]) -> NDArray[np.float32]:
    """Log-probabilities at each token of the answer, (tokens, vocabulary size)."""
    device = next(model.parameters()).device
    ids = torch.tensor([[*prompt, *answer[:-1]]], device=device)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    return log_softmax(logits[-len(answer) :].float().cpu().numpy())


def _served_scores(
    runtime: Runtime,
    adapters: Sequence[AdapterUse],
    prompt: list[int],
    answer: list[int],
    job: Job,
) -> NDArray[np.float32]:
    runtime.use_adapters(adapters)
    runtime.forget()
    begin = [*runtime.soft_prompt, *prompt]
    if len(begin) > 1:
        runtime.compute({_SEQUENCE: begin[:-1]}, want="none", job=job)
    rows = runtime.compute({_SEQUENCE: [begin[-1], *answer[:-1]]}, want="all", job=job)
    return log_softmax(rows[_SEQUENCE])


def _add(
    sums: _Sums,
    tuned: NDArray[np.float32],
    base: NDArray[np.float32],
    served: NDArray[np.float32],
    plain: NDArray[np.float32],
    answer: list[int],
    ending_ids: frozenset[int],
) -> None:
    size = min(tuned.shape[1], served.shape[1])  # torch may pad the vocabulary
    tuned, base, served, plain = (
        log_softmax(one[:, :size]) for one in (tuned, base, served, plain)
    )
    sums.kl += _kl(tuned, served)
    sums.effect += _kl(tuned, base)
    sums.served_effect += _kl(served, plain)
    sums.untuned += _kl(base, plain)
    wanted, found = _centred(tuned - base), _centred(served - plain)
    sums.shift += float((wanted**2).sum())
    sums.missed += float(((wanted - found) ** 2).sum())
    first, second = tuned.argmax(-1), served.argmax(-1)
    sums.agreed += int((first == second).sum())
    sums.tokens += len(answer)
    ends = np.array(sorted(ending_ids), np.int64)
    sums.endings += zip(
        np.isin(first, ends).tolist(), np.isin(second, ends).tolist(), strict=True
    )


def _kl(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """KL(one ‖ other), summed over rows."""
    wide = one.astype(np.float64)
    return float((np.exp(wide) * (wide - other)).sum())


def _centred(change: NDArray[np.float32]) -> NDArray[np.float64]:
    """A change of scores without what is the same for all tokens, which means nothing."""
    wide = change.astype(np.float64)
    return wide - wide.mean(axis=-1, keepdims=True)


def _judge(sums: _Sums, prompts: int, limits: Limits) -> ParityReport:
    count = sums.tokens
    kl, effect = max(0.0, sums.kl / count), max(0.0, sums.effect / count)
    served_effect = max(0.0, sums.served_effect / count)
    top1 = sums.agreed / count
    either = [pair for pair in sums.endings if any(pair)]
    ending = sum(one == other for one, other in either) / len(either) if either else 1.0
    reasons: list[str] = []
    if effect < limits.least_effect:
        reasons.append("The adapter changes nothing: the tuned model answers as the base does.")
    elif served_effect < limits.ratio * effect:
        reasons.append("llama.cpp does not apply the adapter.")
    if kl > limits.ratio * effect:
        reasons.append(
            f"llama.cpp computes something else than was trained: the difference is {kl:.4g}, "
            f"allowed is {limits.ratio * effect:.4g}, a tenth of what the adapter changes."
        )
    mismatch = sums.missed / sums.shift if sums.shift else 0.0
    if mismatch > limits.ratio:
        reasons.append(
            f"The adapter changes the scores otherwise than was trained: by {mismatch:.0%}, "
            f"{limits.ratio:.0%} are allowed."
        )
    if top1 < limits.top1:
        reasons.append(f"The likeliest word agrees in {top1:.0%} of the places only.")
    if ending < limits.ending:
        reasons.append(f"Answers end elsewhere: agreed in {ending:.0%} of the places only.")
    return ParityReport(
        kl=kl,
        top1=top1,
        effect_kl=effect,
        served_effect_kl=served_effect,
        untuned_kl=max(0.0, sums.untuned / count),
        mismatch=mismatch,
        ending=ending,
        prompts=prompts,
        tokens=count,
        passed=not reasons,
        reasons=reasons,
    )
