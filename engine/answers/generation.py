"""What goes to the generator process and what comes back: prompts and finished answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Ending = Literal["end", "length", "stopped", "loop"]
Mode = Literal["none", "joint", "token", "sequence"]


class Part(BaseModel):
    """A piece of a prompt; only trusted text may become control tokens.

    `kept`: a passage, whose computed state is worth keeping. `bound`: it follows a passage
    whatever is asked, and is computed and kept with it. `turn`: it ends an earlier turn, and
    what is computed up to there is worth keeping too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    trusted: bool = False
    kept: bool = False
    bound: bool = False
    turn: bool = False


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


SOFT_PROMPT_SUFFIX = ".safetensors"
SOFT_PROMPT_KEY = "prompt_embeddings"
MAX_SOFT_TOKENS = 1024


class AdapterUse(BaseModel):
    """An adapter's file, and how strongly it works: 1 as it was trained, 0 not at all.

    A GGUF file is a LoRA; a safetensors file holds a soft prompt under `SOFT_PROMPT_KEY`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    scale: float = 1.0


class Task(BaseModel):
    """One answer to write.

    `none` and `joint` have one prompt; `token` and `sequence` one for each passage, with
    `prior` the natural logarithms of the passages' probabilities.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode
    prompts: list[Prompt]
    prior: list[float] = Field(default_factory=list[float])
    adapters: list[AdapterUse] = Field(default_factory=list[AdapterUse])
    """What is put on the model for it; none for the model as it is."""
    max_tokens: int
    temperature: float = 0.0
    """0 always picks the likeliest token."""
    seed: int = 0
    threads: int = 1
    grammar: str = ""
    """GBNF that the answer has to follow, from its rule "root"; not with `sequence`."""


class WrittenToken(BaseModel):
    """One token of an answer. Probabilities are natural logarithms.

    `end`: length of the text after it; `own`: its probability as it was chosen; `under`: its
    probability under each passage (empty for a single prompt).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    end: int
    own: float
    under: list[float] = Field(default_factory=list[float])


class Alternative(BaseModel):
    """An answer that was weighed: its natural log-probability over all passages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    log_probability: float


class Generated(BaseModel):
    """A finished answer. Times in milliseconds from the call to the first and last token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    ending: Ending
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    first_token_ms: float
    total_ms: float
    tokens: list[WrittenToken] = Field(default_factory=list[WrittenToken])
    prior: list[float] = Field(default_factory=list[float])
    alternatives: list[Alternative] = Field(default_factory=list[Alternative])
