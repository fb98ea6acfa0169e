"""Finding conversations by what was said in them, with SQLite's FTS5.

https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

from engine.store.db import Store
from engine.work.api import ConversationHit

MATCH_START, MATCH_END = "\u2068", "\u2069"
MAX_WORDS = 24
MAX_WORD = 200
MAX_HITS = 500
_CANDIDATES = 5_000
"""The latest that match are ranked: a word that stands everywhere would take seconds."""
_SNIPPET_WORDS = 18
# A word in a title or a question says more about a turn than one in its answer.
_WEIGHTS = "4.0, 2.0, 1.0, 2.0"


def search(store: Store, query: str, limit: int = 50) -> list[ConversationHit]:
    """Turns and titles that hold all words of `query`, best first.

    Args:
        store: where the conversations are.
        query: words in any order, "words in quotes" in this order; the last word may be
            unfinished. Case and accents do not matter.
        limit: hits at most.

    A title counts by itself only when no turn of its conversation matched.
    """
    expression = match_expression(query)
    limit = min(limit, MAX_HITS)
    if not expression or limit < 1:
        return []
    connection = store.connection()
    found = connection.execute(
        "WITH found AS MATERIALIZED ("
        f"  SELECT rowid AS at, bm25(said, {_WEIGHTS}) AS score FROM said WHERE said MATCH ?"
        f"  ORDER BY rowid DESC LIMIT {_CANDIDATES}),"
        " turns_found AS ("
        "   SELECT t.conversation, t.turn, f.score, f.at"
        "   FROM found f JOIN turns t ON f.at % 2 = 0 AND t.id = f.at / 2 WHERE t.live)"
        " SELECT c.id, c.title, c.updated_at, h.turn, h.at FROM ("
        "   SELECT * FROM turns_found UNION ALL"
        "   SELECT c.id, 0, f.score, f.at"
        "   FROM found f JOIN conversations c ON f.at % 2 = 1 AND c.number = (f.at - 1) / 2"
        "   WHERE c.id NOT IN (SELECT conversation FROM turns_found)"
        " ) h JOIN conversations c ON c.id = h.conversation"
        " ORDER BY h.score, c.updated_at DESC, h.turn LIMIT ?",
        (expression, limit),
    ).fetchall()
    # Snippets are dear: only of what is shown.
    places = [row["at"] for row in found]
    snippets = dict(
        connection.execute(
            f"SELECT rowid, snippet(said, -1, ?, ?, '…', {_SNIPPET_WORDS}) FROM said"
            f" WHERE said MATCH ? AND rowid IN ({', '.join('?' * len(places))})",
            (MATCH_START, MATCH_END, expression, *places),
        )
    )
    return [
        ConversationHit(
            conversation=row["id"],
            title=row["title"],
            turn=row["turn"],
            snippet=snippets.get(row["at"], ""),
            updated_at=row["updated_at"],
        )
        for row in found
    ]


def match_expression(query: str) -> str:
    """The FTS5 expression for what a person typed; "" when it holds no word.

    Every word becomes a quoted string, so that none of FTS5's own syntax is left in it.
    """
    parts: list[str] = []
    plain = query.encode("utf-8", "replace").decode().replace("\0", " ")
    for at, chunk in enumerate(plain.split('"')):
        # Text between quotes is one phrase; what stands outside falls into words.
        parts += [chunk] if at % 2 else chunk.split()
    words = [part for part in parts if any(char.isalnum() for char in part)][:MAX_WORDS]
    if not words:
        return ""
    quoted = [f'"{" ".join(word.split())[:MAX_WORD]}"' for word in words]
    unfinished = not plain.rstrip().endswith('"')
    return " AND ".join(quoted) + ("*" if unfinished else "")
