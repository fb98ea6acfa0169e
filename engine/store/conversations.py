"""Conversations: questions and answers kept as the reports the user saw."""

from __future__ import annotations

import sqlite3
import uuid

from pydantic import ValidationError

from engine.errors import InvalidInput
from engine.store.db import Store, utc_now
from engine.work.api import AnswerReport, Conversation, ConversationRow

MAX_TITLE = 80


def list_all(store: Store) -> list[ConversationRow]:
    """All conversations, the one used last first."""
    rows = store.connection().execute(
        "SELECT c.id, c.title, c.library, c.updated_at, COUNT(t.ordinal) AS turns"
        " FROM conversations c LEFT JOIN turns t ON t.conversation = c.id"
        " GROUP BY c.id ORDER BY c.updated_at DESC, c.rowid DESC"
    )
    return [
        ConversationRow(
            id=row["id"],
            title=row["title"],
            library=row["library"],
            updated_at=row["updated_at"],
            turns=row["turns"],
        )
        for row in rows
    ]


def show(store: Store, conversation: str) -> Conversation:
    """One conversation with all its turns.

    Raises:
        InvalidInput: there is none with this id.
    """
    row = _row(store, conversation)
    turns = store.connection().execute(
        "SELECT report FROM turns WHERE conversation=? ORDER BY ordinal", (conversation,)
    )
    return Conversation(
        id=row["id"],
        title=row["title"],
        library=row["library"],
        turns=[report for turn in turns if (report := _report(turn["report"])) is not None],
    )


def last_turns(store: Store, conversation: str, count: int) -> list[AnswerReport]:
    """The last `count` turns, oldest first.

    Raises:
        InvalidInput: there is no such conversation.
    """
    _row(store, conversation)
    rows = store.connection().execute(
        "SELECT report FROM turns WHERE conversation=? ORDER BY ordinal DESC LIMIT ?",
        (conversation, count),
    )
    found = [report for row in rows if (report := _report(row["report"])) is not None]
    return found[::-1]


def append(store: Store, conversation: str | None, library: str, report: AnswerReport) -> str:
    """Keep one turn; None starts a new conversation. Gives the conversation's id.

    Raises:
        InvalidInput: the conversation is gone.
        StorageFull, StorageDamaged: it could not be kept.
    """
    now = utc_now()
    with store.transaction() as writing:
        if conversation is None:
            conversation = uuid.uuid4().hex[:12]
            writing.execute(
                "INSERT INTO conversations (id, title, library, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (conversation, title_of(report.question), library, now, now),
            )
        changed = writing.execute(
            "UPDATE conversations SET updated_at=? WHERE id=?", (now, conversation)
        )
        if changed.rowcount == 0:
            raise _unknown(conversation)
        text = report.model_copy(update={"conversation": conversation}).model_dump_json()
        writing.execute(
            "INSERT INTO turns (conversation, ordinal, report, at)"
            " SELECT ?, COALESCE(MAX(ordinal), 0) + 1, ?, ? FROM turns WHERE conversation=?",
            (conversation, text, now, conversation),
        )
    return conversation


def remove(store: Store, conversation: str) -> None:
    """Forget one conversation.

    Raises:
        InvalidInput: there is none with this id.
    """
    with store.transaction() as writing:
        gone = writing.execute("DELETE FROM conversations WHERE id=?", (conversation,))
        if gone.rowcount == 0:
            raise _unknown(conversation)


def title_of(question: str) -> str:
    """The first question, on one line, cut between words."""
    line = " ".join(question.split())
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > MAX_TITLE // 2 else cut) + "…"


def _row(store: Store, conversation: str) -> sqlite3.Row:
    row: sqlite3.Row | None = (
        store.connection()
        .execute("SELECT id, title, library FROM conversations WHERE id=?", (conversation,))
        .fetchone()
    )
    if row is None:
        raise _unknown(conversation)
    return row


def _unknown(conversation: str) -> InvalidInput:
    return InvalidInput(f"There is no conversation {conversation!r}.", hint="Start a new one.")


def _report(text: str) -> AnswerReport | None:
    """A stored report; one that a newer or older version wrote differently is left out."""
    try:
        return AnswerReport.model_validate_json(text)
    except ValidationError:
        return None
