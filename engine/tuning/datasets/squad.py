"""SQuAD's nested form as rows (Rajpurkar et al. 2016): articles, paragraphs, questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast


def is_article(value: Any) -> bool:
    """Whether a record holds paragraphs with questions instead of being one."""
    return isinstance(value, dict) and isinstance(
        cast("dict[str, Any]", value).get("paragraphs"), list
    )


def questions_of(article: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The questions of an article: id, question, answers, context, document (its title)."""
    for paragraph in _objects(article["paragraphs"]):
        for asked in _objects(paragraph.get("qas")):
            row = {
                "id": asked.get("id"),
                "question": asked.get("question"),
                "answers": asked.get("answers") or asked.get("answer"),
                "context": paragraph.get("context"),
            }
            if article.get("title"):
                row["document"] = article["title"]
            yield row


def _objects(value: Any) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
