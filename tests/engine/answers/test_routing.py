"""Counting and whole-file questions from beginning to end, with real models."""

from __future__ import annotations

from typing import Any

import pytest

from engine.answers import pieces, whole
from engine.answers.answerer import Answerer
from engine.answers.generator import Generator
from engine.answers.routing import WHICH_FILE, Holdings
from engine.errors import Cancelled, InvalidInput
from engine.models.registry import ModelRegistry
from engine.store import conversations
from engine.store.db import Store
from engine.work.api import AskSpec, PassageHit
from engine.work.api.reading import (
    CountReport,
    CountSpec,
    DocumentText,
    FileCount,
    FilesSpec,
    HeldDocument,
)
from engine.work.jobs import Job
from tests.engine.answers.conftest import CHAIN_TEXT, Events, Shelf, hit

BIRDS = (
    "The northern colony holds four thousand puffin burrows this summer. Puffins feed their "
    "chicks with sandeels from the shallow bank. "
)
OTHER = (
    "The diesel generator starts by itself at a low battery level. A keeper writes the hours "
    "of the generator into the blue book every evening. "
)


class Desk:
    """Files given by the test, in place of libraries, which tests/integration has."""

    def __init__(self) -> None:
        self.documents: dict[int, tuple[HeldDocument, list[PassageHit]]] = {}
        self.counted: list[CountSpec] = []
        self.report = CountReport(files=0, files_all=0, passages=0, passages_all=0, counts=[])

    def put(self, number: int, name: str, texts: list[str], pages: int = 0) -> None:
        hits: list[PassageHit] = []
        start = 0
        for n, text in enumerate(texts):
            page = 1 + n * pages // len(texts) if pages else None
            one = hit(text, number, start, page)
            hits.append(one.model_copy(update={"passage_id": number * 10_000 + n}))
            start += len(text)
        file = HeldDocument(
            library="lib",
            file_id=number,
            path=f"/documents/{name}",
            title=name,
            pages=pages,
            passages=len(texts),
        )
        self.documents[number] = (file, hits)

    def files(self, spec: FilesSpec) -> list[HeldDocument]:
        wanted = spec.filter.file_ids
        return [file for n, (file, _) in self.documents.items() if not wanted or n in wanted]

    def read(self, library: str, file_id: int, most: int) -> DocumentText:
        if file_id not in self.documents:
            raise InvalidInput("This file is no longer in the library.")
        file, hits = self.documents[file_id]
        return DocumentText(file=file, passages=hits[:most])

    def count(self, spec: CountSpec, job: Job) -> CountReport:
        self.counted.append(spec)
        return self.report

    def keys(self, texts: Any) -> list[list[str]]:
        return [text.lower().replace(".", "").split() for text in texts]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def asker(
    store: Store, models: ModelRegistry, generator: Generator, shelf: Shelf, desk: Desk
) -> Answerer:
    holdings = Holdings(desk.files, desk.read, desk.count, desk.keys)
    return Answerer(store, models, generator, shelf.search, holdings)


def spec(question: str, **more: Any) -> AskSpec:
    return AskSpec.model_validate({"question": question, "library": "lib", **more})


# --- counting -------------------------------------------------------------------------------


def test_a_count_names_files_and_a_place_in_each(
    asker: Answerer, desk: Desk, events: Events, store: Store, shelf: Shelf
) -> None:
    desk.put(1, "lease.pdf", ["No word of it.", "Nothing. The rent follows indexation."], 2)
    file, (_, best) = desk.documents[1]
    desk.report = CountReport(
        files=2,
        files_all=5,
        passages=4,
        passages_all=60,
        counts=[FileCount(file=file, passages=3, best=best)],
        refused=1,
        waiting=2,
        copies=1,
    )
    report = asker.ask(spec("How many of the contracts mention indexation?"), events.job)
    assert report.answer.startswith(
        "2 of the 5 documents mention “indexation”, in 4 passages:\n- lease.pdf: 3 passages, "
        "such as page 2 [1]\n- and 1 more\n\nCounted by the exact words"
    )
    assert "which of them are contracts" in report.answer
    assert "same bytes" in report.answer
    assert report.coverage == (
        "Counted over all 60 passages of 5 documents. Not covered: 1 file that could not be "
        "read; 2 files still waiting to be read."
    )
    assert report.coverage in report.answer
    [citation] = report.citations
    assert citation.quote == "The rent follows indexation."
    assert (citation.start, citation.page, citation.verified) == (best.start + 9, 2, True)
    assert (report.mode, report.model, report.refused) == ("count", "", False)
    assert events.kinds == ["sources", "token"]
    assert events.text == report.answer
    assert shelf.asked == []
    [kept] = conversations.show(store, report.conversation).turns
    assert kept.coverage == report.coverage


