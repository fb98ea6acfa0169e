"""Count over an index, exactly: every passage of the scope, not the best ones of a ranking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.library.analysis import Word, analyse
from engine.library.candidates import Scope, Source
from engine.library.filtering import condition
from engine.library.passages import passage_hit
from engine.library.rows import PassageRow
from engine.store.ledger import PASSAGES_PER_CONTENT, FileCondition, HeldFile, Ledger
from engine.work.api.reading import CountReport, CountSpec, FileCount, HeldDocument, Wanted
from engine.work.jobs import NULL_JOB, Job

_FETCHED_AT_ONCE = 1000


@dataclass(frozen=True)
class _Group:
    """What a passage must hold, as the index has it: words, and phrases of placed words."""

    text: str
    keys: frozenset[str]
    phrases: tuple[tuple[tuple[str, int], ...], ...]

    def held_by(self, units: Sequence[Sequence[Word]]) -> bool:
        """True when `units` together hold every word, and single ones every phrase."""
        if not self.keys <= {word.key for unit in units for word in unit}:
            return False
        return all(any(_follows(phrase, unit) for unit in units) for phrase in self.phrases)


@dataclass
class _Content:
    """What was found of one content. `inside`: score of each passage that holds it itself."""

    library: str
    inside: dict[int, float] = field(default_factory=dict[int, float])
    titled: bool = False
    score: float = 0.0


class Mentions:
    """Counts files and passages of some libraries as if they were one.

    Args:
        sources: the libraries, the main one first.
        ledger: says which passages count, and whose they are.
    """

    def __init__(self, sources: Sequence[Source], ledger: Ledger) -> None:
        self._sources = {source.library_id: source for source in sources}
        self._ledger = ledger

    def count(self, spec: CountSpec, job: Job = NULL_JOB) -> CountReport:
        """Count what holds one of `spec.any_of`; without any, the files themselves.

        Words compare as the full-text index has them. A passage holds a word when it stands
        in its text, its headings or its table's header row; a file also does when it stands
        in its title.

        Raises:
            InvalidInput: the filter says nothing.
            StorageDamaged: the tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        wanted = condition(spec.filter)
        files = self._files(wanted or FileCondition())
        contents = {held.content_id: (library, held) for library, held in files}
        unread = [
            self._ledger.unread_files(library, wanted or FileCondition())
            for library in self._sources
        ]
        moved = self._moved(contents)
        report = CountReport(
            files=len(files),
            files_all=len(files),
            passages=0,
            passages_all=sum(h.passages for c, (_, h) in contents.items() if c not in moved),
            counts=[],
            refused=sum(refused for refused, _ in unread),
            waiting=sum(waiting for _, waiting in unread),
        )
        if not spec.any_of:
            report.passages = report.passages_all
            return report
        groups = _groups(spec.any_of)
        report.too_common = not groups
        found = self._found(groups, wanted, contents, job) if groups else {}
        holding = [(lib, held) for lib, held in files if held.content_id in found]
        report.files = len(holding)
        # A content of two libraries is found in both; its passages count in the first.
        report.passages = sum(
            len(one.inside) for content, one in found.items() if content not in moved
        )
        different = {moved.get(held.content_id, held.content_id) for _, held in holding}
        report.copies = len(holding) - len(different)
        report.counts = self._listed(holding, found, spec.most)
        return report

    def _files(self, wanted: FileCondition) -> list[tuple[str, HeldFile]]:
        """The files of the scope with their libraries, each path once."""
        files: dict[bytes, tuple[str, HeldFile]] = {}
        for library in self._sources:
            for held in self._ledger.matching_files(library, wanted):
                files.setdefault(held.path, (library, held))
        return list(files.values())

    def _moved(self, contents: Iterable[int]) -> dict[int, int]:
        """For every content that another library holds too: the one that stands for it."""
        if len(self._sources) < 2:
            return {}
        groups = [sorted(group) for group in self._ledger.equal_contents(contents)]
        return {content: first for first, *others in groups for content in others}

    def _found(
        self,
        groups: Sequence[_Group],
        wanted: FileCondition | None,
        contents: dict[int, tuple[str, HeldFile]],
        job: Job,
    ) -> dict[int, _Content]:
        """The contents that hold one of `groups`."""
        found: dict[int, _Content] = {}
        unsure = self._unsure(groups, contents)
        for library, source in self._sources.items():
            job.checkpoint()
            ranked = Scope(source, self._ledger, wanted).holding([one.text for one in groups])
            checked: list[tuple[int, float]] = []
            for passage, score in ranked.pairs():
                content = passage // PASSAGES_PER_CONTENT
                if content not in contents:
                    continue
                if unsure is None or content in unsure:
                    checked.append((passage, score))
                    continue
                one = found.setdefault(content, _Content(library))
                one.inside[passage] = score
                one.score = max(one.score, score)
            for row, score in self._rows(source, checked, job):
                _judge(row, score, library, contents, groups, found)
        return found

    def _unsure(
        self, groups: Sequence[_Group], contents: dict[int, tuple[str, HeldFile]]
    ) -> set[int] | None:
        """Contents whose passages have to be looked at; None: all of them.

        The index has title, headings and text as one and no places of words, so it knows
        neither phrases nor what stands in the title alone.
        """
        if any(group.phrases for group in groups):
            return None
        keys = frozenset(key for group in groups for key in group.keys)
        held = list(contents.items())
        titles = analyse([file.title for _, (_, file) in held])
        return {
            content
            for (content, _), words in zip(held, titles, strict=True)
            if any(word.key in keys for word in words)
        }

    def _rows(
        self, source: Source, passages: Sequence[tuple[int, float]], job: Job
    ) -> Iterator[tuple[PassageRow, float]]:
        for start in range(0, len(passages), _FETCHED_AT_ONCE):
            job.checkpoint()
            job.progress(start, len(passages), "Counting")
            part = dict(passages[start : start + _FETCHED_AT_ONCE])
            rows = source.tables.fetch(part)
            yield from ((row, part[passage]) for passage, row in rows.items())

    def _listed(
        self, holding: list[tuple[str, HeldFile]], found: dict[int, _Content], most: int
    ) -> list[FileCount]:
        holding.sort(
            key=lambda one: (
                not found[one[1].content_id].titled,
                -len(found[one[1].content_id].inside),
                -found[one[1].content_id].score,
                one[1].shown,
            )
        )
        shown = holding[: max(0, most)]
        best: dict[int, int] = {}
        for _, held in shown:
            inside = found[held.content_id].inside
            first = held.content_id * PASSAGES_PER_CONTENT
            best[held.content_id] = min(inside, key=lambda p: (-inside[p], p), default=first)
        wanted: dict[str, list[int]] = defaultdict(list)
        for library, held in shown:
            wanted[library].append(best[held.content_id])
        rows: dict[int, PassageRow] = {}
        for library, ids in wanted.items():
            rows.update(self._sources[library].tables.fetch(ids))
        return [
            FileCount(
                file=document(library, held),
                passages=len(found[held.content_id].inside),
                best=passage_hit(rows[best[held.content_id]], library, held),
            )
            for library, held in shown
            if best[held.content_id] in rows
        ]


