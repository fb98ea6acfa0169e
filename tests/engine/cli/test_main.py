"""The command line as its users meet it: real processes, exit statuses, one JSON document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.cli.batch import read_questions
from engine.cli.main import main
from engine.errors import InvalidInput

ROOT = Path(__file__).parents[3]

NOTES = {
    "freezer.md": "# Cold storage\n\n## Alarms\n\nThe blue freezer must stay below minus 70 "
    "degrees. If the alarm rings, Maria Okafor is called first.\n",
    "travel.txt": "Travel policy. The hotel limit for Lisbon is 137 euros per night. Meals "
    "are reimbursed up to 29 euros a day.\n",
    "page.html": "<html><head><title>Badges</title></head><body><h1>Badges</h1><p>Visitor "
    "badges are orange and expire after nine hours.</p></body></html>",
}


def whetstone(home: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WHETSTONE_HOME": str(home), "PYTHONPATH": str(ROOT)},
        **options,
    )


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, notes: Path) -> Path:
    """A home with the notes indexed as library Notes."""
    home = tmp_path_factory.mktemp("home")
    done = whetstone(home, "index", str(notes), "--library", "Notes", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["library"] == "Notes"
    assert report["files"]["indexed"] == 3
    assert report["files"]["skipped"] == []
    assert report["passages"] >= 3
    assert report["seconds"] > 0
    assert report["passages_per_second"] > 0
    return home


def test_version_and_help_need_no_home() -> None:
    done = whetstone(Path("/nonexistent"), "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "whetstone")
    assert whetstone(Path("/nonexistent"), "ask", "--help").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["search", "x"],
        ["ask", "x"],
        ["ask", "--library", "L"],
        ["ask", "x", "--library", "L", "--mode", "best"],
        ["index", "/no/such/folder"],
        ["search", "x", "--library", "Nothing"],
        ["libraries", "show", "Nothing"],
        ["models", "show", "nothing"],
        ["models", "gpu-layers", "x", "many"],
        ["ask", "x", "--library", "L", "--adapter", "mine"],
        ["search", "--library", "L", "--questions", "/no/file", "--out", "/tmp/out"],
    ],
)
def test_bad_usage_and_bad_input_end_with_2(
    tmp_path: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WHETSTONE_HOME", str(tmp_path))
    try:
        status = main(words)
    except SystemExit as ended:  # argparse's way
        status = ended.code
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert said.err
    assert "Traceback" not in said.err


def test_a_bad_input_is_one_json_document_too(tmp_path: Path) -> None:
    done = whetstone(tmp_path, "search", "x", "--library", "Nothing", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "InvalidInput"


def test_a_second_run_reads_nothing_again(home: Path, notes: Path) -> None:
    done = whetstone(home, "index", str(notes), "--library", "Notes", "--json")
    files = json.loads(done.stdout)["files"]
    assert (files["indexed"], files["unchanged"], files["removed"]) == (0, 3, 0)


def test_search_finds_the_place(home: Path, notes: Path) -> None:
    done = whetstone(
        home, "search", "who is called when the alarm rings", "--library", "Notes", "--json"
    )
    report = json.loads(done.stdout)
    first = report["passages"][0]
    assert first["path"] == str(notes / "freezer.md")
    assert "Alarms" in first["heading"]
    assert "Maria Okafor" in first["text"]
    assert first["text"] == NOTES["freezer.md"][first["start"] : first["end"]]
    assert {"dense", "keyword"} <= set(first["ranks"])
    assert report["milliseconds"] > 0


def test_search_for_a_person_names_file_and_heading(home: Path) -> None:
    done = whetstone(home, "search", "hotel limit Lisbon", "--library", "notes", "--top", "1")
    assert done.returncode == 0
    assert "1. travel.txt" in done.stdout
    assert "137 euros" in done.stdout


def test_batch_search_keeps_order_and_ids(home: Path, tmp_path: Path) -> None:
    questions, out = tmp_path / "questions.jsonl", tmp_path / "rows.jsonl"
    questions.write_text(
        '{"id": "b", "question": "visitor badge colour"}\n\n'
        '{"id": "a", "question": "hotel limit Lisbon"}\n'
    )
    done = whetstone(
        home, "search", "--library", "Notes", "--top", "1",
        "--questions", str(questions), "--out", str(out), "--json",
    )  # fmt: skip
    assert json.loads(done.stdout)["rows"] == 2
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["b", "a"]
    assert [Path(row["passages"][0]["path"]).name for row in rows] == [
        "page.html",
        "travel.txt",
    ]


def test_ask_answers_with_a_checked_citation(home: Path, notes: Path) -> None:
    done = whetstone(
        home, "ask", "What is the hotel limit for Lisbon?", "--library", "Notes", "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["answer"].strip()
    assert "137" in report["answer"]
    citation = report["citations"][0]
    assert citation["path"] == str(notes / "travel.txt")
    assert citation["verified"] is True
    assert NOTES["travel.txt"][citation["start"] : citation["end"]] == citation["quote"]
    assert report["mode"] == "joint"
    assert set(report["timings"]) == {"retrieve_ms", "first_token_ms", "total_ms"}
    assert report["tokens"]["prompt"] > 0


def test_batch_ask_loads_the_model_once(home: Path, tmp_path: Path) -> None:
    questions, out = tmp_path / "questions.jsonl", tmp_path / "rows.jsonl"
    questions.write_text(
        "".join(
            json.dumps({"id": n, "question": f"What is the hotel limit for Lisbon? ({n})"})
            + "\n"
            for n in range(3)
        )
        + json.dumps(
            {
                "id": "follow-up",
                "question": "And for meals?",
                "history": [
                    {"speaker": "user", "text": "What is the hotel limit for Lisbon?"},
                    {"speaker": "agent", "text": "130 euros a night."},
                ],
            }
        )
    )
    done = whetstone(
        home, "ask", "--library", "Notes", "--questions", str(questions), "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == [0, 1, 2, "follow-up"]
    assert all(row["answer"] for row in rows)
    assert [bool(row["rewritten"]) for row in rows] == [False, False, False, True]
    assert "Lisbon" in rows[-1]["rewritten"]
    assert done.stderr.count("Loading") <= 1
    assert not out.with_name("rows.jsonl.part").exists()


@pytest.mark.parametrize(
    "history",
    [
        [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": ""}],
        [
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "Two?"},
        ],
        [
            {"speaker": "user", "text": "One?"},
            {"speaker": "agent", "text": "1"},
            {"speaker": "user", "text": "Two?"},
        ],
    ],
)
def test_a_questions_history_is_read_in_any_usual_form(
    tmp_path: Path, history: list[dict[str, str]]
) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": 1, "question": "Three?", "history": history}))
    (row,) = read_questions(str(path))
    assert [(turn.question, turn.answer) for turn in row["history"]] == [
        ("One?", "1"),
        ("Two?", ""),
    ]


@pytest.mark.parametrize("history", [["text"], [{}], [{"role": "user"}], "text", 3])
def test_a_history_that_is_none_is_refused(tmp_path: Path, history: object) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": 1, "question": "Three?", "history": history}))
    with pytest.raises(InvalidInput, match="Line 1"):
        read_questions(str(path))


def test_a_question_file_with_a_bad_row_names_the_line(home: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"id": 1, "question": "fine?"}\n{"id": 2}\n')
    done = whetstone(
        home, "search", "--library", "Notes",
        "--questions", str(questions), "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "Line 2" in done.stderr


def test_libraries_list_show_remove(home: Path, notes: Path, tmp_path: Path) -> None:
    rows = json.loads(whetstone(home, "libraries", "list", "--json").stdout)["rows"]
    assert [row["name"] for row in rows] == ["Notes"]
    shown = json.loads(whetstone(home, "libraries", "show", "Notes", "--json").stdout)
    assert {Path(row["path"]).name: row["state"] for row in shown["rows"]} == dict.fromkeys(
        NOTES, "indexed"
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "one.txt").write_text("Only one file lives in this folder.")
    assert whetstone(home, "index", str(other)).returncode == 0
    assert whetstone(home, "libraries", "remove", "other").returncode == 0
    rows = json.loads(whetstone(home, "libraries", "list", "--json").stdout)["rows"]
    assert [row["name"] for row in rows] == ["Notes"]
    assert (other / "one.txt").exists()


def test_models_list_names_the_starter(home: Path) -> None:
    rows = json.loads(whetstone(home, "models", "list", "--json").stdout)["rows"]
    (starter,) = [row for row in rows if row["source"] == "starter"]
    assert starter["architecture"] == "llama"
    assert starter["quantization"] == "Q4_1"
    assert starter["fits"]


def test_a_broken_model_is_refused_with_a_reason(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + os.urandom(4000))
    done = whetstone(home, "models", "add", str(broken))
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    assert "broken.gguf" in done.stderr or "GGUF" in done.stderr


def test_ctrl_c_ends_with_130_and_keeps_what_was_done(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(400):
        (folder / f"{n}.txt").write_text(f"Note {n}. " + "The tide gauge reads well. " * 60)
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", "index", str(folder), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "WHETSTONE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
    )
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["error"]["kind"] == "Cancelled"
    shown = whetstone(tmp_path / "home", "libraries", "list", "--json")
    assert shown.returncode == 0
