"""The base's own answers to general questions: scored on the way to notice forgetting.

They depend on the base alone, so they are written once and kept beside it.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Sequence
from typing import Any

import torch

from engine.answers.prompts import build_prompt, wording
from engine.answers.tokenizing import Tokenizer
from engine.files import atomic_write
from engine.paths import resources_dir
from engine.tuning.bases import Base
from engine.tuning.training.packs import Tokenized
from engine.tuning.training.scoring import Lease
from engine.tuning.training.threads import use
from engine.tuning.training.tuned import load_for_training

ANSWER_TOKENS = 32
_FILE = "replay.json"


def base_answers(base: Base, tokenizer: Tokenizer, lease: Lease) -> list[Tokenized]:
    """What the base answers, greedily, to the questions of `replay.toml`.

    Args:
        base: the converted base; its answers are kept in its folder.
        tokenizer: of the same model.
        lease: gives the cores for one step.

    Raises:
        ModelUnavailable, NotEnoughMemory: the base cannot be loaded.
        StorageFull: no room to keep them.
    """
    key = f"{_questions()['version']} {wording('none').version}"
    found = _read(base, key)
    if found is None:
        found = _write_answers(base, tokenizer, lease)
        lines = [{"ids": one.ids, "answer": one.answer} for one in found]
        atomic_write(base.folder / _FILE, json.dumps({"key": key, "answers": lines}).encode())
    return found


@functools.cache
def _questions() -> dict[str, Any]:
    return tomllib.loads((resources_dir() / "prompts" / "replay.toml").read_text("utf-8"))


def _read(base: Base, key: str) -> list[Tokenized] | None:
    try:
        kept = json.loads((base.folder / _FILE).read_bytes())
        if kept["key"] != key:
            return None
        return [Tokenized(tuple(map(int, o["ids"])), int(o["answer"])) for o in kept["answers"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_answers(base: Base, tokenizer: Tokenizer, lease: Lease) -> list[Tokenized]:
    words = wording("none")
    prompts = [
        tokenizer.prompt(build_prompt(words, str(question)))
        for question in _questions()["questions"]
    ]
    model = load_for_training(base, torch.float32)
    written = _continue(model, prompts, tokenizer.vocabulary.ending_ids, lease)
    return [
        Tokenized((*prompt, *answer), len(prompt))
        for prompt, answer in zip(prompts, written, strict=True)
    ]


@torch.no_grad()
def _continue(
    model: Any, prompts: Sequence[list[int]], endings: frozenset[int], lease: Lease
) -> list[list[int]]:
    """Answers to all prompts at once, each up to its end; short prompts are padded in front."""
    longest = max(map(len, prompts))
    feed = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor(
        [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    )
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    past, written = None, [list[int]() for _ in prompts]
    for _ in range(ANSWER_TOKENS):
        with lease() as granted:
            use(granted)
            output = model(
                input_ids=feed,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=past,
                use_cache=True,
                logits_to_keep=1,
            )
        past = output.past_key_values
        feed = output.logits[:, -1].argmax(-1, keepdim=True)
        mask = torch.cat([mask, torch.ones_like(feed)], dim=1)
        positions = positions[:, -1:] + 1
        going = False
        for row, token in zip(written, feed[:, 0].tolist(), strict=True):
            if not row or row[-1] not in endings:
                row.append(int(token))
                going = going or token not in endings
        if not going:
            break
    return written
