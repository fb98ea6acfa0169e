"""The base's own answers to general questions: scored on the way to notice forgetting."""

from __future__ import annotations

import tomllib
from typing import Any

import torch

from engine.answers.prompts import build_prompt, wording
from engine.answers.tokenizing import Tokenizer
from engine.paths import resources_dir
from engine.tuning.training.loop import Lease
from engine.tuning.training.packs import Tokenized
from engine.tuning.training.threads import use
from engine.tuning.training.tuned import Tuned

ANSWER_TOKENS = 32


@torch.no_grad()
def base_answers(tuned: Tuned, tokenizer: Tokenizer, lease: Lease) -> list[Tokenized]:
    """What the base answers, greedily, to the questions of `replay.toml`.

    Args:
        tuned: what learns; asked without what it learnt.
        tokenizer: of the same model.
        lease: gives the cores for one answer.
    """
    data = tomllib.loads((resources_dir() / "prompts" / "replay.toml").read_text("utf-8"))
    words = wording("none")
    found: list[Tokenized] = []
    for question in data["questions"]:
        prompt = tokenizer.prompt(build_prompt(words, str(question)))
        with lease() as granted, tuned.bare() as model, tuned.computing():
            use(max(1, granted // 2))  # single tokens gain little from more
            ids = [*prompt, *_continue(model, prompt, tokenizer)]
        if len(ids) > len(prompt):
            found.append(Tokenized(tuple(ids), len(prompt)))
    return found


def _continue(model: Any, prompt: list[int], tokenizer: Tokenizer) -> list[int]:
    written: list[int] = []
    feed, past = torch.tensor([prompt]), None
    while len(written) < ANSWER_TOKENS:
        output = model(input_ids=feed, past_key_values=past, use_cache=True)
        past = output.past_key_values
        token = int(output.logits[0, -1].argmax())
        written.append(token)
        if token in tokenizer.vocabulary.ending_ids:
            break
        feed = torch.tensor([[token]])
    return written