def test_none_and_too_common_are_said(asker: Answerer, desk: Desk) -> None:
    desk.report = CountReport(files=0, files_all=7, passages=0, passages_all=9, counts=[])
    none = asker.ask(spec("Which documents mention zebras?", conversation=""))
    assert none.answer.startswith("None of the 7 documents mentions “zebras”.")
    desk.report.too_common = True
    common = asker.ask(spec('Which documents mention "to be"?', conversation=""))
    assert "too common" in common.answer


def test_a_kind_of_document_becomes_a_filter(asker: Answerer, desk: Desk) -> None:
    asker.ask(spec("How many spreadsheets mention diesel?", conversation=""))
    assert desk.counted[0].filter.types == ["Spreadsheet"]


@pytest.mark.parametrize("mode", ["joint", "token", "sequence", "none"])
def test_a_mode_that_was_asked_for_is_used(
    asker: Answerer, desk: Desk, shelf: Shelf, mode: str
) -> None:
    shelf.passages = [hit(BIRDS)]
    question = "How many documents mention puffins?"
    report = asker.ask(spec(question, mode=mode, model="chain", conversation=""))
    assert report.mode == mode
    assert desk.counted == []


# --- one whole file, extracted ---------------------------------------------------------------


def test_a_small_model_shows_the_files_own_sentences(
    asker: Answerer, desk: Desk, events: Events, shelf: Shelf
) -> None:
    desk.put(1, "colony.pdf", [BIRDS, OTHER, BIRDS.replace("four", "six"), OTHER * 2], 40)
    desk.put(2, "other.pdf", ["Nothing here."], 1)
    report = asker.ask(spec("Summarise colony.pdf", conversation=""), events.job)
    assert report.mode == "whole"
    assert report.coverage == "Read: pages 1–40 of 40."
    assert "word for word" in report.answer
    assert "No model worded this" in report.answer
    assert report.coverage in report.answer
    assert (report.model, report.tokens.generated) == ("", 0)
    assert len(report.citations) == report.answer.count("\n- ") >= 3
    for citation in report.citations:
        passage = report.passages[citation.n - 1]
        place = citation.start - passage.start
        assert passage.text[place : place + len(citation.quote)] == citation.quote
        assert f"- {citation.quote} [{citation.n}]" in report.answer
        assert citation.verified
    assert events.text == report.answer
    assert shelf.asked == []


def test_the_file_that_the_filter_leaves_is_meant(asker: Answerer, desk: Desk) -> None:
    desk.put(1, "colony.pdf", [BIRDS])
    desk.put(2, "generator.pdf", [OTHER])
    question = "What is this document about?"
    only = {"file_ids": [2]}
    report = asker.ask(spec(question, filter=only, conversation=""))
    assert "generator.pdf" in report.answer
    assert report.coverage == "Read: all 1 passage."


def test_without_knowing_which_it_asks_back_or_searches(
    asker: Answerer, desk: Desk, shelf: Shelf
) -> None:
    shelf.passages = [hit(BIRDS)]
    for number in range(14):
        desk.put(number + 1, f"{number}.txt", [BIRDS])
    back = asker.ask(spec("Summarise this file", conversation=""))
    assert back.answer.startswith("Which file? 14 can be meant.")
    assert "and 4 more" in back.answer
    assert (back.mode_reason, back.citations) == (WHICH_FILE, [])
    assert shelf.asked == []
    ordinary = {"model": "chain", "conversation": ""}
    for question in ("What is it about?", "Summarise the storm of June", "What is frost?"):
        assert asker.ask(spec(question, **ordinary)).mode not in ("whole", "count")
    assert len(shelf.asked) == 3


def test_a_file_deleted_meanwhile_is_said(asker: Answerer, desk: Desk) -> None:
    desk.put(1, "colony.pdf", [BIRDS])
    held = desk.files
    gone = desk.documents[1][0]
    desk.documents.clear()
    assert held(FilesSpec(libraries=["lib"])) == []
    asker._routing._files = lambda spec: [gone]  # type: ignore[union-attr] # listed a moment ago
    with pytest.raises(InvalidInput, match="no longer"):
        asker.ask(spec("Summarise colony.pdf", conversation=""))


def test_a_file_without_text_is_said(asker: Answerer, desk: Desk) -> None:
    desk.put(1, "empty.txt", [])
    with pytest.raises(InvalidInput, match="no text"):
        asker.ask(spec("Summarise empty.txt", conversation=""))


def test_of_a_very_long_file_the_first_pages_are_read(asker: Answerer, desk: Desk) -> None:
    texts = [
        f"Page {n} speaks of the number {n} and of nothing else at all. " for n in range(1, 813)
    ]
    desk.put(1, "long.pdf", texts, 812)
    report = asker.ask(spec("Summarise long.pdf", conversation=""))
    assert report.coverage == "Read: the first 300 of 812 pages; the rest was not read."
    assert max(hit.page or 0 for hit in report.passages) <= whole.MOST_PAGES


