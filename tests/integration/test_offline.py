"""Index, ask and the window's main path with internet sockets forbidden: none is tried."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from engine.paths import Home, sample_dir
from tests.conftest import ROOT
from tests.engine.documents.scanned import SIGN, drawn
from tests.integration import no_internet

GUARD = [sys.executable, str(Path(no_internet.__file__))]
WHETSTONE = [sys.executable, "-m", "engine.cli.main"]
QUESTION = "How long does a full freezer stay cold when its door is not opened?"


@pytest.fixture(scope="module", autouse=True)
def kernel_has_the_filter(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where the guard cannot work; nothing else is a reason to skip."""
    if sys.platform != "linux" or platform.machine() not in no_internet.MACHINES:
        pytest.skip("the seccomp guard is written for Linux on x86_64 and aarch64")
    report = tmp_path_factory.mktemp("guard") / "report"
    code = subprocess.run([*GUARD, str(report), "--", "true"], check=False).returncode
    if code == no_internet.REFUSED:
        pytest.skip("this kernel, or the container around the tests, refuses seccomp filters")
    assert code == 0


def guarded(
    command: list[str], tmp_path: Path, timeout_s: float = 170.0
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a command under the guard; returns its end and what was tried."""
    report = tmp_path / "tried.txt"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    # A home without caches: nothing may lean on a model fetched earlier.
    environment |= {"HOME": str(tmp_path / "user"), "XDG_RUNTIME_DIR": str(tmp_path)}
    environment.pop("DISPLAY", None)
    ended = subprocess.run(
        [*GUARD, str(report), "--", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return ended, report.read_text("utf-8")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_the_guard_catches_a_try_in_a_grandchild(tmp_path: Path, family: str) -> None:
    socket = f"import socket; socket.socket(socket.{family})"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {socket!r}])"
    ended, tried = guarded([sys.executable, "-c", program], tmp_path)
    assert ended.returncode == no_internet.TRIED
    assert tried.startswith(family + " by ")
    assert "Permission denied" in ended.stderr


def test_the_guard_lets_local_sockets_and_exit_codes_through(tmp_path: Path) -> None:
    program = (
        "import socket, sys; a, b = socket.socketpair(); a.send(b'x'); b.recv(1);"
        "socket.socket(socket.AF_UNIX).close(); sys.exit(41)"
    )
    ended, tried = guarded([sys.executable, "-c", program], tmp_path)
    assert (ended.returncode, tried) == (41, "")


def test_the_guard_sees_a_process_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import no_internet;"
        "no_internet.LINGER_S = 0.5; sys.exit(no_internet.main())"
    )
    command = [sys.executable, "-c", launcher, str(Path(no_internet.__file__).parent)]
    command += [str(tmp_path / "report"), "--", "sh", "-c", "sleep 3 & exit 0"]
    ended = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == no_internet.LINGERING


@pytest.mark.timeout(400)
def test_index_and_ask_try_no_connection(home: Home, tmp_path: Path) -> None:
    command = [*WHETSTONE, "index", str(sample_dir()), "--library", "offline", "--json"]
    ended, tried = guarded(command, tmp_path)
    assert tried == ""
    assert ended.returncode == 0, ended.stderr
    assert "started again" not in ended.stderr  # no child died on the way
    indexed = json.loads(ended.stdout)
    assert indexed["files"]["indexed"] == sum(1 for p in sample_dir().rglob("*") if p.is_file())
    assert indexed["files"]["skipped"] == []

    ended, tried = guarded(
        [*WHETSTONE, "ask", QUESTION, "--library", "offline", "--json"], tmp_path
    )
    assert tried == ""
    assert ended.returncode == 0, ended.stderr
    assert "started again" not in ended.stderr
    answer = json.loads(ended.stdout)
    assert answer["answer"]
    assert answer["citations"], answer
    assert all(citation["verified"] for citation in answer["citations"])


@pytest.mark.timeout(400)
def test_reading_a_picture_tries_no_connection(home: Home, tmp_path: Path) -> None:
    """OCR has its models with it; its library would fetch others if it were let."""
    (tmp_path / "papers").mkdir()
    drawn(SIGN).save(tmp_path / "papers" / "sign.png")
    command = [*WHETSTONE, "index", str(tmp_path / "papers"), "--scans", "all", "--json"]
    ended, tried = guarded(command, tmp_path)
    assert tried == ""
    assert ended.returncode == 0, ended.stderr
    assert "started again" not in ended.stderr
    assert json.loads(ended.stdout)["files"]["indexed"] == 1
    assert len(list(home.scans.iterdir())) == 1


@pytest.mark.timeout(400)
def test_the_windows_main_path_tries_no_connection(home: Home, tmp_path: Path) -> None:
    walk = [sys.executable, "-m", "tests.integration.window_path"]
    ended, tried = guarded(walk, tmp_path)
    assert tried == ""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "the source is shown: done" in ended.stdout
    assert "started again" not in ended.stderr
    assert "stopped unexpectedly" not in ended.stderr
