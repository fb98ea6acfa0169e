"""One answer from a loaded model: a prompt in, pieces of text out, until its end or a stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from engine.answers.decoding import TextStream, loop_period
from engine.answers.templates import STOP_TEXTS, ChatTemplate
from engine.errors import Cancelled, InvalidInput
from engine.work.jobs import Job

if TYPE_CHECKING:  # llama.cpp is loaded in the generator process only
    from engine.answers.runtime import Runtime

Ending = Literal["end", "length", "stopped", "loop"]


class Part(BaseModel):
    """A piece of a prompt; only trusted text may become control tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    trusted: bool = False


class Turn(BaseModel):
    """One message of a chat, made of parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "user", "assistant"]
    content: list[Part]


class Prompt(BaseModel):
    """What the model reads.

    `turns` go through the model's chat template. A model that has none continues `plain`
    instead, and stops at one of `plain_stops`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: list[Turn]
    plain: list[Part]
    plain_stops: list[str] = []


@dataclass(frozen=True)
class Generated:
    """A finished answer. Times in milliseconds from the call to the first and last token."""

    text: str
    ending: Ending
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    first_token_ms: float
    total_ms: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready fields."""
        return asdict(self)


def prompt_segments(prompt: Prompt, template: ChatTemplate) -> list[tuple[str, bool]]:
    """The prompt as (text, trusted) in reading order.

    Raises:
        ModelUnavailable: the model's chat template cannot hold this conversation.
    """
    if template.used == "none":
        return [(part.text, part.trusted) for part in prompt.plain]
    segments: list[tuple[str, bool]] = []
    for slot in template.layout([turn.role for turn in prompt.turns]):
        if slot.message is None:
            segments.append((slot.text, True))
        else:
            content = prompt.turns[slot.message].content
            # The role's text is trusted as writing, but never as control tokens.
            segments.extend((part.text, False) for part in content)
    return segments


def generate(
    runtime: Runtime,
    template: ChatTemplate,
    prompt: Prompt,
    max_tokens: int,
    temperature: float,
    seed: int,
    job: Job,
) -> Generated:
    """Write an answer; each piece goes out as a "token" event as soon as it is certain.

    A cancel ends the answer with what there is (ending "stopped").

    Raises:
        InvalidInput: the prompt does not fit.
        ModelUnavailable: the model gives no usable numbers.
        Cancelled: stopped before the first token.
    """
    start = time.monotonic()
    tokens = runtime.prompt_tokens(prompt_segments(prompt, template))
    if len(tokens) + 1 >= runtime.context:
        raise InvalidInput(
            f"The question with its passages has {len(tokens)} tokens; this model reads "
            f"{runtime.context} at most.",
            hint="Ask a shorter question or use fewer passages.",
        )
    reused = runtime.read_prompt(tokens, job)
    stream = TextStream(STOP_TEXTS if template.used != "none" else prompt.plain_stops)
    writer = _Writer(runtime, stream, temperature, seed, job)
    ending = writer.run(min(max_tokens, runtime.room))
    first = writer.first_token_at or time.monotonic()
    return Generated(
        text=stream.text.rstrip(),
        ending=ending,
        prompt_tokens=len(tokens),
        reused_tokens=reused,
        generated_tokens=len(writer.tokens),
        first_token_ms=(first - start) * 1000,
        total_ms=(time.monotonic() - start) * 1000,
    )


class _Writer:
    """The loop that picks tokens. Greedy at temperature 0, else seeded sampling."""

    def __init__(
        self, runtime: Runtime, stream: TextStream, temperature: float, seed: int, job: Job
    ) -> None:
        self._runtime = runtime
        self._stream = stream
        self._temperature = temperature
        self._random = np.random.default_rng(seed)
        self._job = job
        self.tokens: list[int] = []
        self._ends: list[int] = []
        """Length of the text after each token."""
        self.first_token_at: float | None = None

    def run(self, limit: int) -> Ending:
        """Write up to `limit` tokens."""
        ending: Ending = "length"
        while len(self.tokens) < limit:
            token = self._pick(self._runtime.logits())
            if self.first_token_at is None:
                self.first_token_at = time.monotonic()
            if token in self._runtime.ending_ids:
                ending = "end"
                break
            self._take(token)
            if self._stream.stopped:
                return "end"
            period = loop_period(self.tokens)
            if period:
                self._cut_loop(period)
                return "loop"
            try:
                self._job.checkpoint()
            except Cancelled:
                ending = "stopped"
                break
            if len(self.tokens) < limit:
                self._runtime.read_token(token)
        self._emit(self._stream.finish())
        return ending

    def _take(self, token: int) -> None:
        self.tokens.append(token)
        self._emit(self._stream.push(self._runtime.piece(token)))
        self._ends.append(len(self._stream.text))

    def _emit(self, text: str) -> None:
        if text:
            self._job.emit("token", {"text": text})

    def _cut_loop(self, period: int) -> None:
        """Keep the repeated block once in the finished text."""
        first = len(self.tokens) - 1
        while first >= period and self.tokens[first] == self.tokens[first - period]:
            first -= 1
        self._stream.text = self._stream.text[: self._ends[first]]

    def _pick(self, logits: NDArray[np.float32]) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        return sample(logits, self._temperature, self._random)


def sample(logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
    """Draw a token by nucleus sampling (p = 0.95; Holtzman et al. 2020, arXiv 1904.09751)."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    order = np.argsort(-weights)
    share = np.cumsum(weights[order]) / weights.sum()
    kept = order[: int(np.searchsorted(share, 0.95)) + 1]
    chosen = weights[kept] / weights[kept].sum()
    return int(random.choice(kept, p=chosen))


def count_tokens(runtime: Runtime, texts: Sequence[str]) -> list[int]:
    """Tokens of each text as untrusted text."""
    return [len(runtime.untrusted_tokens(text)) for text in texts]
