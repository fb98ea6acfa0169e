"""The reranker from the command line, in this process with real children."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.cli.models import describe_measured, describe_reranker
from engine.cli.search import table
from engine.work import api
from tests.rerankers import WINNER


@pytest.fixture
def say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    monkeypatch.setenv("WHETSTONE_HOME", str(tmp_path / "home"))

    def said(*words: str, status: int = 0) -> Any:
        assert main([*words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return said


def test_the_reranker_is_set_used_measured_and_taken_away(
    say: Any, rerankers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text(
        "The amber basin is where the harbour ends, near the old pier."
    )
    (folder / "b.txt").write_text(f"The note of the {WINNER} {WINNER} about some basin.")
    say("index", str(folder), "--library", "notes")
    assert say("models", "reranker")["folder"] == ""
    # A folder is meant from where the command is given, even one called "none".
    shutil.copytree(rerankers / "winner", tmp_path / "none")
    monkeypatch.chdir(tmp_path)
    set_now = say("models", "reranker", "./none")
    assert (set_now["folder"], set_now["on"]) == (str(tmp_path / "none"), False)
    asked = ("search", "amber basin", "--library", "notes")
    names = [os.path.basename(hit["path"]) for hit in say(*asked)["passages"]]
    assert names == ["a.txt", "b.txt"]
    found = say(*asked, "--rerank", "--explain")
    assert [os.path.basename(hit["path"]) for hit in found["passages"]] == ["b.txt", "a.txt"]
    assert "rerank" in [step["name"] for step in found["explanation"]["steps"]]
    assert say("models", "reranker", "on")["on"] is True
    assert say(*asked)["passages"][0]["path"].endswith("b.txt")
    assert say(*asked, "--no-rerank")["passages"][0]["path"].endswith("a.txt")
    measured = say("models", "reranker", "measure", "--library", "notes", "--questions", "5")
    assert (measured["verdict"], measured["sentence"]) == (
        "too few",
        "Too few questions to tell.",
    )
    shown = say("models", "reranker", "show")
    assert shown["measured"] == [measured]
    assert shown["on"] is True  # nothing was shown that would change what the user chose
    assert say("models", "reranker", "none")["folder"] == ""


def test_what_is_wrong_ends_with_2_or_3_and_a_reason(
    say: Any, rerankers: Path, tmp_path: Path
) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(rerankers / "winner", pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    for words, status, kind in (
        (("/no/such/folder",), 2, "InvalidInput"),
        (("on",), 2, "InvalidInput"),
        (("measure",), 2, "InvalidInput"),
        (("measure", "--library", "x", "--questions", "0"), 2, "InvalidInput"),
        ((str(pickled),), 3, "ModelUnavailable"),
    ):
        error = say("models", "reranker", *words, status=status)["error"]
        assert error["kind"] == kind, words
        assert error["hint"] or words[-1] == "0"


def test_a_person_reads_figures_and_a_verdict() -> None:
    gain = api.Gain(mean=0.1, low=0.04, high=0.161)
    measured = api.RerankerMeasurement(
        library="Clinic",
        questions=60,
        plain=api.RetrievalFigures(recall_1=0.75, recall_5=0.9, mrr=0.81, milliseconds=38.4),
        reranked=api.RetrievalFigures(recall_1=0.85, recall_5=1, mrr=0.91, milliseconds=940),
        recall_1_gain=gain,
        recall_5_gain=gain,
        mrr_gain=gain,
        verdict="gain",
        sentence="Worth it.",
        measured_at="2026-05-03T14:02:00+00:00",
    )
    lines = describe_measured(measured).split("\n")
    assert lines[0] == "Clinic, 60 questions made from it:"
    assert lines[2].split() == [
        "recall@1",
        "0.750",
        "0.850",
        "+0.100",
        "(+0.040",
        "to",
        "+0.161)",
    ]
    assert lines[-2].split() == ["ms", "a", "search", "38", "940"]
    assert lines[-1] == "Worth it."
    assert describe_reranker(api.RerankerView()) == "No reranker is set."
    view = api.RerankerView(folder="/m/ms", name="ms", on=True, problem="It is gone.")
    assert describe_reranker(view) == "ms: on, /m/ms\n    It is gone."
    view = view.model_copy(update={"problem": "", "measured": [measured]})
    assert "Worth it." in describe_reranker(view)
    assert "measure --library" in describe_reranker(view.model_copy(update={"measured": []}))


def test_an_explanation_shows_what_the_reranker_said() -> None:
    one = api.ExplainedPassage(
        passage_id=1,
        library="one",
        path="/docs/1.txt",
        page=None,
        text="text",
        fused_rank=1,
        fused_score=0.5,
        fate="Number 1.",
        rerank_rank=3,
        rerank_score=-1.25,
    )
    lines = table(api.Explanation(query="q", steps=[], candidates=[one]))
    assert any(line.endswith("1.txt   reranked 3 (-1.250)") for line in lines)
