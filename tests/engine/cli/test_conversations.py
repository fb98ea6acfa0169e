"""`whetstone conversations`: every action, as text and as one JSON document."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home
from engine.store import conversations
from engine.store.db import Store
from engine.work.api import AnswerReport, Conversation, Timings, Tokens


@pytest.fixture
def kept(home: Home) -> str:
    """A conversation of two turns, the second asked twice; gives its id."""
    store = Store(home)
    one = conversations.append(store, None, report("Hotel limit?", "130 EUR.")).conversation
    conversations.append(store, one, report("Meals?", "Nothing."))
    conversations.append(store, one, report("Meals in Lisbon?", "20 EUR."), replaces=2)
    store.close()
    return one


def report(question: str, answer: str) -> AnswerReport:
    return AnswerReport(
        question=question,
        answer=answer,
        refused=False,
        citations=[],
        sentences=[],
        passages=[],
        mode="joint",
        model="tiny",
        timings=Timings(retrieve_ms=1, first_token_ms=2, total_ms=3),
        tokens=Tokens(prompt=4, generated=5),
    )


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    """What `whetstone conversations … --json` prints."""
    assert main(["conversations", *words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_list_show_and_versions(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = run(capsys, "list")["rows"]
    assert (row["id"], row["title"], row["turns"]) == (kept, "Hotel limit?", 2)
    shown = run(capsys, "show", kept)
    assert [turn["question"] for turn in shown["turns"]] == ["Hotel limit?", "Meals in Lisbon?"]
    assert shown["turns"][1]["versions"] == 2
    assert run(capsys, "show", kept, "--turn", "1")["answer"] == "130 EUR."
    earlier = run(capsys, "show", kept, "--turn", "2", "--version", "1")
    assert earlier["question"] == "Meals?"
    assert main(["conversations", "show", kept]) == 0
    text = capsys.readouterr().out
    assert "2. Meals in Lisbon?  (2 answers)" in text
    assert "20 EUR." in text


def test_search_rename_and_rate(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    (hit,) = run(capsys, "search", "lisb")["rows"]
    assert (hit["conversation"], hit["turn"]) == (kept, 2)
    assert run(capsys, "search", '" OR NEAR(')["rows"] == []
    assert run(capsys, "rename", kept, "Trip")["title"] == "Trip"
    rated = run(capsys, "rate", kept, "2", "down", "--correction", "45 EUR.")
    assert rated["feedback"]["correction"] == "45 EUR."
    (found,) = run(capsys, "search", "45")["rows"]
    assert (found["title"], found["turn"]) == ("Trip", 2)
    assert main(["conversations", "search", "hotel"]) == 0
    assert "«Hotel» limit?" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_export_prints_or_writes(
    kept: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run(capsys, "export", kept, "--format", form)
    assert printed["name"] == f"Hotel limit.{form}"
    written = run(capsys, "export", kept, "--format", form, "--out", str(tmp_path))
    out = Path(written["out"])
    assert out == tmp_path / printed["name"]
    assert out.read_text("utf-8") == printed["text"]
    if form == "json":
        assert Conversation.model_validate_json(printed["text"]).id == kept


def test_remove_and_clear(
    kept: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["conversations", "clear"]) == 130
    capsys.readouterr()
    assert len(run(capsys, "list")["rows"]) == 1
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["conversations", "clear"]) == 0
    assert "Forgot 1 conversation" in capsys.readouterr().out
    assert run(capsys, "list")["rows"] == []
    assert run(capsys, "clear") == {"removed": 0}
    assert "no conversation" in run(capsys, "remove", kept, status=2)["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ["show", "gone"],
        ["show", "gone", "--version", "1"],
        ["rename", "gone", "x"],
        ["export", "gone"],
        ["rate", "gone", "1", "up"],
        ["search", "x", "--top", "0"],
    ],
)
def test_what_is_not_there_ends_with_2(
    home: Home, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "message" in run(capsys, *words, status=2)["error"]
