"""Questions that no search can answer, to whom can: those that count, those on a whole file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from engine.answers.answered import Made, finish
from engine.answers.counting import Counting, CountPassages, Keys
from engine.answers.generator import Generator
from engine.answers.intents import Count, Whole, recognise
from engine.answers.naming import find_named
from engine.answers.reporting import Asked, Clock
from engine.answers.whole import ReadDocument, WholeDocument
from engine.work.api import AnswerReport
from engine.work.api.reading import FilesSpec, HeldDocument
from engine.work.jobs import Job

_NAMED_AT_MOST = 10
WHICH_FILE = "the question asks for a whole file, and several can be meant"


@dataclass(frozen=True)
class Holdings:
    """What is asked of libraries beside their search; see `engine.library.holdings`."""

    files: Callable[[FilesSpec], list[HeldDocument]]
    read: ReadDocument
    count: CountPassages
    keys: Keys


class Routing:
    """Recognises and answers such questions.

    Args:
        generator: words what is said of a whole file.
        holdings: what the libraries hold.
    """

    def __init__(self, generator: Generator, holdings: Holdings) -> None:
        self._files = holdings.files
        self._counting = Counting(holdings.count, holdings.keys)
        self._whole = WholeDocument(generator, holdings.read)

    def answer(
        self, asked: Asked, max_tokens: int, clock: Clock, job: Job
    ) -> AnswerReport | None:
        """The answer; None for every question that is to be searched for.

        Raises:
            As `Counting.answer` and `WholeDocument.answer`.
        """
        intent = recognise(asked.question)
        if isinstance(intent, Count):
            return self._counting.answer(intent, asked, clock, job)
        if isinstance(intent, Whole):
            scope = asked.scope
            files = self._files(FilesSpec(libraries=scope.libraries, filter=scope.filter))
            meant = _meant(intent, files)
            if len(meant) == 1:
                return self._whole.answer(meant[0], asked, max_tokens, clock, job)
            if meant:
                return _which(meant, asked, clock, job)
        return None


def _meant(intent: Whole, files: Sequence[HeldDocument]) -> list[HeldDocument]:
    """The files that can be meant; none when the question is an ordinary one after all."""
    if intent.named:
        return find_named(intent.named, files, intent.summary)
    if len(files) == 1 or (intent.file and intent.summary):
        return list(files)
    return []


def _which(meant: Sequence[HeldDocument], asked: Asked, clock: Clock, job: Job) -> AnswerReport:
    """Ask back instead of summing up four passages of whatever file."""
    made = Made("whole", WHICH_FILE)
    made.say(
        f"Which file? {len(meant):,} can be meant. Name one in the question, or choose one "
        "with the filter:"
    )
    for file in meant[:_NAMED_AT_MOST]:
        folder = PurePath(file.path).parent.name
        made.say(f"- {PurePath(file.path).name}, in {folder}")
    if len(meant) > _NAMED_AT_MOST:
        made.say(f"- and {len(meant) - _NAMED_AT_MOST:,} more")
    clock.retrieved()
    job.emit("sources", {"passages": []})
    job.emit("token", {"text": made.text})
    clock.token()
    return finish(made, asked, clock)
