"""How good and how fast answers are, end to end: retrieve, prompt, generate, cite.

Seeded questions from three corpora that settings were chosen on, and one (covidqa) that
nothing was. Each set is indexed from the questions' own documents and others up to
`DOCUMENTS`. `MODEL=path.gguf` measures another model than the starter; `FULL=1` asks 400 a
set. Speed is compared with a plain llama-cpp-python loop over the same prompts in one run.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import statistics
import string
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from engine.answers.generation import Part, Prompt, Task, Turn
from engine.host.service import Engine
from engine.paths import Home
from engine.work.api import AnswerReport, AskSpec, IndexSpec, ModelCard

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora" / "qa"
SETS = ("tatqa", "mtrag-un", "pubmedqa", "covidqa")
DOCUMENTS = 60
SEED = 11
SPEED_PROMPTS = 10
SPEED_TOKENS = 48

Row = dict[str, Any]
Question = dict[str, Any]


def main() -> list[Row]:
    """Figures for every set and for speed; sets that are missing are left out."""
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder,
        Engine(Home(Path(folder) / "home")) as engine,
    ):
        card = chosen_model(engine)
        for name in SETS:
            if not (CORPORA / name).is_dir():
                print(f"{name}: no corpus at {CORPORA}", flush=True)
                continue
            rows += measure(engine, card, name, Path(folder) / name)
        rows += speed(engine, card)
    return rows


def chosen_model(engine: Engine) -> ModelCard:
    """The starter, or the file named by MODEL."""
    path = os.environ.get("MODEL")
    return engine.models.add(Path(path)) if path else engine.models.find(None)


def measure(engine: Engine, card: ModelCard, name: str, folder: Path) -> list[Row]:
    """Token F1, citations and times on one set."""
    questions = sample(name, 400 if os.environ.get("FULL") else 40)
    copy_documents(name, questions, folder)
    engine.index(IndexSpec(folder=str(folder), library=name))
    engine.generator.warm(card)
    scores: list[float] = []
    reports: list[AnswerReport] = []
    for number, question in enumerate(questions):
        spec = AskSpec(
            question=question["question"],
            library=name,
            model=card.id,
            conversation="",
            max_tokens=96,
        )
        report = engine.ask(spec)
        reports.append(report)
        scores.append(score(name, question, plain_answer(report)))
        if number % 10 == 9:
            print(f"{name}: {number + 1} of {len(questions)}", flush=True)
    low, high = interval(scores)
    cited = [report for report in reports if report.citations]
    first = [report.timings.first_token_ms for report in reports]
    wrong = [c for report in reports for c in report.citations if not c.verified]
    what = f"{card.name} · {name}"
    return [
        {
            "name": f"token F1, {what}",
            "value": statistics.mean(scores),
            "low": low,
            "high": high,
            "unit": "",
            "note": f"{len(scores)} answerable questions",
        },
        {"name": f"answers with a citation, {what}", "value": len(cited) / len(reports)},
        {"name": f"citations that do not verify, {what}", "value": len(wrong)},
        {"name": f"refused though answerable, {what}", "value": refused_share(reports)},
        {
            "name": f"first token, {what}",
            "value": statistics.median(first),
            "unit": "ms",
            "note": "median, retrieval included, model loaded",
        },
        {
            "name": f"retrieval, {what}",
            "value": statistics.median(r.timings.retrieve_ms for r in reports),
            "unit": "ms",
        },
    ]


def refused_share(reports: list[AnswerReport]) -> float:
    """Share of answers that say there is none."""
    return sum(report.refused for report in reports) / len(reports)


def plain_answer(report: AnswerReport) -> str:
    """The answer without citation marks."""
    return " ".join(sentence.text for sentence in report.sentences) or report.answer


def sample(name: str, count: int) -> list[Question]:
    """Seeded answerable questions whose answers are words, not derivations."""
    # Not splitlines(): questions hold line separators other than "\n".
    lines = (CORPORA / name / "qa.jsonl").read_text("utf-8").strip().split("\n")
    rows = [row for row in map(json.loads, lines) if row["answerable"]]
    if name == "tatqa":
        rows = [row for row in rows if row["type"] in ("span", "multi-span")]
    if name == "mtrag-un":
        rows = [row for row in rows if row["type"] == "ANSWERABLE"]
    random.Random(SEED).shuffle(rows)
    return rows[:count]


def copy_documents(name: str, questions: list[Question], folder: Path) -> None:
    """The questions' documents, and others until there are `DOCUMENTS`."""
    folder.mkdir()
    docs = CORPORA / name / "docs"
    wanted = {doc for question in questions for doc in question["gold_docs"]}
    others = sorted(path.name for path in docs.iterdir() if path.name not in wanted)
    random.Random(SEED).shuffle(others)
    for doc in [*sorted(wanted), *others[: max(0, DOCUMENTS - len(wanted))]]:
        shutil.copy(docs / doc, folder / doc)


