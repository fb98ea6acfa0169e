"""Answers of the scripted host that say where their words came from, or refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.work import api

APART = (
    "For an eGFR of 38 the dose is at most **1,000 mg** a day [1]. "
    "Do not start the drug between 30 and 44 [2]. "
    "Patients drink green tea."
)
WHY_APART = "a model of this size answers better so"
GUESS = "The capital of France is *Paris*, as everybody knows. " * 30
REFUSAL = "Not in these documents."
COVERED = "All 12 pages of plan.pdf were read, in 4 pieces."

Share = tuple[int, float]
_SENTENCE = re.compile(r"\S.*?\.(?=\s|$)")
_MARK = re.compile(r" \[\d\]")
_WORD = re.compile(r"\S+")


def attributed(report: api.AnswerReport, text: str, shares: Sequence[Sequence[Share]]) -> None:
    """Make `report` one whose passages were read apart.

    Args:
        report: changed in place.
        text: the answer, one sentence for each of `shares`, with marks at the ends alone.
        shares: of a sentence, passage numbers and weights, best first; none: unsupported.
    """
    report.answer, report.mode, report.mode_reason = text, "token", WHY_APART
    report.sentences, report.words = [], []
    for found, weights in zip(_SENTENCE.finditer(text), shares, strict=True):
        plain = _MARK.sub("", found.group())
        report.sentences.append(
            api.Sentence(
                text=plain.rstrip("."),
                passages=[api.PassageWeight(n=n, weight=weight) for n, weight in weights],
                supported=bool(weights),
            )
        )
        n, weight = weights[0] if weights else (3, 0.4)
        report.words += [
            api.WordSource(
                start=found.start() + word.start(),
                end=found.start() + word.end(),
                n=n,
                weight=weight,
            )
            for word in _WORD.finditer(plain.rstrip("."))
        ]


def refused(report: api.AnswerReport) -> None:
    """Make `report` a refusal that keeps what the model wrote as a guess."""
    report.answer, report.refused, report.guess = REFUSAL, True, GUESS.strip()
    report.citations, report.sentences, report.words = [], [], []
    report.mode, report.mode_reason = "token", WHY_APART


def shaped(question: str, report: api.AnswerReport, mode: str = "auto") -> api.AnswerReport:
    """The report that a question is known for; any other is read as `mode` says."""
    if mode != "auto":
        report.mode = mode
    if question.startswith("apart"):
        attributed(report, APART, [[(1, 0.93), (2, 0.05)], [(2, 0.88), (1, 0.12)], []])
    elif question == "refuse":
        refused(report)
    elif question == "whole":
        report.mode = "whole"
        report.coverage = COVERED
    elif question == "together":
        report.answer = "The dose is 1,000 mg a day. Patients drink green tea."
        report.sentences = [
            api.Sentence(
                text="The dose is 1,000 mg a day.",
                passages=[api.PassageWeight(n=1, weight=0.7)],
                supported=True,
            ),
            api.Sentence(text="Patients drink green tea.", passages=[], supported=False),
        ]
    return report