def test_cancelled_before_anything_is_shown(
    asker: Answerer, desk: Desk, events: Events
) -> None:
    desk.put(1, "colony.pdf", [BIRDS])
    events.job.cancel()
    with pytest.raises(Cancelled):
        asker.ask(spec("Summarise colony.pdf", conversation=""), events.job)


# --- one whole file, worded -------------------------------------------------------------------


@pytest.fixture
def worded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tiny model word its answers as one of a billion parameters would."""
    monkeypatch.setattr(whole, "WORDED_PARAMETERS", 0)


class Watch:
    """Cancels when the given piece begins."""

    def __init__(self, events: Events, stop_at: int = 0) -> None:
        self.notes: list[str] = []
        self._events, self._stop_at = events, stop_at

    def progress(self, done: float, total: float, note: str = "") -> None:
        self.notes.append(note)
        if self._stop_at and note.startswith(f"Piece {self._stop_at} "):
            self._events.job.cancel()

    def emit(self, kind: str, data: object) -> None:
        self._events.job.emit(kind, data)

    def checkpoint(self) -> None:
        self._events.job.checkpoint()


LONG = [f"{BIRDS}This is part {n} of the report on the colony. " for n in range(40)]


@pytest.mark.usefixtures("worded")
def test_a_larger_model_words_it_from_pieces(
    asker: Answerer, desk: Desk, events: Events
) -> None:
    desk.put(1, "colony.pdf", LONG, 40)
    watch = Watch(events)
    report = asker.ask(
        spec("Summarise colony.pdf", model="chain", max_tokens=40, conversation=""), watch
    )
    assert report.answer.startswith(CHAIN_TEXT)
    assert events.text == CHAIN_TEXT  # only the last step is streamed
    planned = int(watch.notes[0].rsplit(" ", 1)[1])
    assert planned > 3
    expected = [f"Piece {n} of {planned}" for n in range(1, planned + 1)]
    assert [note for note in watch.notes if note.startswith("Piece")] == expected
    assert report.coverage == f"Read in {planned} pieces, pages 1–40 of 40."
    assert report.coverage in report.answer
    assert (report.model, report.mode, report.stopped) == ("chain", "whole", False)
    assert report.tokens.generated > planned * 3


@pytest.mark.usefixtures("worded")
def test_a_short_file_is_one_piece(asker: Answerer, desk: Desk, events: Events) -> None:
    desk.put(1, "colony.pdf", [BIRDS], 1)
    report = asker.ask(spec("Summarise colony.pdf", model="chain", conversation=""), events.job)
    assert report.coverage == "Read in 1 piece, pages 1–1 of 1."
    assert events.text == CHAIN_TEXT


@pytest.mark.usefixtures("worded")
def test_stopped_in_the_middle_it_ends_with_what_there_is(
    asker: Answerer, desk: Desk, events: Events
) -> None:
    desk.put(1, "colony.pdf", LONG, 40)
    question = spec("Summarise colony.pdf", model="chain", max_tokens=40, conversation="")
    report = asker.ask(question, Watch(events, stop_at=3))
    assert report.stopped
    assert report.answer.startswith(f"- {CHAIN_TEXT}\n- {CHAIN_TEXT}\n\nRead in 2 pieces")
    assert "the rest was not read" in report.coverage


@pytest.mark.usefixtures("worded")
def test_stopped_in_the_first_piece_there_is_nothing(
    asker: Answerer, desk: Desk, events: Events
) -> None:
    desk.put(1, "colony.pdf", LONG, 40)
    question = spec("Summarise colony.pdf", model="chain", max_tokens=40, conversation="")
    with pytest.raises(Cancelled):
        asker.ask(question, Watch(events, stop_at=1))


@pytest.mark.usefixtures("worded")
@pytest.mark.parametrize("name", ["MOST_PIECES", "TIME_LIMIT_S"])
def test_no_file_takes_longer_than_the_limit(
    asker: Answerer,
    desk: Desk,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(pieces, name, 1 if name == "MOST_PIECES" else 0.0)
    desk.put(1, "colony.pdf", LONG, 40)
    report = asker.ask(
        spec("Summarise colony.pdf", model="chain", max_tokens=40, conversation=""), events.job
    )
    assert report.coverage.startswith("Read in 1 piece, the first ")
    assert "of 40 pages; the rest was not read" in report.coverage
    assert not report.stopped


def test_notes_that_do_not_fit_are_noted_down_again(
    generator: Generator, models: ModelRegistry, events: Events
) -> None:
    reader = pieces.PieceReader(generator, models.find("chain"), "Sum it up", 60, events.job)
    notes = pieces.Notes(planned=40, texts=[BIRDS] * 40)
    merged = reader._merged(notes)  # pyright: ignore[reportPrivateUsage]
    assert 0 < len(merged) < 40
    assert set(merged) == {CHAIN_TEXT}