def score(name: str, question: Question, answer: str) -> float:
    """Token F1 against the best gold answer (for pubmedqa, against the long answer)."""
    if name == "pubmedqa":
        return token_f1(answer, question["extra"]["long_answer"])
    if name == "tatqa":
        return token_f1(answer, " ".join(question["answers"]))
    return max(token_f1(answer, gold) for gold in question["answers"])


def token_f1(answer: str, gold: str) -> float:
    """SQuAD's token F1 (Rajpurkar et al. 2016, arXiv 1606.05250)."""
    said, wanted = normal(answer), normal(gold)
    common = sum((Counter(said) & Counter(wanted)).values())
    if not said or not wanted or not common:
        return float(said == wanted)
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def normal(text: str) -> list[str]:
    """Words without case, punctuation and articles."""
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def interval(values: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(SEED).choice(values, (2000, len(values))).mean(axis=1)
    return float(np.percentile(draws, 2.5)), float(np.percentile(draws, 97.5))


# --- speed --------------------------------------------------------------------------------


def speed(engine: Engine, card: ModelCard) -> list[Row]:
    """First token and rate of writing against `llama_cpp.Llama` on the same cold prompts."""
    texts = [passage_like(n) for n in range(SPEED_PROMPTS)]
    plain = llama_cpp.Llama(
        card.path,
        n_ctx=card.context_used,
        n_threads=engine_threads(engine),
        n_threads_batch=engine_threads(engine),
        verbose=False,
    )
    ours_first: list[float] = []
    theirs_first: list[float] = []
    ours_rate: list[float] = []
    theirs_rate: list[float] = []
    with engine.generator.using(card) as model:
        for text in texts:
            first, rate = ours(model, text)
            ours_first.append(first)
            ours_rate.append(rate)
            first, rate = theirs(plain, text)
            theirs_first.append(first)
            theirs_rate.append(rate)
    plain.close()
    name = card.name
    cold = statistics.median(a / b for a, b in zip(ours_first, theirs_first, strict=True))
    rate = statistics.median(a / b for a, b in zip(ours_rate, theirs_rate, strict=True))
    return [
        {
            "name": f"cold first token against a plain llama-cpp-python loop, {name}",
            "value": cold,
            "unit": "times",
            "note": f"median of {SPEED_PROMPTS} pairs; below 1 is faster",
        },
        {
            "name": f"rate of writing against the same loop, {name}",
            "value": rate,
            "unit": "times",
            "note": "above 1 is faster",
        },
        {
            "name": f"rate of writing, {name}",
            "value": statistics.median(ours_rate),
            "unit": "tokens/s",
        },
    ]


def engine_threads(engine: Engine) -> int:
    """Threads a question gets."""
    with engine.lease.hold("question") as cores:
        return cores


def passage_like(number: int) -> str:
    """About 250 tokens, different from the first word on, so that nothing can be reused."""
    chance = random.Random(number)
    words = ["rain", "wind", "snow", "station", "harbour", "ledger", "barley", "copper"]
    return " ".join([f"Entry {number}.", *(chance.choice(words) for _ in range(230))])


def ours(model: Any, text: str) -> tuple[float, float]:
    """Seconds to the first token and tokens/s, through the generator process."""
    content = f"{text}\n\nTell a long story about this."
    prompt = Prompt(
        turns=[
            Turn(role="system", content=[Part(text=f"{text[:9]} You tell stories.")]),
            Turn(role="user", content=[Part(text=content)]),
        ],
        plain=[Part(text=content)],
    )
    times: list[float] = []
    start = time.monotonic()
    task = Task(mode="none", prompts=[prompt], max_tokens=SPEED_TOKENS)
    made = model.generate(task, on_token=lambda piece, weights: times.append(time.monotonic()))
    rate = (made.generated_tokens - 1) / max(1e-9, (made.total_ms - made.first_token_ms) / 1000)
    return times[0] - start, rate


def theirs(plain: llama_cpp.Llama, text: str) -> tuple[float, float]:
    """The same by the library's own streaming chat call."""
    content = f"{text}\n\nTell a long story about this."
    times: list[float] = []
    start = time.monotonic()
    stream: Any = plain.create_chat_completion(
        [
            {"role": "system", "content": f"{text[:9]} You tell stories."},
            {"role": "user", "content": content},
        ],
        max_tokens=SPEED_TOKENS,
        temperature=0.0,
        stream=True,
    )
    for chunk in stream:
        if chunk["choices"][0]["delta"].get("content"):
            times.append(time.monotonic())
    return times[0] - start, (len(times) - 1) / max(1e-9, times[-1] - times[0])
