"""What a confined process can no longer do, tried in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.work.sandbox import forbid_network_and_programs

ROOT = Path(__file__).parents[3]
TRY = """
import socket, subprocess, sys
from engine.work import sandbox
assert sandbox.forbid_network_and_programs()
sandbox.forbid_writing()
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    try:
        socket.socket(family)
    except PermissionError:
        print("no socket")
try:
    subprocess.run(["/bin/true"])
except OSError:
    print("no program")
try:
    with open(sys.argv[1], "w") as stream:
        stream.write("x")
except OSError:
    print("no file")
print(len(open("/proc/self/status").read()) > 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_sockets_programs_and_files_are_out_of_reach(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRY, str(tmp_path / "written")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.split("\n")[:-1] == ["no socket"] * 3 + [
        "no program",
        "no file",
        "True",
    ], done.stderr


def test_other_systems_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert forbid_network_and_programs() is False