def document(library: str, held: HeldFile) -> HeldDocument:
    """A file as answers speak of it."""
    return HeldDocument(
        library=library,
        file_id=held.file_id,
        path=held.shown,
        title=held.title,
        kind=held.kind,
        pages=held.pages,
        passages=held.passages,
        scan_pages=held.scan_pages,
    )


def _judge(
    row: PassageRow,
    score: float,
    library: str,
    contents: dict[int, tuple[str, HeldFile]],
    groups: Sequence[_Group],
    found: dict[int, _Content],
) -> None:
    """Note what a passage the index named really holds."""
    title = contents[row.content_id][1].title
    *own, above = analyse([row.text, row.header, row.heading, title])
    inside = any(group.held_by(own) for group in groups)
    titled = any(group.held_by([above]) for group in groups)
    if inside or any(group.held_by([*own, above]) for group in groups):
        one = found.setdefault(row.content_id, _Content(library))
        one.titled = one.titled or titled
        one.score = max(one.score, score)
        if inside:
            one.inside[row.passage_id] = score


def _groups(any_of: Sequence[Wanted]) -> list[_Group]:
    """What to look for as the index has it; what holds only stop words is left out."""
    made: list[_Group] = []
    for one in any_of:
        words, *phrases = analyse([one.words, *one.phrases])
        keys = frozenset(word.key for part in (words, *phrases) for word in part)
        placed = tuple(
            tuple((word.key, word.position - phrase[0].position) for word in phrase)
            for phrase in phrases
            if len(phrase) > 1
        )
        if keys:
            made.append(_Group(" ".join([one.words, *one.phrases]), keys, placed))
    return made


def _follows(phrase: tuple[tuple[str, int], ...], unit: Sequence[Word]) -> bool:
    """True when the words of `phrase` stand in `unit` at their distances."""
    places = {(word.key, word.position) for word in unit}
    first = phrase[0][0]
    return any(
        all((key, word.position + offset) in places for key, offset in phrase)
        for word in unit
        if word.key == first
    )
