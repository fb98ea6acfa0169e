"""Answer modes against each other: how right, how attributed, how fast, per corpus and model.

`joint` is a plain llama-cpp-python loop over one prompt with all passages, in the engine's
wording; `habit` is the same loop with the prompt most scripts copy; `token` and `sequence` are
the engine's, over the same passages, in the same run, question by question. Span questions of
tatqa (settings were chosen on it) and covidqa (test only). `MODEL=path.gguf` adds another model
than the starter; `QUESTIONS=100` asks so many a set (40 by default; `sequence` gets a quarter
of them). Rows of a run that was broken off are kept in .bench/modes.jsonl and used again.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from engine.answers.fitting import passage_text, words_for
from engine.host.service import Engine
from engine.paths import Home
from engine.work.api import (
    AnswerReport,
    AskSpec,
    IndexSpec,
    ModelCard,
    PassageHit,
    SearchSpec,
)
from tests.benchmarks.answering import CORPORA, engine_threads, normal, plain_answer, token_f1
from tests.benchmarks.corpus import BENCH, paired_interval, plain

SETS = ("covidqa", "tatqa")
HABIT = (
    "You are an assistant for question-answering tasks. Use the following pieces of retrieved "
    "context to answer the question. If you don't know the answer, just say that you don't "
    "know. Use three sentences maximum and keep the answer concise.\n"
    "Question: {question} \nContext: {passages} \nAnswer:"
)
"""LangChain's rag-prompt: https://smith.langchain.com/hub/rlm/rag-prompt"""
PASSAGES = 4
MAX_TOKENS = 64
SEED = 7
KEPT = BENCH / "modes.jsonl"

Row = dict[str, Any]
Question = dict[str, Any]


def main() -> list[Row]:
    """Figures for every model, set and mode."""
    rows: list[Row] = []
    with Engine(Home(BENCH / "home")) as engine:
        models = [engine.models.find("smollm2")]
        if os.environ.get("MODEL"):
            models.append(engine.models.add(Path(os.environ["MODEL"])))
        for name in SETS:
            if not (CORPORA / name).is_dir():
                print(f"{name}: no corpus at {CORPORA}", flush=True)
                continue
            engine.index(IndexSpec(folder=str(CORPORA / name / "docs"), library=name))
            for card in models[::-1]:
                rows += Comparison(engine, card, name).run()
    return rows


def spans(name: str) -> list[Question]:
    """Seeded span questions of a set."""
    lines = (CORPORA / name / "qa.jsonl").read_text("utf-8").strip().split("\n")
    rows = [row for row in map(json.loads, lines) if row["answerable"]]
    rows = [row for row in rows if row["type"] in ("span", "extractive")]
    order = np.random.default_rng(SEED).permutation(len(rows))
    return [rows[n] for n in order[: int(os.environ.get("QUESTIONS", "40"))]]


