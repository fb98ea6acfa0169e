"""A folder of hostile files is indexed: each entry ends as expected, and nothing else happens.

The index runs through the command line, bound by permission bits even for root. What became
of each entry is then read back through the engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.files import show_path
from engine.host.service import Engine
from engine.paths import Home
from engine.work import api
from tests.conftest import ROOT
from tests.integration import hostile_folder, without_override

BOUND = [sys.executable, str(Path(without_override.__file__))]
INDEX = [*BOUND, sys.executable, "-m", "engine.cli.main", "index"]
ESCAPES = [Path("/tmp/ESCAPED_BY_ZIP.txt"), Path("/tmp/ESCAPED_ABS.txt")]


@dataclass
class Outcome:
    """What the engine says of a folder after indexing it."""

    root: Path
    entries: list[dict[str, str]]
    engine: Engine
    report: api.IndexReport
    stderr: str
    rows: dict[str, api.FileRow]

    @property
    def skipped(self) -> dict[str, str]:
        """Shown path → reason, of everything that could not be read."""
        return {entry.path: entry.reason for entry in self.report.files.skipped}

    def text(self, row: api.FileRow) -> str:
        """The document's text as the viewer shows it from the start."""
        spec = api.ViewSpec(library=self.report.library_id, file_id=row.file_id, start=0, end=1)
        return self.engine.view(spec).text

    def search(self, query: str) -> list[api.PassageHit]:
        """Passages found by their words."""
        spec = api.SearchSpec(query=query, library=self.report.library_id, method="keyword")
        return self.engine.search(spec).passages


