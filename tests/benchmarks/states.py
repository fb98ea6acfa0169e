"""What kept states save before the first word, and that they change no answer.

Questions of the sample folder and, where the corpora are, some about documents of tatqa, asked
with the passages that a search finds for them. Each is answered in one run with nothing kept,
with everything kept, and by a plain llama-cpp-python loop over one prompt of the same passages.
Follow-ups are asked after the question before them, and by themselves.
`MODEL=path.gguf` measures another model than the starter.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp

from engine.answers import fast_copy
from engine.answers.fitting import Fitting, words_for
from engine.answers.generation import Generated, Mode, Prompt, Task
from engine.answers.generator import Generator
from engine.answers.prior import log_prior
from engine.answers.prompts import Exchange
from engine.answers.states import clear
from engine.host.service import Engine
from engine.paths import Home, resources_dir, sample_dir
from engine.work.api import IndexSpec, ModelCard, PassageHit, SearchSpec
from engine.work.jobs import NULL_JOB
from tests.benchmarks.answering import CORPORA, chosen_model, copy_documents, sample

PASSAGES = 4
ANSWER_TOKENS = 16
OTHERS = 2
"""Questions about other documents than the sample folder's."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Asking:
    """A question and the passages found for it."""

    question: str
    passages: list[PassageHit]


@dataclass
class Times:
    """Seconds to the first token of the same questions, answered cold and with states kept.

    `same`: answers that were identical, in every token and its probability.
    """

    cold: list[float] = field(default_factory=list[float])
    kept: list[float] = field(default_factory=list[float])
    same: int = 0

    def add(self, cold: tuple[Generated, float], kept: tuple[Generated, float]) -> None:
        """One question answered with nothing kept and with everything kept."""
        self.cold.append(cold[1])
        self.kept.append(kept[1])
        self.same += cold[0].text == kept[0].text and cold[0].tokens == kept[0].tokens


def main() -> list[Row]:
    """Figures for the model; whatever is missing is left out."""
    with (
        tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder,
        Engine(Home(Path(folder) / "home")) as engine,
    ):
        card = chosen_model(engine)
        asks = askings(engine, Path(folder))
        starter = card.id == engine.models.find(None).id and not os.environ.get("MODEL")
        ways: list[tuple[Mode, int]] = [("joint", 1 if starter else PASSAGES)]
        ways.append(("token", PASSAGES))
        rows: list[Row] = []
        with engine.generator.using(card) as model:
            bench = Bench(engine, model, card)
            for mode, count in ways:
                rows += shown(bench.kept_against_cold(asks, mode, count))
            for mode in ("joint", "token"):
                rows += shown(bench.against_plain_loop(asks, mode))
            rows += shown(bench.follow_ups(asks))
        return rows


def shown(rows: list[Row]) -> list[Row]:
    """The rows, printed as soon as they are there: the whole takes minutes."""
    for row in rows:
        print(f"{row['name']}: {row['value']:.3f} ({row['note']})", flush=True)
    return rows


def askings(engine: Engine, folder: Path) -> list[Asking]:
    """The sample folder's answerable questions and a few about other documents."""
    lines = (resources_dir() / "sample-questions.jsonl").read_text("utf-8").splitlines()
    questions = [row["question"] for row in map(json.loads, lines) if row["answerable"]]
    wanted = 16 if os.environ.get("FULL") else 6
    made = found(engine, sample_dir(), "sample", questions[:wanted])
    if (CORPORA / "tatqa").is_dir():
        others = sample("tatqa", OTHERS)
        copy_documents("tatqa", others, folder / "tatqa")
        made += found(engine, folder / "tatqa", "tatqa", [row["question"] for row in others])
    return made


def found(engine: Engine, folder: Path, name: str, questions: list[str]) -> list[Asking]:
    """The passages for each question, from a new library over `folder`."""
    engine.index(IndexSpec(folder=str(folder), library=name))
    made: list[Asking] = []
    for question in questions:
        spec = SearchSpec(query=question, library=name, top=PASSAGES)
        passages = engine.search(spec).passages
        if len(passages) == PASSAGES:
            made.append(Asking(question, passages))
    return made


