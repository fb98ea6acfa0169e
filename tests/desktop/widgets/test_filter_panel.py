from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.widgets.filter_panel import folder_texts, read_date


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", "", ""),
        ("2026", "2026-01-01", "2026-12-31"),
        (" 2024-02 ", "2024-02-01", "2024-02-29"),
        ("2026-05-03", "2026-05-03", "2026-05-03"),
    ],
)
def test_years_and_months_stand_for_their_ends(text: str, first: str, last: str) -> None:
    assert read_date(text, last=False) == first
    assert read_date(text, last=True) == last


@given(st.text(max_size=12), st.booleans())
def test_any_text_is_a_date_or_none(text: str, last: bool) -> None:
    found = read_date(text, last)
    assert found in ("", None) or len(str(found)) == 10


@pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "0", "1-1-1-1", "3 May", "²"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text, last=True) is None


def test_folders_of_one_name_are_told_apart() -> None:
    shown = folder_texts(["/a/2024", "/b/2024", "/b/2024/drafts", "/b/plans"])
    assert shown == {
        "/a/2024": "a/2024",
        "/b/2024": "b/2024",
        "/b/2024/drafts": "2024/drafts",
        "/b/plans": "plans",
    }


@given(st.lists(st.from_regex(r"(/[ab]{1,2}){1,4}", fullmatch=True), unique=True, max_size=8))
def test_every_folder_has_a_text(folders: list[str]) -> None:
    assert set(folder_texts(folders)) == set(folders)
