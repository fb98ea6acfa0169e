"""What every answer that no passage search made has in common: its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.answers.reporting import Asked, Clock, place_report
from engine.work.api import (
    AnswerReport,
    Citation,
    PassageHit,
    PassageWeight,
    Sentence,
    Tokens,
)

MAX_QUOTE = 300


@dataclass
class Made:
    """An answer on its way, line by line; `passages[n-1]` is source n."""

    mode: str
    reason: str
    text: str = ""
    passages: list[PassageHit] = field(default_factory=list[PassageHit])
    citations: list[Citation] = field(default_factory=list[Citation])
    sentences: list[Sentence] = field(default_factory=list[Sentence])
    coverage: str = ""
    notice: str = ""
    model: str = ""
    stopped: bool = False
    prompt_tokens: int = 0
    generated_tokens: int = 0

    def say(self, text: str, sources: Sequence[int] = (), before: str = "\n") -> None:
        """Add a line that is known to be so, with the numbers of its sources."""
        marks = "".join(f"[{n}]" for n in sources)
        self.text += (before if self.text else "") + text + (f" {marks}" if marks else "")
        weights = [PassageWeight(n=n, weight=1.0) for n in sources]
        self.sentences.append(Sentence(text=text, passages=weights, supported=True))

    def source(self, hit: PassageHit) -> int:
        """The number of a source, which is added when it is new."""
        for n, known in enumerate(self.passages, 1):
            if (known.passage_id, known.file_id) == (hit.passage_id, hit.file_id):
                return n
        self.passages.append(hit)
        return len(self.passages)

    def quote(self, n: int, start: int, end: int) -> None:
        """Cite characters [start, end) of source `n`'s text."""
        hit = self.passages[n - 1]
        quote = hit.text[start : min(end, start + MAX_QUOTE)]
        self.citations.append(
            Citation(
                n=n,
                file_id=hit.file_id,
                path=hit.path,
                title=hit.title,
                heading=hit.heading,
                page=hit.page,
                quote=quote,
                start=hit.start + start,
                end=hit.start + start + len(quote),
                verified=bool(quote) and hit.start + start + len(quote) <= hit.end,
                library=hit.library,
                place=hit.place,
            )
        )


def finish(made: Made, asked: Asked, clock: Clock) -> AnswerReport:
    """The report of an answer that was made."""
    notices = [asked.scope.notice, made.notice]
    report = AnswerReport(
        question=asked.question,
        answer=made.text,
        refused=False,
        stopped=made.stopped,
        citations=made.citations,
        sentences=made.sentences,
        passages=made.passages,
        mode=made.mode,
        mode_reason=made.reason,
        coverage=made.coverage,
        model=made.model,
        timings=clock.timings(),
        tokens=Tokens(prompt=made.prompt_tokens, generated=made.generated_tokens),
        notice=" ".join(notice for notice in notices if notice),
    )
    return place_report(report, asked)
