"""Conversations: questions and answers kept as the reports the user saw.

A turn that is asked again keeps its earlier answers as versions, and so do the turns that
came after it; only live turns count. Nothing but `remove` and `clear` takes anything away.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from engine.errors import InvalidInput
from engine.store import conversation_search
from engine.store.db import Store, utc_now
from engine.work.api import (
    AnswerReport,
    Conversation,
    ConversationHit,
    ConversationRow,
    Feedback,
    Filter,
    PassageHit,
)

MAX_TITLE = 80
_MERGE_WORDS = "INSERT INTO said (said) VALUES ('optimize')"
"""The index drops the words of deleted rows only when its parts are merged."""
MAX_NAME = 200
MAX_CORRECTION = 20_000

Verdict = Literal["up", "down", "none"]

_TURNS = (
    "SELECT t.conversation, t.turn, t.version, t.report, t.at,"
    " (SELECT COUNT(*) FROM turns v WHERE v.conversation = t.conversation"
    "  AND v.turn = t.turn) AS versions,"
    " f.verdict, f.correction, f.at AS rated_at"
    " FROM turns t LEFT JOIN feedback f ON f.answer = t.id"
)


@dataclass(frozen=True)
class Rated:
    """An answer the user judged or corrected, for tuning.

    `question` is what was searched for and put to the model, `asked` what the user wrote.
    """

    conversation: str
    turn: int
    version: int
    asked: str
    question: str
    answer: str
    verdict: Verdict
    correction: str
    passages: tuple[PassageHit, ...]
    """Those the model read."""
    model: str
    at: str
    refused: bool = False


def list_all(store: Store) -> list[ConversationRow]:
    """All conversations, the one used last first."""
    rows = store.connection().execute(
        "SELECT c.id, c.title, c.libraries, c.preset, c.updated_at, COUNT(t.id) AS turns"
        " FROM conversations c LEFT JOIN turns t ON t.conversation = c.id AND t.live"
        " GROUP BY c.id ORDER BY c.updated_at DESC, c.number DESC"
    )
    return [_listed(row) for row in rows]


def show(store: Store, conversation: str) -> Conversation:
    """One conversation with all its live turns.

    Raises:
        InvalidInput: there is none with this id.
    """
    row = _row(store, conversation)
    turns = store.connection().execute(
        f"{_TURNS} WHERE t.conversation=? AND t.live ORDER BY t.turn", (conversation,)
    )
    return _described(row, _reports(turns))


def remembered(store: Store, conversation: str) -> Conversation:
    """A conversation without its turns: the scope and the preset it was last asked with.

    Raises:
        InvalidInput: there is none with this id.
    """
    return _described(_row(store, conversation), [])


def last_turns(
    store: Store, conversation: str, count: int, before: int | None = None
) -> list[AnswerReport]:
    """The last `count` live turns, oldest first; with `before`, only those before that turn.

    Raises:
        InvalidInput: there is no such conversation.
    """
    _row(store, conversation)
    rows = store.connection().execute(
        f"{_TURNS} WHERE t.conversation=? AND t.live AND t.turn < ?"
        " ORDER BY t.turn DESC LIMIT ?",
        (conversation, 1 << 60 if before is None else before, count),
    )
    return _reports(rows)[::-1]


def latest(store: Store, count: int) -> list[AnswerReport]:
    """The last `count` live turns of all conversations, newest first."""
    rows = store.connection().execute(
        f"{_TURNS} WHERE t.live ORDER BY t.at DESC, t.id DESC LIMIT ?", (count,)
    )
    return _reports(rows)


def append(
    store: Store, conversation: str | None, report: AnswerReport, replaces: int | None = None
) -> AnswerReport:
    """Keep one turn, and the libraries, filter and preset it was asked with.

    Args:
        store: where to.
        conversation: its id; None starts a new one.
        report: the finished answer.
        replaces: the turn this answer takes the place of; it and those after it stay as
            earlier versions and count no more.

    Returns:
        The report with `conversation`, `turn`, `versions` and `asked_at` filled in.

    Raises:
        InvalidInput: the conversation or the turn to replace is gone.
        StorageFull, StorageDamaged: it could not be kept; all is as before.
    """
    now = utc_now()
    with store.transaction() as writing:
        if conversation is None:
            conversation = uuid.uuid4().hex[:12]
            writing.execute(
                "INSERT INTO conversations (id, title, created_at, updated_at)"
                " VALUES (?, ?, ?, ?)",
                (conversation, title_of(report.question), now, now),
            )
        changed = writing.execute(
            "UPDATE conversations SET updated_at=?, libraries=?, filter=?, preset=? WHERE id=?",
            (
                now,
                json.dumps(report.libraries),
                report.filter.model_dump_json(),
                report.preset,
                conversation,
            ),
        )
        if changed.rowcount == 0:
            raise _unknown(conversation)
        if replaces is not None:
            _retire(writing, conversation, replaces, report.question)
        turn, version = _next(writing, conversation)
        kept = report.model_copy(
            update={
                "conversation": conversation,
                "turn": turn,
                "versions": version,
                "asked_at": report.asked_at or now,
                "feedback": None,
            }
        )
        writing.execute(
            "INSERT INTO turns (conversation, turn, version, live, report, at)"
            " VALUES (?, ?, ?, 1, ?, ?)",
            (conversation, turn, version, kept.model_dump_json(), kept.asked_at),
        )
    return kept


def check_turn(store: Store, conversation: str, turn: int) -> None:
    """Make sure that a conversation has this live turn.

    Raises:
        InvalidInput: it has not, or there is no such conversation.
    """
    _row(store, conversation)
    _live(store.connection(), conversation, turn)


def version(store: Store, conversation: str, turn: int, number: int) -> AnswerReport:
    """An earlier answer of a turn; `number` from 1, the oldest.

    Raises:
        InvalidInput: there is no such conversation, turn or version.
    """
    _row(store, conversation)
    rows = store.connection().execute(
        f"{_TURNS} WHERE t.conversation=? AND t.turn=? AND t.version=?",
        (conversation, turn, number),
    )
    found = _reports(rows)
    if not found:
        raise InvalidInput(
            f"Question {turn} of this conversation has no answer number {number}.",
            hint="Look at another answer.",
        )
    return found[0]


def rename(store: Store, conversation: str, title: str) -> ConversationRow:
    """Give a conversation another title.

    Raises:
        InvalidInput: there is none with this id, or the title is empty or too long.
    """
    line = " ".join(title.split())
    if not line:
        raise InvalidInput("A conversation needs a title.", hint="Type one.")
    if len(line) > MAX_NAME:
        raise InvalidInput(f"The title has {len(line)} characters; {MAX_NAME} are allowed.")
    with store.transaction() as writing:
        changed = writing.execute(
            "UPDATE conversations SET title=? WHERE id=?", (line, conversation)
        )
        if changed.rowcount == 0:
            raise _unknown(conversation)
    return next(row for row in list_all(store) if row.id == conversation)


def remove(store: Store, conversation: str) -> None:
    """Forget one conversation.

    Raises:
        InvalidInput: there is none with this id.
    """
    with store.transaction() as writing:
        gone = writing.execute("DELETE FROM conversations WHERE id=?", (conversation,))
        if gone.rowcount == 0:
            raise _unknown(conversation)
        writing.execute(_MERGE_WORDS)
    store.forget_in_copies(
        [("DELETE FROM conversations WHERE id=?", (conversation,)), (_MERGE_WORDS, ())]
    )


def clear(store: Store) -> int:
    """Forget all conversations, in the daily copies too; gives how many there were."""
    with store.transaction() as writing:
        gone = writing.execute("DELETE FROM conversations").rowcount
        writing.execute(_MERGE_WORDS)
    store.forget_in_copies([("DELETE FROM conversations", ()), (_MERGE_WORDS, ())])
    return gone


def search(store: Store, query: str, limit: int = 50) -> list[ConversationHit]:
    """Turns and titles that hold all words of `query`; see `conversation_search.search`."""
    return conversation_search.search(store, query, limit)


def give_feedback(
    store: Store, conversation: str, turn: int, verdict: Verdict, correction: str = ""
) -> AnswerReport:
    """Keep what the user thinks of the newest answer of a turn; gives that answer.

    Raises:
        InvalidInput: there is no such conversation or turn, or the correction is too long.
    """
    text = correction.strip()
    if len(text) > MAX_CORRECTION:
        raise InvalidInput(
            f"The correction has {len(text)} characters; {MAX_CORRECTION} are allowed.",
            hint="Shorten it.",
        )
    _row(store, conversation)
    with store.transaction() as writing:
        answer = _live(writing, conversation, turn)
        if verdict == "none" and not text:
            writing.execute("DELETE FROM feedback WHERE answer=?", (answer,))
        else:
            writing.execute(
                "INSERT INTO feedback (answer, verdict, correction, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (answer) DO UPDATE SET verdict=excluded.verdict,"
                " correction=excluded.correction, at=excluded.at",
                (answer, verdict, text, utc_now()),
            )
    rows = store.connection().execute(f"{_TURNS} WHERE t.id=?", (answer,))
    found = _reports(rows)
    if not found:
        raise InvalidInput("This answer was written by another version of Whetstone.")
    return found[0]


def rated(store: Store) -> list[Rated]:
    """Every answer the user judged or corrected, earlier versions among them, oldest first."""
    rows = store.connection().execute(
        f"{_TURNS} WHERE f.answer IS NOT NULL ORDER BY f.at, t.id"
    )
    found: list[Rated] = []
    for row in rows:
        report = _report(row)
        if report is None:
            continue
        found.append(
            Rated(
                conversation=row["conversation"],
                turn=row["turn"],
                version=row["version"],
                asked=report.question,
                question=report.rewritten or report.question,
                answer=report.answer,
                verdict=row["verdict"],
                correction=row["correction"],
                # Reports from before `read` was kept do not tell how many it was.
                passages=tuple(report.passages[: report.read or None]),
                model=report.model,
                at=row["rated_at"],
                refused=report.refused,
            )
        )
    return found


def title_of(question: str) -> str:
    """The first question, on one line, cut between words."""
    line = " ".join(question.split())
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > MAX_TITLE // 2 else cut) + "…"


def _retire(writing: sqlite3.Connection, conversation: str, turn: int, question: str) -> None:
    """Let `turn` and those after it count no more; a title made of the question follows."""
    answer = _live(writing, conversation, turn)
    if turn == 1:
        row = writing.execute("SELECT report FROM turns WHERE id=?", (answer,)).fetchone()
        old = _parsed(row["report"])
        if old is not None:
            writing.execute(
                "UPDATE conversations SET title=? WHERE id=? AND title=?",
                (title_of(question), conversation, title_of(old.question)),
            )
    writing.execute(
        "UPDATE turns SET live=0 WHERE conversation=? AND turn>=?", (conversation, turn)
    )


def _next(writing: sqlite3.Connection, conversation: str) -> tuple[int, int]:
    """Number and version of the turn to come."""
    row = writing.execute(
        "SELECT COALESCE(MAX(turn), 0) + 1 AS turn FROM turns WHERE conversation=? AND live",
        (conversation,),
    ).fetchone()
    turn = int(row["turn"])
    row = writing.execute(
        "SELECT COALESCE(MAX(version), 0) + 1 AS version FROM turns"
        " WHERE conversation=? AND turn=?",
        (conversation, turn),
    ).fetchone()
    return turn, int(row["version"])


def _live(connection: sqlite3.Connection, conversation: str, turn: int) -> int:
    row = connection.execute(
        "SELECT id FROM turns WHERE conversation=? AND turn=? AND live", (conversation, turn)
    ).fetchone()
    if row is None:
        raise InvalidInput(f"This conversation has no question number {turn}.")
    return int(row["id"])


def _row(store: Store, conversation: str) -> sqlite3.Row:
    row: sqlite3.Row | None = (
        store.connection()
        .execute("SELECT * FROM conversations WHERE id=?", (conversation,))
        .fetchone()
    )
    if row is None:
        raise _unknown(conversation)
    return row


def _unknown(conversation: str) -> InvalidInput:
    return InvalidInput(f"There is no conversation {conversation!r}.", hint="Start a new one.")


def _listed(row: sqlite3.Row) -> ConversationRow:
    libraries = _libraries(row["libraries"])
    return ConversationRow(
        id=row["id"],
        title=row["title"],
        library=libraries[0] if libraries else "",
        libraries=libraries,
        preset=row["preset"],
        updated_at=row["updated_at"],
        turns=row["turns"],
    )


def _described(row: sqlite3.Row, turns: list[AnswerReport]) -> Conversation:
    libraries = _libraries(row["libraries"])
    return Conversation(
        id=row["id"],
        title=row["title"],
        library=libraries[0] if libraries else "",
        libraries=libraries,
        filter=_filter(row["filter"]),
        preset=row["preset"],
        turns=turns,
    )


def _libraries(text: str) -> list[str]:
    return [str(one) for one in json.loads(text)]


def _filter(text: str) -> Filter:
    """A stored filter; one that another version wrote differently lets everything through."""
    try:
        return Filter.model_validate_json(text)
    except ValidationError:
        return Filter()


def _reports(rows: Sequence[sqlite3.Row] | sqlite3.Cursor) -> list[AnswerReport]:
    return [report for row in rows if (report := _report(row)) is not None]


def _report(row: sqlite3.Row) -> AnswerReport | None:
    """A stored answer with what the tables know of it; None as in `_parsed`."""
    report = _parsed(row["report"])
    if report is None:
        return None
    feedback = None
    if row["verdict"] is not None:
        feedback = Feedback(
            verdict=row["verdict"], correction=row["correction"], at=row["rated_at"]
        )
    return report.model_copy(
        update={
            "conversation": row["conversation"],
            "turn": row["turn"],
            "versions": row["versions"],
            "asked_at": row["at"],
            "feedback": feedback,
        }
    )


def _parsed(text: str) -> AnswerReport | None:
    """A stored report; one that a newer or older version wrote differently is left out."""
    try:
        return AnswerReport.model_validate_json(text)
    except ValidationError:
        return None
