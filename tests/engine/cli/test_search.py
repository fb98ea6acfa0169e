from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from engine.cli.main import build_parser
from engine.cli.narrowing import filter_of, libraries_of
from engine.cli.search import describe
from engine.work import api


def parsed(*words: str) -> argparse.Namespace:
    return build_parser().parse_args(words)


def test_libraries_and_filters_may_be_repeated() -> None:
    for command in ("search", "ask"):
        options = parsed(
            *(command, "q", "--library", "a", "--library", "b", "--path", "*.pdf"),
            *("--path", "/x", "--type", "PDF", "--type", ".txt", "--since", "2024"),
        )
        assert libraries_of(options) == ("a", ["b"])
        assert filter_of(options) == api.Filter(
            paths=["*.pdf", "/x"], types=["PDF", ".txt"], since="2024"
        )


def test_a_library_is_needed_to_search_and_not_to_ask() -> None:
    with pytest.raises(SystemExit):
        parsed("search", "q")
    assert libraries_of(parsed("ask", "q", "--mode", "none")) == (None, [])


def test_paths_from_here_are_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [".", "./a", "../b", "c/d", ".hidden"]
    words = [word for path in paths for word in ("--path", path)]
    assert filter_of(parsed("search", "q", "--library", "a", *words)).paths == [
        os.getcwd(),
        os.path.join(os.getcwd(), "a"),
        os.path.join(os.path.dirname(os.getcwd()), "b"),
        "c/d",
        ".hidden",
    ]


def hit(number: int, library: str) -> api.PassageHit:
    return api.PassageHit(
        passage_id=number,
        file_id=number,
        path=f"/docs/{number}.txt",
        title="",
        heading="Rates",
        page=None,
        text=f"text {number}",
        start=0,
        end=6,
        score=1.0,
        ranks=api.Ranks(),
        library=library,
        place="lines 1–2",
    )


def candidate(rank: int, chosen: int | None) -> api.ExplainedPassage:
    return api.ExplainedPassage(
        passage_id=rank,
        library="one",
        path=f"/docs/{rank}.txt",
        page=3,
        text="some text",
        dense_rank=rank,
        dense_score=0.5,
        keyword_share=0.0,
        dense_share=0.6,
        fused_rank=rank,
        fused_score=0.6,
        chosen=chosen,
        fate=f"Fate {rank}.",
    )


def test_a_person_reads_where_it_was_found_and_why() -> None:
    report = api.SearchReport(
        passages=[hit(1, "one"), hit(2, "two")],
        milliseconds=12.3,
        notice="By words only.",
        explanation=api.Explanation(
            query="q",
            steps=[api.SearchStep(name="filter", milliseconds=1.5, detail="3 of 4 pass")],
            candidates=[candidate(n, n if n == 25 else None) for n in range(1, 41)],
        ),
    )
    text = describe(report, {"one": "Letters", "two": "Bills"})
    lines = text.split("\n")
    assert lines[0] == "By words only."
    assert lines[1] == "1. 1.txt, lines 1–2, Rates (Letters)"
    assert "2. 2.txt, lines 1–2, Rates (Bills)" in lines
    assert "  filter       1.5 ms  3 of 4 pass" in lines
    assert any(line.startswith("*  25   0.600  0.600 (25, 0.500)") for line in lines)
    assert "Fate 25." in text
    assert "Fate 26." not in text
    assert "… and 15 more, which --json shows." in lines
    assert lines[-1] == "12 ms"
    assert "(Letters)" not in describe(report)