class Bench:
    """One loaded model, and what is measured with it.

    Args:
        engine: whose home holds the states.
        model: the generator with the model loaded.
        card: the model.
    """

    def __init__(self, engine: Engine, model: Generator, card: ModelCard) -> None:
        self._engine = engine
        self._model = model
        self._card = card

    def task(
        self, asking: Asking, mode: Mode, count: int, history: Sequence[Exchange] = ()
    ) -> Task:
        """A question as the engine asks it, for an answer of a few words."""
        hits, words = asking.passages[:count], words_for(self._card, mode)
        fitting = Fitting(self._model, self._card, mode, words, ANSWER_TOKENS, NULL_JOB)
        context = fitting.fit(asking.question, asking.question, hits, history)
        return Task(
            mode=mode,
            prompts=context.prompts,
            prior=log_prior(context.shown) if mode == "token" else [],
            max_tokens=ANSWER_TOKENS,
        )

    def forget(self) -> None:
        """Nothing is kept from now on, in memory or on disk."""
        self._model.forget()
        clear(self._engine.home.states)

    def answer(self, wanted: Task) -> tuple[Generated, float]:
        """An answer, and the seconds to its first token as a caller sees them."""
        times: list[float] = []
        start = time.monotonic()
        made = self._model.generate(
            wanted, on_token=lambda text, weights: times.append(time.monotonic())
        )
        return made, (times or [time.monotonic()])[0] - start

    def kept_against_cold(self, asks: list[Asking], mode: Mode, count: int) -> list[Row]:
        """The same question with its passages kept and with nothing kept."""
        times = Times()
        for ask in asks:
            wanted = self.task(ask, mode, count)
            self.forget()
            cold, kept = self.answer(wanted), self.answer(wanted)
            times.add(cold, kept)
        what = f"{mode} with {count} passage{'s' if count > 1 else ''}, {self._card.name}"
        return self._rows(f"first token with passages kept against none kept, {what}", times)

    def follow_ups(self, asks: list[Asking]) -> list[Row]:
        """A second question about the same passages after the first, and by itself."""
        times = Times()
        for ask in asks:
            self.forget()
            first, _ = self.answer(self.task(ask, "joint", PASSAGES))
            said = Exchange(ask.question, first.text)
            again = Asking("where is that written, and what else is said there?", ask.passages)
            wanted = self.task(again, "joint", PASSAGES, [said])
            kept = self.answer(wanted)
            self.forget()
            times.add(self.answer(wanted), kept)
        what = f"joint with {PASSAGES} passages, {self._card.name}"
        return self._rows(
            f"first token of a follow-up against the same one cold, {what}", times
        )

    def against_plain_loop(self, asks: list[Asking], mode: Mode) -> list[Row]:
        """Passages read with nothing kept, against one prompt of them in a plain loop."""
        files = {"": Path(self._card.path)}
        if fast_copy.wanted(
            self._card.quantization, self._card.size_bytes, self._card.gpu_layers
        ):
            (copy,) = self._engine.home.states.glob("*.gguf")
            files[" over the engine's 8-bit copy"] = copy
        with self._engine.lease.hold("question") as threads:
            pass  # as many as a question gets
        loops = {
            kind: llama_cpp.Llama(
                str(path),
                n_ctx=self._card.context_used,
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
            for kind, path in files.items()
        }
        ours: list[float] = []
        theirs: dict[str, list[float]] = {kind: [] for kind in loops}
        for ask in asks:
            self.forget()
            wanted = self.task(ask, mode, PASSAGES).model_copy(update={"max_tokens": 1})
            ours.append(self.answer(wanted)[1])
            prompt = self.task(ask, "joint", PASSAGES).prompts[0]
            for kind, plain in loops.items():
                theirs[kind].append(plain_first_token(plain, prompt))
        for plain in loops.values():
            plain.close()
        return [
            {
                "name": f"cold first token in {mode} mode with {PASSAGES} passages against "
                f"a plain llama-cpp-python loop over one prompt of them{kind}, "
                f"{self._card.name}",
                "value": middle_ratio(ours, times),
                "unit": "times",
                "note": f"median of {len(asks)} pairs, {middle_ms(ours)} against "
                f"{middle_ms(times)} ms{under_load()}",
            }
            for kind, times in theirs.items()
        ]

    def _rows(self, name: str, times: Times) -> list[Row]:
        count = len(times.cold)
        return [
            {
                "name": name,
                "value": middle_ratio(times.kept, times.cold),
                "unit": "times",
                "note": f"median of {count} pairs, {middle_ms(times.kept)} against "
                f"{middle_ms(times.cold)} ms; {times.same} of {count} greedy answers "
                f"identical{under_load()}",
            }
        ]


def plain_first_token(plain: llama_cpp.Llama, prompt: Prompt) -> float:
    """Seconds to the first token by the library's own streaming call, nothing kept."""
    plain.reset()
    messages: Any = [
        {"role": turn.role, "content": "".join(part.text for part in turn.content)}
        for turn in prompt.turns
    ]
    start = time.monotonic()
    stream: Any = plain.create_chat_completion(
        messages, max_tokens=ANSWER_TOKENS, temperature=0.0, stream=True
    )
    first = next(
        (time.monotonic() for chunk in stream if chunk["choices"][0]["delta"].get("content")),
        time.monotonic(),
    )
    stream.close()
    return first - start


def middle_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of the pairs' ratios."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def middle_ms(seconds: Sequence[float]) -> str:
    """The median in milliseconds, for a note."""
    return f"{statistics.median(seconds) * 1000:,.0f}"


def under_load() -> str:
    """What else the processor has to do, where that is enough to disturb."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f"; on a busy machine (load {load:.0f} on {cores} cores)" if load > 2 * cores else ""
