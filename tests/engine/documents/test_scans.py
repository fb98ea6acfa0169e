from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.layout import Joint
from engine.documents.scans import (
    NOTHING_READ,
    Scan,
    ScanLine,
    ScanPage,
    boxes,
    load_scan,
    page_data,
    page_of,
    page_text,
    store_scan,
)

JOINTS: tuple[Joint, ...] = ("block", "line", "flow")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)
EDGE = st.integers(0, 1000).map(lambda value: value / 1000)
LINES = st.builds(ScanLine, WORDS, st.tuples(EDGE, EDGE, EDGE, EDGE), st.sampled_from(JOINTS))
PAGES = st.builds(ScanPage, st.lists(LINES, max_size=12).map(tuple))


@given(st.dictionaries(st.integers(1, 500), PAGES, max_size=4))
def test_what_is_stored_comes_back(tmp_path_factory: pytest.TempPathFactory, pages) -> None:
    path = tmp_path_factory.mktemp("scans") / "x.json"
    store_scan(path, Scan(pages))
    assert load_scan(path).pages == pages


@given(PAGES)
def test_each_line_lies_where_its_span_says(page: ScanPage) -> None:
    found = page_text(page)
    assert len(found.spans) == len(page.lines)
    at = 0
    for line, (start, end) in zip(page.lines, found.spans, strict=True):
        assert at <= start <= end
        shown = found.text[start:end]
        assert line.text.startswith(shown.rstrip("-")) or shown == line.text
        at = end
    inside = "".join(found.text[start:end] for start, end in found.blocks)
    assert "".join(inside.split()) == "".join(found.text.split())
    assert page_of(page_data(page)) == page


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"format":99}', b"\xff\xfe", b'{"format":1,"model":"x","pages":{}}'],
)
def test_a_damaged_or_older_scan_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "x.json").write_bytes(damage)
    assert load_scan(tmp_path / "x.json") is NOTHING_READ
    assert load_scan(tmp_path / "missing.json") is NOTHING_READ
    assert load_scan(None) is NOTHING_READ


@pytest.mark.parametrize("line", [["a", 0, 0, 2, 1, 0], ["a", 0, 0], [1, 0, 0, 1, 1, 0], "x"])
def test_a_line_that_is_none_is_refused(line: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        page_of({"lines": [line], "note": "", "turns": 0})


def test_a_span_is_boxed_line_by_line() -> None:
    page = ScanPage(
        (
            ScanLine("It is very dan-", (0.1, 0.1, 0.9, 0.12), "block"),
            ScanLine("gerous there.", (0.1, 0.13, 0.8, 0.15), "flow"),
            ScanLine("Next", (0.1, 0.2, 0.3, 0.22), "block"),
        )
    )
    text = page_text(page).text
    assert text == "It is very dangerous there.\n\nNext"
    start = text.index("dangerous")
    first, second = boxes(page, start, start + len("dangerous"))
    assert first == (pytest.approx(0.1 + 0.8 * 11 / 14), 0.1, pytest.approx(0.9), 0.12)
    assert second == (pytest.approx(0.1), 0.13, pytest.approx(0.1 + 0.7 * 6 / 13), 0.15)
    assert boxes(page, len(text) - 4, len(text)) == [(0.1, 0.2, pytest.approx(0.3), 0.22)]
    assert boxes(page, 3, 3) == []
