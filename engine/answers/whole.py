"""One file read from beginning to end: its most central sentences, or a model's wording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from engine.answers import budget
from engine.answers.answered import Made, finish
from engine.answers.citations import cite
from engine.answers.extracts import extract
from engine.answers.generator import Generator
from engine.answers.pieces import Notes, PieceReader
from engine.answers.reporting import UNSUPPORTED, Asked, Clock
from engine.answers.words import STOP_WORDS, tokenize
from engine.errors import InvalidInput
from engine.work.api import AnswerReport, ModelCard, PassageHit
from engine.work.api.reading import DocumentText, HeldDocument
from engine.work.jobs import Job

WORDED_PARAMETERS = 1_000_000_000
"""Models below this size ramble over notes; the file's own sentences are shown instead."""
MOST_PAGES = 300
MOST_PASSAGES = 2000
"""About 600 pages of prose, for files that have no pages."""
_CANDIDATES = 24
"""Passages that a sentence of a worded answer is compared with."""

ReadDocument = Callable[[str, int, int], DocumentText]
"""(library, file id, most passages): the passages in order."""


@dataclass(frozen=True)
class _Read:
    """What of a file is looked at; `cut`: it goes on behind that."""

    file: HeldDocument
    passages: list[PassageHit]
    missing: int
    cut: bool


class WholeDocument:
    """Answers questions about one whole file.

    Args:
        generator: words the answer where the model is large enough.
        read: gives a file's passages in order.
    """

    def __init__(self, generator: Generator, read: ReadDocument) -> None:
        self._generator = generator
        self._read = read

    def answer(
        self, file: HeldDocument, asked: Asked, max_tokens: int, clock: Clock, job: Job
    ) -> AnswerReport:
        """What the file as a whole says, and what of it was read.

        Raises:
            InvalidInput: the file is no longer in the library, or holds no text.
            LibraryOutdated, StorageDamaged: its passages cannot be read.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be run.
            Cancelled: stopped before there was anything to show.
        """
        job.checkpoint()
        read = self._look(file)
        clock.retrieved()
        job.checkpoint()
        if asked.card.parameters < WORDED_PARAMETERS:
            made = _extracted(read, asked.card, job)
            job.emit("sources", {"passages": [hit.model_dump() for hit in made.passages]})
            job.emit("token", {"text": made.text})
        else:
            made = self._worded(read, asked, max_tokens, clock, job)
        clock.token()
        return finish(made, asked, clock)

    def _look(self, file: HeldDocument) -> _Read:
        text = self._read(file.library, file.file_id, MOST_PASSAGES)
        kept = [hit for hit in text.passages if hit.page is None or hit.page <= MOST_PAGES]
        if not kept:
            raise InvalidInput(
                f"{PurePath(file.path).name} holds no text that was read.",
                hint="Open it, or ask about another file.",
            )
        cut = len(kept) + text.missing < text.file.passages
        return _Read(text.file, kept, text.missing, cut)

    def _worded(
        self, read: _Read, asked: Asked, max_tokens: int, clock: Clock, job: Job
    ) -> Made:
        card = asked.card
        first = read.passages[: budget.SOURCES_SHOWN]
        job.emit("sources", {"passages": [hit.model_dump() for hit in first]})

        def on_loading() -> None:
            job.emit("loading", {"model": card.name})

        def on_token(text: str) -> None:
            clock.token()
            job.emit("token", {"text": text})

        limit = budget.answer_tokens(card.context_used, max_tokens)
        reader = PieceReader(self._generator, card, asked.question, limit, job, on_loading)
        notes = reader.read([_with_header(hit) for hit in read.passages], on_token)
        seen = sum(notes.pieces)
        reason = f"the question asks for a whole file, so it was read in order by {card.name}"
        made = Made("whole", reason, model=card.id)
        made.prompt_tokens, made.generated_tokens = notes.prompt_tokens, notes.generated_tokens
        made.stopped = notes.ending == "stopped"
        _cite(made, _said(notes), asked.question, read.passages[:seen])
        ahead = _Read(
            read.file, read.passages[:seen], read.missing, read.cut or seen < len(read.passages)
        )
        made.coverage = coverage(ahead, len(notes.pieces))
        made.text = f"{made.text}\n\n{made.coverage}"
        if notes.ending == "length":
            made.notice = f"{made.notice} The answer was cut after {limit} tokens.".strip()
        return made


