"""What the real notifier of this system says, and what it does when the system refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.library import watching
from engine.library.watching import MANY, Watcher, remote_reason

ROOT = Path(__file__).parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux")


class Ear:
    """Collects what a watcher says."""

    def __init__(self) -> None:
        self.paths: set[bytes] = set()
        self.everything = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()

    def changed(self, paths: set[bytes] | None) -> None:
        with self._lock:
            if paths is None:
                self.everything += 1
            else:
                self.paths |= paths

    def hears(self, condition: Callable[[], bool], within_s: float = 30.0) -> bool:
        deadline = time.monotonic() + within_s
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        return condition()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def watcher(tmp_path: Path, ear: Ear) -> Iterator[Watcher]:
    (tmp_path / "root" / "home").mkdir(parents=True)
    (tmp_path / "root" / "sub").mkdir()
    (tmp_path / "outside").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "root" / "link")
    root = os.fsencode(tmp_path / "root")
    watcher = Watcher([root], root + b"/home", ear.changed, ear.failures.append)
    yield watcher
    watcher.close()


@pytest.mark.usefixtures("watcher")
def test_changes_are_heard_also_in_folders_that_came_later(tmp_path: Path, ear: Ear) -> None:
    root = tmp_path / "root"
    (root / "a.txt").write_text("x")
    assert ear.hears(lambda: os.fsencode(root / "a.txt") in ear.paths)
    (root / "new" / "deep").mkdir(parents=True)
    assert ear.hears(lambda: os.fsencode(root / "new") in ear.paths)
    time.sleep(0.5)
    (root / "new" / "deep" / "b.txt").write_text("x")
    assert ear.hears(lambda: os.fsencode(root / "new" / "deep" / "b.txt") in ear.paths)
    (root / "sub").rename(root / "sub2")
    assert ear.hears(
        lambda: {os.fsencode(root / "sub"), os.fsencode(root / "sub2")} <= ear.paths
    )
    (root / "sub2" / "c.txt").write_text("x")
    assert ear.hears(lambda: os.fsencode(root / "sub2" / "c.txt") in ear.paths)


@linux
@pytest.mark.usefixtures("watcher")
def test_links_and_our_own_folder_are_not_listened_to(tmp_path: Path, ear: Ear) -> None:
    (tmp_path / "outside" / "x.txt").write_text("x")
    (tmp_path / "root" / "home" / "y.txt").write_text("y")
    (tmp_path / "root" / "z.txt").write_text("z")
    assert ear.hears(lambda: bool(ear.paths))
    assert ear.paths == {os.fsencode(tmp_path / "root" / "z.txt")}


@linux
@pytest.mark.usefixtures("watcher")
def test_a_name_that_is_no_text_asks_for_a_look_and_does_not_deafen(
    tmp_path: Path, ear: Ear
) -> None:
    with open(os.fsencode(tmp_path) + b"/root/caf\xe9.txt", "wb") as stream:
        stream.write(b"x")
    assert ear.hears(lambda: ear.everything > 0)
    (tmp_path / "root" / "after.txt").write_text("x")
    assert ear.hears(lambda: os.fsencode(tmp_path / "root" / "after.txt") in ear.paths)
    assert ear.failures == []


@pytest.mark.usefixtures("watcher")
def test_a_flood_asks_for_a_look_at_everything(tmp_path: Path, ear: Ear) -> None:
    for n in range(MANY + 500):
        (tmp_path / "root" / f"{n}.txt").touch()
    assert ear.hears(lambda: ear.everything > 0)


REFUSED = """
import os, sys
from engine.library.watching import CannotWatch, Watcher
try:
    Watcher([os.fsencode(sys.argv[1])], b"", print, print).close()
    print("watching")
except CannotWatch as error:
    print(error)
"""


@linux
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_inotify_watches", "limit of watched folders"),
        ("max_inotify_instances", "limit of watchers"),
    ],
)
def test_a_limit_of_the_system_is_told(tmp_path: Path, limit: str, said: str) -> None:
    """A real limit: that of a user namespace of its own, lowered there."""
    for n in range(10):
        (tmp_path / str(n)).mkdir()
    lowered = f'echo 0 > /proc/sys/user/{limit} && exec "$@"'
    command = ["unshare", "-Ur", "sh", "-c", lowered, "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(
        [*command, sys.executable, "-c", REFUSED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert said in done.stdout


def test_a_root_that_goes_fails_or_falls_silent_but_does_not_raise(
    tmp_path: Path, ear: Ear
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    watcher = Watcher([os.fsencode(gone)], b"", ear.changed, ear.failures.append)
    shutil.rmtree(gone)
    assert ear.hears(lambda: bool(ear.paths) or bool(ear.failures))
    watcher.close()
    assert not watcher.alive


def test_network_disks_are_recognised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one thing replaced is the list of mounts: no test can mount a network disk."""

    class Disk:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    mounts = [Disk("/", "ext4"), Disk("/mnt/team", "nfs4"), Disk("/mnt/team/local", "xfs")]
    monkeypatch.setattr(watching.psutil, "disk_partitions", lambda all: mounts)
    assert "/mnt/team" in remote_reason([b"/home/me", b"/mnt/team/papers"])
    assert remote_reason([b"/mnt/team/local/papers"]) == ""
    assert "/mnt/team" in remote_reason([b"/mnt"])  # a network disk below a local folder
    monkeypatch.undo()
    assert remote_reason([os.fsencode(tmp_path)]) == ""
