"""The system package script on machines that lack something, without touching this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "installers" / "linux" / "system-packages"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a script for Debian")


def run(tmp_path: Path, what: str = "run", **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the script where the named programs are replaced by one-line shell scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, line in programs.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        program.chmod(0o755)
    path = f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LOG": str(tmp_path / "log")}
    return subprocess.run(
        [str(SCRIPT), what], env=environment, capture_output=True, text=True, check=False
    )


def test_all_there_is_silent(tmp_path: Path) -> None:
    ended = run(tmp_path, dpkg_query="echo 'install ok installed'", apt_get="exit 9")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_without_rights_it_prints_the_line_and_goes_on(tmp_path: Path) -> None:
    ended = run(tmp_path, dpkg_query="exit 1", id="echo 1000", sudo="exit 1", apt_get="exit 9")
    assert ended.returncode == 0
    line = next(line for line in ended.stderr.splitlines() if "apt-get" in line)
    assert line.strip().startswith("sudo apt-get install --no-install-recommends ")
    assert "libxcb-cursor0" in line
    assert "libegl1" in line
    assert "xvfb" not in line


def test_as_root_it_installs_what_is_missing_only(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        what="test",
        dpkg_query='case "$*" in *" xvfb"*) exit 1;; *) echo "install ok installed";; esac',
        id="echo 0",
        apt_get='echo "$@" >>"$LOG"',
    )
    assert ended.returncode == 0
    log = (tmp_path / "log").read_text("utf-8").split()
    assert log[-1] == "xvfb"
    assert "xauth" not in log


def test_a_renamed_library_counts_as_there(tmp_path: Path) -> None:
    renamed = 'case "$*" in *" libglib2.0-0") exit 1;; *) echo "install ok installed";; esac'
    ended = run(tmp_path, dpkg_query=renamed, apt_get="exit 9")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_apt_that_fails_is_tried_again_after_an_update(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        dpkg_query="exit 1",
        id="echo 0",
        apt_get='echo "$@" >>"$LOG"; exit 100',
    )
    assert ended.returncode == 0
    assert "apt could not install them" in ended.stderr
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert lines[0].startswith("install")
    assert lines[1].startswith("update")


def test_an_old_python_is_the_one_thing_it_stops_for(tmp_path: Path) -> None:
    ended = run(tmp_path, dpkg_query="echo 'install ok installed'", python3="exit 1")
    assert ended.returncode == 1
    assert "Python 3.11" in ended.stderr