def _extracted(read: _Read, card: ModelCard, job: Job) -> Made:
    """The most central sentences; nothing in them is anybody's wording but the file's."""
    reason = (
        "the question asks for a whole file; a model of this size words that badly, so its "
        "most central sentences are shown"
    )
    made = Made("whole", reason, coverage=coverage(read))
    made.text = f"The most central sentences of {_name(read.file)}, word for word:"
    before = "\n\n"
    for one in extract(read.passages, job=job):
        hit = read.passages[one.passage]
        n = made.source(hit)
        text = " ".join(hit.text[one.place.start : one.place.end].split()).lstrip("•-*– ")
        made.say(f"- {text}", [n], before)
        made.quote(n, one.place.start, one.place.end)
        before = "\n"
    made.text += (
        f"\n\n{made.coverage} No model worded this: {card.name} is too small to do it well."
    )
    return made


def coverage(read: _Read, pieces: int = 0) -> str:
    """What of the file was read, in a sentence."""
    last = max((hit.page for hit in read.passages if hit.page is not None), default=0)
    total = read.file.pages
    if total and last:
        what = f"pages 1–{total} of {total}"
        if read.cut:
            what = f"the first {last} of {total} pages; the rest was not read"
    else:
        count, everything = len(read.passages), read.file.passages
        what = f"all {_many(count, 'passage')}"
        if read.cut:
            what = f"the first {count:,} of {everything:,} passages; the rest was not read"
    said = f"Read in {_many(pieces, 'piece')}, {what}." if pieces else f"Read: {what}."
    if read.file.scan_pages:
        said += f" {_many(read.file.scan_pages, 'scanned page')} not read so far."
    if read.missing:
        said += f" {_many(read.missing, 'passage')} missing from the index."
    return said


def _name(file: HeldDocument) -> str:
    return PurePath(file.path).name


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _with_header(hit: PassageHit) -> str:
    return f"{hit.header}\n{hit.text}" if hit.header else hit.text


def _said(notes: Notes) -> str:
    """The answer, or what there is of it: the notes on the pieces that were read."""
    if notes.answer:
        return notes.answer
    return "\n".join(f"- {' '.join(note.split())}" for note in notes.texts if note)


def _cite(made: Made, answer: str, question: str, passages: Sequence[PassageHit]) -> None:
    """Put the marks into a worded answer; only passages that are cited become sources."""
    near = _nearest(answer, passages)
    cited = cite(answer, question, near)
    used = sorted({citation.n for citation in cited.citations})
    shown = [near[n - 1] for n in used] or near[: budget.SOURCES_SHOWN]
    cited = cite(answer, question, shown)
    made.text, made.passages = cited.text, shown
    made.citations, made.sentences = cited.citations, cited.sentences
    if answer.strip() and not cited.citations:
        made.notice = UNSUPPORTED


def _nearest(answer: str, passages: Sequence[PassageHit]) -> list[PassageHit]:
    """The passages that share most of the answer's rarer words, in the file's order."""
    held = [{token.key for token in tokenize(_with_header(hit))} for hit in passages]
    spread = Counter(key for keys in held for key in keys)
    said = {token.key for token in tokenize(answer)} - STOP_WORDS
    scores = [sum(1.0 / spread[key] for key in said & keys) for keys in held]
    best = sorted(range(len(held)), key=lambda n: (-scores[n], n))[:_CANDIDATES]
    return [passages[n] for n in sorted(best)]
