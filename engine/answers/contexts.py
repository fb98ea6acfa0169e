"""Prompts that begin alike, computed side by side: what was computed before is not again.

A prompt is computed in fixed pieces: up to its first passage, each passage, each earlier turn,
what follows. The state up to each piece's end is kept (`states`). Every piece is computed after
nothing but the state before it, and every question after nothing but restored states, in one
batch for all prompts: so it makes no difference to a single bit of the scores whether a state
was there.

A conversation without passages goes on in sequence 0, where it is. What other prompts, or
another conversation, would push out of there is set aside in memory first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.answers.generation import AdapterUse
from engine.answers.runtime import SEQUENCES, Runtime
from engine.answers.states import PassageStates, state_key
from engine.answers.vocabulary import Tokens
from engine.errors import InvalidInput
from engine.work.jobs import NULL_JOB, Job

WORTH_TOKENS = 64
"""Fewer tokens of a conversation are computed again sooner than they are kept."""
CONVERSATIONS = 4
"""So many conversations without passages are set aside at most."""


@dataclass(frozen=True)
class Read:
    """Prompts that were read. `scores`: what comes after each, (prompts, vocabulary size).

    `tokens` of all prompts, of which `reused` came from kept states.
    """

    scores: NDArray[np.float32]
    tokens: int
    reused: int


class Contexts:
    """Reads prompts into the sequences 0, 1, 2 … of a runtime.

    Args:
        runtime: the loaded model; its other sequences are dropped.
        states: where the states of passages are kept.
        identity: of everything but the tokens and the adapters that a state depends on.
    """

    def __init__(self, runtime: Runtime, states: PassageStates, identity: str) -> None:
        self._runtime = runtime
        self._states = states
        self._identity = identity
        self._adapters = ""
        self._conversing = False
        self._aside: OrderedDict[str, tuple[str, list[int]]] = OrderedDict()

    def use_adapters(self, wanted: Sequence[AdapterUse]) -> None:
        """Read with exactly these adapters from now on; no state made with others is used.

        What was read without them, or with others, waits until they are in use again.

        Raises:
            As `engine.answers.adapters.Adapters.use`.
        """
        self._set_aside()
        self._adapters = "?"  # should it fail, nothing there is worth keeping
        self._adapters = self._runtime.use_adapters(wanted)
        if not self._runtime.length(0):
            self._conversing = False

    def read(self, prompts: Sequence[Tokens], job: Job = NULL_JOB) -> Read:
        """Compute the prompts, prompt n as sequence n.

        Raises:
            InvalidInput: together they do not fit into the context.
            Cancelled: the job was stopped; states finished by then are kept.
        """
        whole = sum(len(prompt.ids) for prompt in prompts)
        if len(prompts) > SEQUENCES or whole + len(prompts) >= self._runtime.context:
            raise InvalidInput(
                f"The question with its passages has {whole} tokens; this model reads "
                f"{self._runtime.context} at most.",
                hint="Ask a shorter question or use fewer passages.",
            )
        kept = [self._state(prompt, job) for prompt in prompts]
        self._clear()
        rows: dict[int, Sequence[int]] = {}
        for seq, (prompt, (state, _)) in enumerate(zip(prompts, kept, strict=True)):
            there = prompt.ids[: prompt.cuts[-1]] if prompt.cuts else []
            if there and not self._runtime.restore(seq, state, there):
                there = []  # llama.cpp would not have it: all is computed here
            rows[seq] = prompt.ids[len(there) :]
        found = self._runtime.compute(rows, job=job)
        scores = np.stack([found[seq][-1] for seq in range(len(prompts))])
        return Read(scores, whole, sum(reused for _, reused in kept))

    def prepare(self, prompt: Tokens, job: Job = NULL_JOB) -> bool:
        """Compute and keep the states of one prompt ahead of any question.

        Returns:
            Whether something had to be computed.
        """
        if not prompt.cuts or self._states.has(self._key(prompt, len(prompt.cuts) - 1)):
            return False
        return self._state(prompt, job)[1] < prompt.cuts[-1]

    def converse(self, prompt: Tokens, job: Job = NULL_JOB) -> int:
        """Compute a prompt without passages as sequence 0; the scores are `runtime.logits`.

        What it shares with the conversation there, or with one set aside, is not computed
        again. Unlike in `read` the batches differ with what was there, and rounding with them.

        Returns:
            How many tokens were reused.

        Raises:
            InvalidInput: the prompt does not fit into the context, or is empty.
            Cancelled: the job was stopped.
        """
        here = _shared(self._runtime.held(0), prompt.ids)
        key, there = self._nearest(prompt.ids)
        state, tokens = None, list[int]()
        if there - here >= WORTH_TOKENS:
            # It goes on from here and is set aside anew, longer.
            state, (_, tokens) = self._states.get(key), self._aside.pop(key)
            self._states.drop(key)
        if self._runtime.length(0) - here >= WORTH_TOKENS:
            self._set_aside()
        if state is not None:
            self._runtime.forget()
            self._runtime.restore(0, state, tokens)
        self._conversing = not prompt.cuts  # a piece of a file is no conversation
        return self._runtime.read_prompt(prompt.ids, job)

    # --- conversations without passages -----------------------------------------------

    def _nearest(self, ids: Sequence[int]) -> tuple[str, int]:
        """The conversation set aside that shares most with `ids`, and how many tokens."""
        shares = {
            key: _shared(tokens, ids)
            for key, (adapters, tokens) in self._aside.items()
            if adapters == self._adapters
        }
        key = max(shares, key=lambda one: shares[one], default="")
        return key, shares.get(key, 0)

    def _set_aside(self) -> None:
        """Keep the conversation of sequence 0 in memory, in place of the oldest one."""
        tokens = self._runtime.held(0)
        if not self._conversing or len(tokens) < WORTH_TOKENS:
            return
        key = state_key(f"{self._named} conversation", tokens)
        self._states.put(key, self._runtime.state(0), brief=True)
        self._aside[key] = (self._adapters, tokens)
        self._aside.move_to_end(key)
        while len(self._aside) > CONVERSATIONS:
            oldest, _ = self._aside.popitem(last=False)
            self._states.drop(oldest)

    def _clear(self) -> None:
        """Empty the runtime; a conversation in it is set aside."""
        self._set_aside()
        self._conversing = False
        self._runtime.forget()

    # --- parts ------------------------------------------------------------------------

    def _key(self, prompt: Tokens, cut: int) -> str:
        """Where it was cut belongs to the name: pieces of other sizes round differently."""
        cuts = ",".join(map(str, prompt.cuts[: cut + 1]))
        return state_key(f"{self._named} {cuts}", prompt.ids[: prompt.cuts[cut]])

    @property
    def _named(self) -> str:
        """Of everything but the tokens that a state depends on."""
        return f"{self._identity} {self._adapters}" if self._adapters else self._identity

    def _state(self, prompt: Tokens, job: Job) -> tuple[bytes, int]:
        """The state at the last cut, and how many tokens were not computed for it."""
        cuts = prompt.cuts
        if not cuts:
            return b"", 0
        state = self._states.get(self._key(prompt, len(cuts) - 1))
        if state is not None:
            return state, cuts[-1]
        self._clear()
        done = self._resume(prompt)
        reused, state = done, b""
        for cut, at in enumerate(cuts):
            if at <= done:
                continue
            self._runtime.compute({0: prompt.ids[done:at]}, want="none", job=job)
            done, state = at, self._runtime.state(0)
            self._states.put(self._key(prompt, cut), state, brief=at in prompt.brief)
        return state, reused

    def _resume(self, prompt: Tokens) -> int:
        """Restore the longest kept piece before the last cut as sequence 0; its length."""
        for cut in reversed(range(len(prompt.cuts) - 1)):
            state = self._states.get(self._key(prompt, cut))
            at = prompt.cuts[cut]
            if state is not None and self._runtime.restore(0, state, prompt.ids[:at]):
                return at
        return 0


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
