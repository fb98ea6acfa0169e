from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from desktop.models.questions import QuestionsModel, day_of, marked
from desktop.strings import english
from engine.work.api import ConversationRow

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("iso", "day"),
    [
        ("2026-05-03T00:00:00+00:00", english.TODAY),
        ("2026-05-04T09:00:00+00:00", english.TODAY),
        ("2026-05-02T23:59:59", english.YESTERDAY),
        ("2026-05-01T23:59:59+00:00", english.EARLIER),
        ("rubbish", english.EARLIER),
    ],
)
def test_days_have_names(iso: str, day: str) -> None:
    assert day_of(iso, NOON) == day


def test_matches_are_told_from_what_is_around_them() -> None:
    snippet = "below 30 the \u2068drug\u2069 is\nstopped, the \u2068drugs\u2069"
    assert marked(snippet) == (
        ("below 30 the ", False),
        ("drug", True),
        (" is stopped, the ", False),
        ("drugs", True),
    )


@given(st.text(alphabet=st.sampled_from("ab \u2068\u2069\u202e\n"), max_size=30))
def test_no_snippet_keeps_a_control_character(snippet: str) -> None:
    shown = "".join(text for text, _ in marked(snippet))
    assert not set(shown) & set("\u2068\u2069\u202e\n")


def test_a_title_with_hidden_characters_is_not_renamed_by_looking_at_it(qapp: Any) -> None:
    row = ConversationRow(
        id="c", title="evil\u202efdp.exe", library="", updated_at="rubbish", turns=1
    )
    model = QuestionsModel()
    model.show_conversations([row], NOON)
    renamed: list[str] = []
    model.renamed.connect(lambda name, title: renamed.append(title))
    index = model.index(1)
    assert "\u202e" not in str(model.data(index))
    assert model.setData(index, model.data(index, Qt.ItemDataRole.EditRole))
    assert renamed == []
    assert model.setData(index, "fine")
    assert renamed == ["fine"]
