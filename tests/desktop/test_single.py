from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.single import Single
from engine.paths import Home

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks and sockets")

CLAIM = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.single import Single
from engine.paths import Home
application = QCoreApplication([])
single = Single(Home(Path(sys.argv[1])))
print(single.claim("token"), flush=True)
if sys.argv[2:] == ["stay"]:
    sys.stdin.read()
"""


def claim(home: Home, *more: str) -> subprocess.Popen[str]:
    """Another start on the same data folder."""
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(home.root), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def first(qapp: Any, tmp_path: Path) -> Iterator[Single]:
    single = Single(Home(tmp_path))
    assert single.claim()
    yield single
    single.close()


def test_a_second_start_tells_the_first_and_gives_way(
    first: Single, qtbot: Any, tmp_path: Path
) -> None:
    wishes: list[str] = []
    first.wished.connect(wishes.append)
    second = claim(Home(tmp_path))
    qtbot.waitUntil(lambda: wishes == ["token"], timeout=20_000)
    assert second.communicate(timeout=20)[0].strip() == "False"


def test_another_data_folder_has_a_window_of_its_own(
    first: Single, qapp: Any, tmp_path: Path
) -> None:
    other = Single(Home(tmp_path / "other"))
    assert other.claim()
    other.close()


def test_a_killed_window_holds_nothing(qapp: Any, tmp_path: Path) -> None:
    home = Home(tmp_path)
    killed = claim(home, "stay")
    assert killed.stdout is not None
    assert killed.stdout.readline().strip() == "True"
    assert (home.locks / "window.sock").exists()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=20)
    mine = Single(home)
    assert mine.claim()
    mine.close()


def test_a_window_that_is_just_closing_is_waited_for(
    first: Single, qtbot: Any, tmp_path: Path
) -> None:
    first.deafen()
    second = claim(Home(tmp_path))
    qtbot.wait(1500)
    assert second.poll() is None
    first.close()
    assert second.communicate(timeout=20)[0].strip() == "True"


def test_a_window_that_does_not_answer_is_not_waited_for(
    qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.single.ANSWER_S", 0.2)
    home = Home(tmp_path)
    busy = claim(home, "stay")  # its event loop does not turn
    assert busy.stdout is not None
    busy.stdout.readline()
    second = Single(home)
    assert second.claim()
    second.close()
    busy.communicate("", timeout=20)


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_start(
    qapp: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    single = Single(Home(tmp_path / "file"))
    assert single.claim()
    single.close()
