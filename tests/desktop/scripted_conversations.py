"""The conversation side of the scripted host: versions, feedback, search, presets, reasons."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.errors import InvalidInput
from engine.work import api
from engine.work.jobs import Job

NOW = datetime.now(UTC)


def moment(days: float) -> str:
    """So many days ago."""
    return (NOW - timedelta(days=days)).isoformat()


class ConversationSide:
    """Answers kept in memory, with every version of every turn."""

    libraries: list[api.LibraryView]
    conversations: list[api.ConversationRow]
    turns: dict[str, list[api.AnswerReport]]
    presets: list[api.Preset]
    versions: dict[tuple[str, int], list[api.AnswerReport]]
    passages: list[api.PassageHit]

    def changed(self, *what: str) -> None:
        raise NotImplementedError

    def begin_conversations(self) -> None:
        """Built-in and own presets, and one earlier version of nothing."""
        self.versions = {}
        self.presets = [
            api.Preset(id="brief", name="Brief", system="Answer shortly.", builtin=True),
            api.Preset(id="p1", name="For nurses", system="Write for nurses."),
        ]
        self._numbers = itertools.count(2)

    # --- asking ---------------------------------------------------------------------------

    def rewritten(self, spec: api.AskSpec) -> str:
        """Questions that begin with "and" lean on what was said before."""
        leans = spec.rewrite and spec.conversation and spec.question.startswith("and ")
        if not leans:
            return ""
        said = self.turns[str(spec.conversation)][0].question.rstrip("?")
        return f"{said}, {spec.question.removeprefix('and ')}"

    def keep(self, spec: api.AskSpec, answer: api.AnswerReport) -> api.AnswerReport:
        """Number an answer, put it in the place of others, and list its conversation."""
        known = spec.libraries
        answer.libraries = [spec.library, *known] if spec.library else []
        answer.filter = spec.filter
        answer.preset = spec.preset or ""
        answer.rewritten = self.rewritten(spec)
        answer.searched = f"{spec.question} {answer.rewritten}" if answer.rewritten else ""
        name = answer.conversation
        if not spec.conversation:
            self.conversations.insert(
                0,
                api.ConversationRow(
                    id=name,
                    title=spec.question,
                    library=spec.library or "",
                    libraries=answer.libraries,
                    updated_at=moment(0),
                    turns=1,
                ),
            )
        turns = self.turns.setdefault(name, [])
        if spec.replaces is not None:
            if not 1 <= spec.replaces <= len(turns):
                raise InvalidInput("There is no such question in this conversation.")
            old = turns[spec.replaces - 1 :]
            del turns[spec.replaces - 1 :]
            for at, report in enumerate(old, start=spec.replaces):
                self.versions.setdefault((name, at), []).append(report)
        answer.turn = len(turns) + 1
        answer.versions = len(self.versions.get((name, answer.turn), [])) + 1
        if spec.seed is not None:
            answer.answer = f"In other words: {answer.answer}"
        turns.append(answer)
        self.changed("conversations")
        return answer

    # --- conversations --------------------------------------------------------------------

    def show(self, spec: api.ConversationRef, job: Job) -> api.View:
        row = self._row(spec.conversation)
        turns = self.turns[row.id]
        last = turns[-1] if turns else None
        return api.Conversation(
            id=row.id,
            title=row.title,
            library=row.library,
            libraries=row.libraries,
            turns=turns,
            filter=last.filter if last is not None else api.Filter(),
            preset=last.preset if last is not None else "",
        )

    def rename_conversation(self, spec: api.RenameConversationSpec, job: Job) -> api.View:
        row = self._row(spec.conversation)
        if spec.title == "refuse":
            raise InvalidInput("This title is not possible.")
        row.title = spec.title
        self.changed("conversations")
        return row

    def find_said(self, spec: api.ConversationQuery, job: Job) -> api.View:
        query = spec.query.casefold()
        hits = []
        for row in self.conversations:
            for number, turn in enumerate(self.turns[row.id], start=1):
                at = turn.answer.casefold().find(query)
                if at < 0 and query not in f"{row.title} {turn.question}".casefold():
                    continue
                end = at + len(query)
                around = turn.answer if at >= 0 else ""
                snippet = (
                    f"{around[max(0, at - 60) : at]}\u2068{around[at:end]}\u2069"
                    f"{around[end : end + 60]}"
                    if around
                    else ""
                )
                hits.append(
                    api.ConversationHit(
                        conversation=row.id,
                        title=row.title,
                        turn=number if around else 0,
                        snippet=snippet,
                        updated_at=row.updated_at,
                    )
                )
        return api.ConversationHits(hits=hits[: spec.limit])

    def export(self, spec: api.ExportSpec, job: Job) -> api.View:
        row = self._row(spec.conversation)
        said = "\n".join(turn.answer for turn in self.turns[row.id])
        return api.Exported(
            name=f"{row.title}.{spec.format}", text=f"{spec.format}: {row.title}\n{said}\n"
        )

    def judge(self, spec: api.FeedbackSpec, job: Job) -> api.View:
        report = self.turns[spec.conversation][spec.turn - 1]
        report.feedback = (
            api.Feedback(verdict=spec.verdict, correction=spec.correction, at=moment(0))
            if spec.verdict != "none" or spec.correction
            else None
        )
        self.changed("conversations")
        return report

    def version(self, spec: api.VersionSpec, job: Job) -> api.View:
        kept = self.versions.get((spec.conversation, spec.turn), [])
        return [*kept, self.turns[spec.conversation][spec.turn - 1]][spec.version - 1]

    def _row(self, name: str) -> api.ConversationRow:
        found = [row for row in self.conversations if row.id == name]
        if not found:
            raise InvalidInput("There is no such question.")
        return found[0]

    # --- presets --------------------------------------------------------------------------

    def save_preset(self, spec: api.SavePresetSpec, job: Job) -> api.View:
        kept = [preset for preset in self.presets if preset.id == spec.id]
        if spec.id is None:
            made = api.Preset(id=f"p{next(self._numbers)}", name=spec.name, system=spec.system)
            self.presets.append(made)
        elif kept and not kept[0].builtin:
            made = kept[0]
            made.name, made.system = spec.name, spec.system
        else:
            raise InvalidInput("This preset cannot be changed.")
        self.changed("presets")
        return made

    def remove_preset(self, spec: api.PresetRef, job: Job) -> api.View:
        self.presets = [preset for preset in self.presets if preset.id != spec.preset]
        self.changed("presets")
        return api.Empty()

    # --- why ------------------------------------------------------------------------------

    def search(self, spec: api.SearchSpec, job: Job) -> api.View:
        """Thirty candidates; the first ones are the sources every answer has."""
        if spec.query == "search fails":
            raise InvalidInput("The library is gone.", hint="Choose another one.")
        where = "all files" if spec.filter.empty() else f"only {spec.filter.model_dump()}"
        steps = [
            ("filter", 0.4, where),
            ("embed", 11.8, "the question as 384 numbers"),
            ("dense", 5.2, "100 nearest of 51,200 passages"),
            ("keyword", 4.1, "87 passages with a word of the question"),
            ("fuse", 0.2, f"in {1 + len(spec.libraries)} libraries"),
            ("choose", 0.3, f"{spec.top} of 30"),
        ]
        rows = [self._candidate(at, spec.top) for at in range(30)]
        found = api.Explanation(
            query=spec.query,
            steps=[
                api.SearchStep.model_validate(
                    {"name": name, "milliseconds": took, "detail": detail}
                )
                for name, took, detail in steps
            ],
            candidates=rows,
        )
        return api.SearchReport(passages=self.passages, milliseconds=22, explanation=found)

    def _candidate(self, at: int, top: int) -> api.ExplainedPassage:
        hit = self.passages[at % len(self.passages)]
        chosen = at + 1 if at < min(top, len(self.passages)) else None
        dense = None if at % 5 == 4 else at + 1
        keyword = None if at % 4 == 3 else 30 - at
        shares = (0.6 / (10 + at) if dense else 0.0, 0.4 / (40 - at) if keyword else 0.0)
        fates = ["Chosen.", "Joined to its neighbour.", "Weaker than those shown."]
        return api.ExplainedPassage(
            passage_id=at,
            library="lib1",
            path=hit.path,
            page=hit.page,
            text=hit.text,
            dense_rank=dense,
            dense_score=0.9 - at / 50 if dense else None,
            keyword_rank=keyword,
            keyword_score=14.0 - keyword / 3 if keyword else None,
            dense_share=shares[0],
            keyword_share=shares[1],
            fused_rank=at + 1,
            fused_score=1 / (at + 9),
            chosen=chosen,
            fate=fates[0] if chosen else fates[1 + at % 2],
        )

    def facets(self, spec: api.LibraryRef, job: Job) -> api.View:
        number = spec.library.removeprefix("lib")
        root = f"/home/ada/{'Clinic protocols' if number == '1' else f'Library {number}'}"
        return api.LibraryFacets(
            types=[
                api.Counted(value="PDF", files=300),
                api.Counted(value="Word", files=72),
                api.Counted(value="Spreadsheet", files=31),
                api.Counted(value="Mail", files=9),
            ],
            folders=[
                api.Counted(value=f"{root}/{name}", files=files)
                for name, files in (("2023", 140), ("2024", 201), ("2024/Drafts", 17))
            ],
            oldest=moment(900),
            newest=moment(1),
        )

    def conversation_handlers(self) -> dict[str, Any]:
        """Method → what answers it."""
        return {
            "conversations.show": self.show,
            "conversations.rename": self.rename_conversation,
            "conversations.search": self.find_said,
            "conversations.export": self.export,
            "conversations.feedback": self.judge,
            "conversations.version": self.version,
            "presets.list": lambda spec, job: api.PresetList(presets=self.presets),
            "presets.save": self.save_preset,
            "presets.remove": self.remove_preset,
            "search": self.search,
            "libraries.facets": self.facets,
        }
