"""The borders of the tree hold: who imports whom, what a process loads, how files are kept."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "transformers", "peft", "sentence_transformers", "lancedb", "pyarrow"}
HEAVY |= {"llama_cpp"}
# The aim is 400; past this a file is certainly more than one thought.
MAX_LINES = 540


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level names a file imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_the_import_contracts_hold() -> None:
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def loaded_after(statement: str) -> set[str]:
    """The top-level modules a fresh Python has loaded after a statement."""
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(ended.stdout)}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import desktop.app", HEAVY | {"sqlite3", "numpy", "pydantic"}),
        ("import engine.cli.main; engine.cli.main.build_parser()", HEAVY | {"PySide6"}),
        ("import engine.host.service", HEAVY | {"PySide6"}),
        ("import engine.host.engine", HEAVY | {"PySide6"}),
        ("import engine.host.reader", HEAVY | {"PySide6"}),
        ("import engine.answers.answerer, engine.answers.generator", HEAVY | {"PySide6"}),
        # These two may load Arrow or torch, never the other's part.
        ("import engine.library.libraries", {"torch", "llama_cpp", "PySide6"}),
        ("import engine.host.generator", {"torch", "transformers", "lancedb", "PySide6"}),
        ("import engine.host.embedder", {"llama_cpp", "lancedb", "PySide6"}),
    ],
)
def test_importing_a_part_loads_nothing_of_the_others(
    statement: str, forbidden: set[str]
) -> None:
    assert loaded_after(statement) & forbidden == set()


@pytest.mark.parametrize(
    "path", list(sources("engine", "desktop")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_file_follows_the_rules_of_the_house(path: Path) -> None:
    text = path.read_text("utf-8")
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
    lines = text.count("\n")
    assert lines <= MAX_LINES, f"{lines} lines"
    if text.strip() and path.name != "__init__.py":
        assert "from __future__ import annotations" in text
    # Nothing is ever unpickled from disk, and children are spawned, never forked.
    assert not imported(path) & {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib"}
    assert "os.fork(" not in text
    assert "torch.load(" not in text


def test_tests_mirror_the_tree() -> None:
    strays: list[str] = []
    for test in sources("tests/engine", "tests/desktop"):
        folder = test.parent.relative_to(ROOT / "tests")
        if not (ROOT / folder).is_dir():
            strays.append(str(test.relative_to(ROOT)))
    assert not strays, "a folder of tests has no folder it tests"