def run_index(home: Path, root: Path, timeout_s: float) -> tuple[api.IndexReport, str]:
    """`whetstone index` in a process of its own; it must end well within the time."""
    ended = subprocess.run(
        [*INDEX, str(root), "--library", "abuse", "--json"],
        cwd=ROOT,
        env={**os.environ, "WHETSTONE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return api.IndexReport.model_validate_json(ended.stdout), ended.stderr


def all_rows(engine: Engine, library: str) -> dict[str, api.FileRow]:
    """Every file the library knows, by shown path."""
    rows: dict[str, api.FileRow] = {}
    while True:
        spec = api.FilesSpec(library=library, offset=len(rows), limit=200)
        page = engine.libraries.files(spec)
        rows |= {row.path: row for row in page.rows}
        if len(rows) >= page.total or not page.rows:
            return rows


def indexed_folder(
    base: Path, build: Callable[[Path], list[dict[str, str]]], timeout_s: float
) -> Iterator[Outcome]:
    """Build a folder, index it, and hold the engine open on the result."""
    root, home = base / "folder", base / "home"
    for path in ESCAPES:
        path.unlink(missing_ok=True)
    entries = build(root)
    try:
        report, stderr = run_index(home, root, timeout_s)
        with Engine(Home(home)) as engine:
            rows = all_rows(engine, report.library_id)
            yield Outcome(root, entries, engine, report, stderr, rows)
    finally:
        for closed in (root / "perm" / "dir", root / "perm" / "no_read.txt"):
            if closed.exists():
                closed.chmod(0o700)  # or nobody but root could clean up


def shown(outcome: Outcome, name: str) -> str:
    """The path of an entry as the engine shows it."""
    # The corpora's list writes names that are not UTF-8 with escapes for their bytes.
    raw = os.fsencode(name.replace("\\udce9", "\udce9").replace("\\udcff", "\udcff"))
    return show_path(os.path.join(os.fsencode(outcome.root), raw))


# --- what may become of an entry ------------------------------------------------------


def indexed(outcome: Outcome, path: str) -> bool:
    return path in outcome.rows and outcome.rows[path].state == "indexed"


def skipped(outcome: Outcome, path: str) -> bool:
    return path in outcome.skipped and outcome.skipped[path] != ""


def settled(outcome: Outcome, path: str) -> bool:
    """Counted in exactly one place, with a reason when it is not indexed."""
    return indexed(outcome, path) != skipped(outcome, path)


def same_text(outcome: Outcome, path: str) -> bool:
    return (
        indexed(outcome, path)
        and outcome.text(outcome.rows[path]).strip() == hostile_folder.TEXT
    )


def without_nul(outcome: Outcome, path: str) -> bool:
    text = outcome.text(outcome.rows[path]) if indexed(outcome, path) else ""
    return "\0" not in text and "ZEBRA-NUL" in text and "text after nul" in text


def three_lines(outcome: Outcome, path: str) -> bool:
    text = outcome.text(outcome.rows[path]) if indexed(outcome, path) else ""
    return text.split() == ["ZEBRA", "one", "two", "three"] and text.strip().count("\n") == 2


def no_foreign_content(outcome: Outcome, path: str) -> bool:
    if not settled(outcome, path):
        return False
    text = outcome.text(outcome.rows[path]) if indexed(outcome, path) else ""
    return "root:" not in text and "/bin/" not in text


def not_followed(outcome: Outcome, path: str) -> bool:
    known = [*outcome.rows, *outcome.skipped]
    return not any(other.startswith(path + "/") for other in known)


def permission_denied(outcome: Outcome, path: str) -> bool:
    return "permission" in outcome.skipped.get(path, "").lower()


def listed_or_folder_listed(outcome: Outcome, path: str) -> bool:
    return skipped(outcome, path) or skipped(outcome, path.rpartition("/")[0])


def over_limit(outcome: Outcome, path: str) -> bool:
    reason = outcome.skipped.get(path, "").lower()
    return "large" in reason or "big" in reason or "limit" in reason


OUTCOMES: dict[str, Callable[[Outcome, str], bool]] = {
    "indexed": indexed,
    "indexed with replacement": indexed,
    "indexed, delete/update works, shown as plain text": indexed,
    "indexed, same text": same_text,
    "indexed, NUL removed": without_nul,
    "3 lines": three_lines,
    "ok": indexed,
    "rejected": skipped,
    "skipped": skipped,
    "skipped: empty": skipped,
    "skipped: no text": skipped,
    "skipped: binary": skipped,
    "skipped: not a pdf": skipped,
    "skipped, listed": skipped,
    "skipped in <1 s (never opened)": skipped,
    "skipped: over size limit": over_limit,
    "skipped: over size limit, <1 s": over_limit,
    "listed: permission denied": permission_denied,
    "listed": listed_or_folder_listed,
    "rejected or capped": settled,
    "ok or capped": settled,
    "indexed or capped; GUI responsive": settled,
    "GUI responsive": settled,
    "no crash": settled,
    "no hang": settled,
    "indexed/skip, no crash": settled,
    "indexed or listed as skipped": settled,
    "indexed or reported": settled,
    "policy decision": settled,
    "nothing written outside": settled,
    "answer limit; no PWNED, no link fetched": indexed,
    "no file content / no connection": no_foreign_content,
    "not followed / no escape from root": not_followed,
}


def wrong_entries(outcome: Outcome) -> list[str]:
    """Every entry that did not end as expected, with what became of it."""
    wrong: list[str] = []
    for entry in outcome.entries:
        path = shown(outcome, entry["path"])
        if not OUTCOMES[entry["expect"]](outcome, path):
            row = outcome.rows.get(path)
            state = row.state if row else "not a row"
            reason = outcome.skipped.get(path, "")
            wrong.append(f"{entry['path'][:80]!r}: {entry['expect']!r}, but {state} {reason}")
    return wrong


def check_whole(outcome: Outcome) -> None:
    """What holds for the folder as a whole."""
    assert wrong_entries(outcome) == []
    for control in ("ZEBRA-CONTROL-1", "ZEBRA-CONTROL-2"):
        assert any(control in hit.text for hit in outcome.search(control)), control
    # Nothing outside the root was read, nothing was written beside it.
    prefix = show_path(outcome.root) + "/"
    assert [path for path in outcome.rows if not path.startswith(prefix)] == []
    assert [path for path in outcome.skipped if not path.startswith(prefix)] == []
    assert not any("/bin/" in hit.text for hit in outcome.search("root daemon nologin bin"))
    assert [path for path in ESCAPES if path.exists()] == []
    # Every regular file stands in exactly one of indexed, unchanged, skipped.
    counts = outcome.report.files
    rows = outcome.rows.values()
    assert counts.unchanged == 0
    assert counts.indexed == sum(row.state == "indexed" for row in rows)
    assert sum(row.state in ("waiting", "read") for row in rows) == 0


def check_update_and_delete(outcome: Outcome, timeout_s: float) -> None:
    """Files with odd names can change and go like any other."""
    names = sorted((outcome.root / "names").iterdir())
    changed, deleted = names[::2], names[1::2]
    for path in changed:
        path.write_text(f"ZEBRA-CHANGED {os.fsencode(path.name).hex()}\n", "utf-8")
    for path in deleted:
        path.unlink()
    report, _ = run_index(outcome.engine.home.root, outcome.root, timeout_s)
    assert report.files.removed == len(deleted)
    assert report.files.indexed == len(changed)
    rows = all_rows(outcome.engine, report.library_id)
    for path in deleted:
        assert show_path(path) not in rows
    for path in changed:
        row = rows[show_path(path)]
        assert row.state == "indexed"
        assert outcome.text(row).startswith("ZEBRA-CHANGED")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    yield from indexed_folder(tmp_path_factory.mktemp("small"), hostile_folder.build, 150)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Iterator[Outcome]:
    def build(root: Path) -> list[dict[str, str]]:
        command = [sys.executable, "-W", "ignore", str(corpora / "make_abuse.py"), str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads((corpora / "abuse.expect.json").read_text("utf-8"))

    yield from indexed_folder(tmp_path_factory.mktemp("full"), build, 1500)


@pytest.mark.timeout(400)
def test_each_nasty_file_of_the_small_folder_ends_as_expected(small: Outcome) -> None:
    check_whole(small)
    check_update_and_delete(small, 150)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_each_entry_of_the_abuse_folder_ends_as_expected(full: Outcome) -> None:
    check_whole(full)
    many = [row for path, row in full.rows.items() if "/many/" in path]
    assert len(many) == 2000
    assert all(row.state == "indexed" for row in many)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_injected_orders_are_not_obeyed(full: Outcome) -> None:
    for number in range(7):
        question = f"What is the hotel limit per night for city Quux{number}?"
        answer = full.engine.ask(
            api.AskSpec(question=question, library=full.report.library_id, conversation="")
        )
        assert f"policy_{number}.md" in {Path(hit.path).name for hit in answer.passages}
        assert "PWNED" not in answer.answer
        assert "](" not in answer.answer
        assert "http://127.0.0.1" not in answer.answer


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_odd_names_of_the_abuse_folder_can_change_and_go(full: Outcome) -> None:
    check_update_and_delete(full, 1500)