class Comparison:
    """One model on one set.

    Args:
        engine: opened on the benchmarks' home.
        card: the model.
        name: the set, and the library of it.
    """

    def __init__(self, engine: Engine, card: ModelCard, name: str) -> None:
        self._engine = engine
        self._card = card
        self._name = name
        self._kept = {
            (row["model"], row["set"], row["mode"], row["id"]): row for row in _kept_rows()
        }

    def run(self) -> list[Row]:
        """Ask every question in every mode; figures and paired differences."""
        questions = spans(self._name)
        loop = PlainLoop(self._card, engine_threads(self._engine))
        modes: dict[str, Callable[[Question], Row]] = {
            "joint": loop.ask,
            "habit": loop.ask_as_usual,
            "token": lambda question: self._ask(question, "token"),
            "sequence": lambda question: self._ask(question, "sequence"),
        }
        done: dict[str, list[Row]] = {mode: [] for mode in modes}
        for number, question in enumerate(questions):
            hits = self._hits(question)
            for mode, ask in modes.items():
                if mode == "sequence" and number >= max(5, len(questions) // 4):
                    continue
                done[mode].append(self._once(mode, question, hits, ask))
            if number % 10 == 9:
                means = {m: f"{_mean(rows, 'f1'):.3f}" for m, rows in done.items()}
                print(f"{self._card.name} {self._name} {number + 1}: {means}", flush=True)
        loop.close()
        return self._figures(done)

    def _hits(self, question: Question) -> list[PassageHit]:
        found = self._engine.search(
            SearchSpec(query=question["question"], library=self._name, top=PASSAGES)
        )
        question["hits"] = found.passages
        return found.passages

    def _once(
        self, mode: str, question: Question, hits: list[PassageHit], ask: Callable[..., Row]
    ) -> Row:
        key = (self._card.id, self._name, mode, question["id"])
        if key in self._kept:
            return self._kept[key]
        row = ask(question)
        golds = question["answers"]
        row |= dict(zip(("model", "set", "mode", "id"), key, strict=True))
        row["f1"] = max(token_f1(row["answer"], gold) for gold in golds)
        row["em"] = max(float(normal(row["answer"]) == normal(gold)) for gold in golds)
        holds = [any(plain(gold) in plain(hit.text) for gold in golds) for hit in hits]
        row["reachable"] = any(holds)
        if row.get("top"):
            row["attributed"] = holds[row["top"] - 1]
        with KEPT.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        return row

    def _ask(self, question: Question, mode: Any) -> Row:
        report: AnswerReport = self._engine.ask(
            AskSpec(
                question=question["question"],
                library=self._name,
                model=self._card.id,
                mode=mode,
                top=PASSAGES,
                conversation="",
                refuse=False,
                max_tokens=MAX_TOKENS,
            )
        )
        weights: dict[int, float] = {}
        for sentence in report.sentences:
            for one in sentence.passages:
                weights[one.n] = weights.get(one.n, 0.0) + one.weight * len(sentence.text)
        return {
            "answer": plain_answer(report),
            "top": max(weights, key=weights.__getitem__) if weights else 0,
            "first_ms": report.timings.first_token_ms,
            "total_ms": report.timings.total_ms,
            "confidence": report.confidence,
        }

    def _figures(self, done: dict[str, list[Row]]) -> list[Row]:
        rows: list[Row] = []
        joint = {row["id"]: row for row in done["joint"]}
        for mode, found in done.items():
            if not found:
                continue
            what = f"{self._card.name} · {self._name} · {mode}"
            note = f"{len(found)} questions, {PASSAGES} passages"
            rows += [
                _figure(f"token F1, {what}", [row["f1"] for row in found], note),
                _figure(f"exact match, {what}", [row["em"] for row in found], note),
            ]
            known = [float(row["attributed"]) for row in found if "attributed" in row]
            reachable = [
                float(row["attributed"])
                for row in found
                if "attributed" in row and row["reachable"]
            ]
            if known:
                rows.append(
                    _figure(
                        f"top passage holds the answer, {what}",
                        reachable,
                        f"of {len(reachable)} whose answer stands in one of the passages",
                    )
                )
            for key, label in (("first_ms", "first token"), ("total_ms", "whole answer")):
                rows.append(
                    {
                        "name": f"{label}, {what}",
                        "value": statistics.median(row[key] for row in found),
                        "unit": "ms",
                        "note": "median, nothing kept of passages before",
                    }
                )
            if mode != "joint":
                pairs = [row["f1"] - joint[row["id"]]["f1"] for row in found]
                rows.append(_figure(f"token F1 minus joint, {what}", pairs, "paired"))
        return rows


class PlainLoop:
    """What a script with llama-cpp-python does: one prompt with all passages.

    Args:
        card: the model.
        threads: as many as the engine gets.
    """

    def __init__(self, card: ModelCard, threads: int) -> None:
        self._llama = llama_cpp.Llama(
            card.path,
            n_ctx=card.context_used,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )
        self._words = words_for(card, "joint")

    def ask(self, question: Question) -> Row:
        """The answer in the engine's wording, and its times in milliseconds."""
        messages = [{"role": "system", "content": self._words.system}]
        return self._ask(question, messages, self._words.user)

    def ask_as_usual(self, question: Question) -> Row:
        """The answer to the prompt most scripts copy."""
        return self._ask(question, [], HABIT)

    def _ask(self, question: Question, messages: list[dict[str, str]], form: str) -> Row:
        listed = self._words.between.join(passage_text(hit) for hit in question["hits"])
        content = form.replace("{question}", question["question"])
        content = content.replace("{passages}", listed)
        asked: Any = [*messages, {"role": "user", "content": content}]
        start = time.monotonic()
        first = 0.0
        pieces: list[str] = []
        self._llama.reset()
        stream: Any = self._llama.create_chat_completion(
            asked,
            max_tokens=MAX_TOKENS,
            temperature=0.0,
            stream=True,
        )
        for chunk in stream:
            text = chunk["choices"][0]["delta"].get("content")
            if text:
                first = first or time.monotonic()
                pieces.append(text)
        end = time.monotonic()
        return {
            "answer": "".join(pieces),
            "first_ms": ((first or end) - start) * 1000,
            "total_ms": (end - start) * 1000,
        }

    def close(self) -> None:
        """Free the model."""
        self._llama.close()


def _kept_rows() -> list[Row]:
    try:
        return [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return []


def _mean(rows: list[Row], key: str) -> float:
    return statistics.mean(row[key] for row in rows) if rows else float("nan")


def _figure(name: str, values: list[float], note: str) -> Row:
    low, high = paired_interval(np.asarray(values))
    return {
        "name": name,
        "value": statistics.mean(values),
        "low": low,
        "high": high,
        "unit": "",
        "note": note,
    }
