"""Questions and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.adapters import AdapterMix
from engine.work.api.base import View
from engine.work.api.search import Filter, PassageHit


class Said(View):
    """An earlier question and its answer."""

    question: str
    answer: str = ""


class AskSpec(View):
    """Ask one question.

    A spec that names a library means just what it says: these libraries, this filter. One
    that names none goes on where its conversation was: the same libraries, and the same
    filter unless it has one. Without a conversation it asks without documents, and so does
    mode none always.
    """

    question: str
    library: str | None = None
    libraries: list[str] = Field(default_factory=list[str])
    """Further libraries to search beside `library`."""
    filter: Filter = Filter()
    preset: str | None = None
    """Id or name of a preset for the system prompt; None for the conversation's own (for a
    new one that of the settings), "" for none."""
    rewrite: bool = True
    """Rewrite a question that leans on the conversation so that it stands alone."""
    replaces: int | None = None
    """Ask again in place of this turn of the conversation (its number, from 1): it and the
    turns after it are kept as an earlier version and no longer count."""
    seed: int | None = None
    """None: the most likely words (greedy). A number: drawn at temperature 0.7, for another
    wording of an answer."""
    model: str | None = None
    adapter: str = ""
    """Id or name of an adapter; its own model answers where none is named. "" for what is
    enabled for the model, "none" for the model as it is."""
    mix: list[AdapterMix] = Field(default_factory=list[AdapterMix])
    """Several adapters at once, each at its scale, in place of `adapter`."""
    mode: Literal["auto", "joint", "token", "sequence", "none"] = "auto"
    """How passages are read: all in one prompt (joint), each by itself and mixed at every
    word (token), each by itself and the whole answers weighed (sequence), or not at all.
    "auto" lets the engine choose for the model; the report says what and why."""
    refuse: bool | None = None
    """Say "Not in these documents" where they probably hold no answer; None: as the settings
    say. The report's `confidence` is there either way."""
    top: int | None = None
    """Passages in the prompt; None lets the engine choose for the model."""
    conversation: str | None = None
    """Conversation id to continue; None starts a new one; "" keeps nothing."""
    history: list[Said] = Field(default_factory=list[Said])
    """The turns before, oldest first, for a question that comes with its own; a conversation
    that is continued has its turns already."""
    max_tokens: int = 512


class Citation(View):
    """Evidence for the answer, checked: verified means text[start:end] == quote in the file."""

    n: int
    file_id: int
    path: str
    title: str
    heading: str
    page: int | None
    quote: str
    start: int
    end: int
    verified: bool
    library: str = ""
    place: str = ""


class PassageWeight(View):
    n: int
    weight: float


class Sentence(View):
    """One sentence of the answer.

    `passages`: where it came from, best first: with passages read apart (token, sequence)
    the probability that it came from each, else how much of it stands in each. `supported`:
    what it says was found in one of them, word for word or nearly, numbers and names too.
    """

    text: str
    passages: list[PassageWeight]
    supported: bool


class WordSource(View):
    """A word of the answer, its characters [start, end), and the passage it came from."""

    start: int
    end: int
    n: int
    weight: float
    """Probability that it came from passage `n`."""


class Timings(View):
    """Milliseconds since the question was received, the model already loaded."""

    retrieve_ms: float
    first_token_ms: float
    total_ms: float


class Tokens(View):
    prompt: int
    generated: int
    reused: int = 0
    """Tokens of the prompt that had been computed before."""


class Feedback(View):
    """What the user thought of an answer; `correction` is what it should have been."""

    verdict: Literal["up", "down", "none"]
    correction: str = ""
    at: str = ""


class AnswerReport(View):
    """The finished answer. `passages[n-1]` is the source shown as number n."""

    question: str
    answer: str
    refused: bool
    stopped: bool = False
    citations: list[Citation]
    sentences: list[Sentence]
    passages: list[PassageHit]
    mode: str
    mode_reason: str = ""
    """Why the engine chose this mode, where it was left to it."""
    coverage: str = ""
    """What of the documents was counted or read, for an answer over all of them (mode
    "count") or over one whole file (mode "whole")."""
    read: int = 0
    """How many of `passages` the model read, the first ones; the others are for the person."""
    model: str
    adapter: str | None = None
    """Id of the adapter that was on, or of several with their scales, as "a:0.5 + b:1"."""
    timings: Timings
    tokens: Tokens
    tokens_per_second: float = 0.0
    conversation: str = ""
    notice: str = ""
    turn: int = 0
    """Its number in the conversation, from 1; 0 when it is not kept."""
    asked_at: str = ""
    rewritten: str = ""
    """The question as it was searched for, when that is not the question as asked."""
    searched: str = ""
    """The very text the search was given, when that is not the question as asked: the
    question's own words stand in it twice, so that they outweigh those carried over."""
    libraries: list[str] = Field(default_factory=list[str])
    """Ids of the libraries searched."""
    filter: Filter = Filter()
    preset: str = ""
    feedback: Feedback | None = None
    words: list[WordSource] = Field(default_factory=list[WordSource])
    """Where each word came from, when passages were read apart."""
    confidence: float | None = None
    """Estimated probability that the documents hold the answer; None without documents."""
    guess: str = ""
    """What the model would have said, when the answer was refused."""
    versions: int = 1
    """How many answers this turn has had; this is the newest."""


# Events of a running `ask` request, in order:
#   "rewritten": {"question": str}             when the question was made to stand alone
#   "sources": {"passages": [PassageHit…]}     once, before the first token
#   "loading": {"model": str}                  when the model has to be loaded first
#   "token":   {"text": str, "weights"?: [float…]}  the next piece of the answer, and in mode
#              token the probability that it came from each passage read
# The final AnswerReport may carry citation marks "[n]" that the streamed text lacked.
