"""Counting questions: how many documents hold some words, and which. No model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

from engine.answers.answered import MAX_QUOTE, Made, finish
from engine.answers.intents import Count
from engine.answers.reporting import Asked, Clock
from engine.answers.sentences import Span, sentence_spans
from engine.work.api import AnswerReport, PassageHit
from engine.work.api.reading import CountReport, CountSpec, FileCount
from engine.work.jobs import Job

MOST_LISTED = 20
COUNTED = "the question asks how many documents hold some words, so all were counted"
HOW = (
    "Counted by the exact words, in any case and with English endings; documents that say it "
    "in other words are not counted."
)
TOGETHER = "Several words count where one passage holds them all."
_TOO_COMMON = "The words {subject} are too common to be counted: the index leaves them out."

CountPassages = Callable[[CountSpec, Job], CountReport]
Keys = Callable[[Sequence[str]], list[list[str]]]


class Counting:
    """Answers counting questions from the index.

    Args:
        count: counts over libraries.
        keys: the words of texts as the index compares them.
    """

    def __init__(self, count: CountPassages, keys: Keys) -> None:
        self._count = count
        self._keys = keys

    def answer(self, intent: Count, asked: Asked, clock: Clock, job: Job) -> AnswerReport:
        """The exact count, the files, and a place in each.

        Raises:
            InvalidInput: an unknown library, or a filter that says nothing.
            StorageDamaged: the index cannot be read.
            Cancelled: `job` was cancelled.
        """
        scope = asked.scope
        wanted = scope.filter
        if intent.kinds and not wanted.types:
            wanted = wanted.model_copy(update={"types": list(intent.kinds)})
        found = self._count(
            CountSpec(
                libraries=scope.libraries,
                filter=wanted,
                any_of=list(intent.any_of),
                most=MOST_LISTED,
            ),
            job,
        )
        clock.retrieved()
        made = Made("count", COUNTED, coverage=coverage(found))
        if found.too_common:
            made.say(_TOO_COMMON.format(subject=intent.subject))
        else:
            self._say(made, intent, found, scope.filter.empty())
        made.say(made.coverage, before="\n\n")
        job.emit("sources", {"passages": [hit.model_dump() for hit in made.passages]})
        job.emit("token", {"text": made.text})
        clock.token()
        return finish(made, asked, clock)

    def _say(self, made: Made, intent: Count, found: CountReport, everything: bool) -> None:
        which = f" of kind {intent.kinds[0]}" if intent.kinds else ""
        which += "" if everything else " that pass the filter"
        if not intent.any_of:
            verb = "is" if found.files == 1 else "are"
            made.say(f"There {verb} {_many(found.files, 'document')}{which}.")
            return
        made.say(_headline(found, which, intent.subject))
        quotes = self._places(intent, [one.best for one in found.counts])
        for one, place in zip(found.counts, quotes, strict=True):
            n = made.source(one.best)
            made.say(f"- {_line(one)}", [n])
            made.quote(n, place.start, place.end)
        left = found.files - len(found.counts)
        if left:
            made.say(f"- and {left:,} more")
        how = [HOW]
        if any(len(words) > 1 for words in self._keys([one.words for one in intent.any_of])):
            how.append(TOGETHER)
        if found.copies:
            how.append(
                f"{found.copies:,} of the files have the same bytes as another one; they count "
                "as files, their passages once."
            )
        if intent.sort:
            how.append(f"No file says which of them are {intent.noun}, so all were counted.")
        made.say(" ".join(how), before="\n\n")

    def _places(self, intent: Count, hits: Sequence[PassageHit]) -> list[Span]:
        """In each passage the sentence that holds most of the words."""
        texts = [text for one in intent.any_of for text in (one.words, *one.phrases)]
        wanted = {key for keys in self._keys(texts) for key in keys}
        spans = [_pieces(hit.text) for hit in hits]
        cut = [
            hit.text[span.start : span.end]
            for hit, some in zip(hits, spans, strict=True)
            for span in some
        ]
        held = iter(self._keys(cut))
        places: list[Span] = []
        for some in spans:
            scores = [len(wanted & set(next(held))) for _ in some]
            places.append(some[scores.index(max(scores))] if some else Span(0, 0))
        return places


def coverage(found: CountReport) -> str:
    """What a count covered, and what it did not."""
    files, passages = _many(found.files_all, "document"), _many(found.passages_all, "passage")
    said = (
        f"Counted over all {passages} of {files}." if found.files_all else "Nothing to count."
    )
    missing: list[str] = []
    if found.refused:
        missing.append(f"{_many(found.refused, 'file')} that could not be read")
    if found.waiting:
        missing.append(f"{_many(found.waiting, 'file')} still waiting to be read")
    if found.left_out:
        missing.append(f"libraries that have to be rebuilt: {', '.join(found.left_out)}")
    return f"{said} Not covered: {'; '.join(missing)}." if missing else said


def _headline(found: CountReport, which: str, subject: str) -> str:
    everything = f"{_many(found.files_all, 'document')}{which}"
    if not found.files:
        return f"None of the {everything} mentions {subject}."
    verb = "mentions" if found.files == 1 else "mention"
    places = f", in {_many(found.passages, 'passage')}" if found.passages else ""
    return f"{found.files:,} of the {everything} {verb} {subject}{places}:"


def _line(one: FileCount) -> str:
    name = PurePath(one.file.path).name
    title = "" if one.file.title in ("", name, PurePath(name).stem) else f" ({one.file.title})"
    if not one.passages:
        return f"{name}{title}: in its title"
    where = one.best.place or (f"page {one.best.page}" if one.best.page is not None else "")
    place = f", such as {where}" if where and one.passages > 1 else where and f", {where}"
    return f"{name}{title}: {_many(one.passages, 'passage')}{place}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _pieces(text: str) -> list[Span]:
    """Sentences; one longer than a quote may be comes in several."""
    pieces: list[Span] = []
    for span in sentence_spans(text):
        start = span.start
        while span.end - start > MAX_QUOTE:
            space = text.rfind(" ", start + 1, start + MAX_QUOTE)
            end = space if space > start else start + MAX_QUOTE
            pieces.append(Span(start, end))
            start = end + (text[end : end + 1] == " ")
        if span.end > start:
            pieces.append(Span(start, span.end))
    return pieces
