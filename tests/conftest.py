"""What every test can use: a home of its own, the corpora, a look for leftovers at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from engine.paths import Home
from tests.rerankers import write_tiny_rerankers

ROOT = Path(__file__).resolve().parent.parent
LEFTOVER_GRACE_S = 10.0

# No library may look for the network, and none may print progress bars into test output.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A test says the same each time it is asked; `make test-all` looks at other examples each time.
settings.register_profile("steady", derandomize=True)
settings.register_profile("exploring", derandomize=False, print_blob=True)
settings.load_profile("steady")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty data folder; `$WHETSTONE_HOME` points there, for child processes too."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("WHETSTONE_HOME", str(home.root))
    return home.create()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of third-party corpora beside the clone; skips where there is none."""
    folder = ROOT.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"needs the corpora at {folder}, which are not part of the repository")
    return folder


@pytest.fixture(scope="session")
def starter() -> Path:
    """The starter models; `make test` fetches them."""
    folder = ROOT / "resources" / "starter"
    if not (folder / "all-MiniLM-L6-v2" / "model.safetensors").is_file():
        pytest.fail("the starter models are missing: run `make test`, which fetches them")
    return folder


@pytest.fixture(scope="session")
def rerankers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three tiny cross-encoders; see `tests.rerankers`."""
    return write_tiny_rerankers(tmp_path_factory.mktemp("rerankers"))


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """After the last test no child process runs and no thread keeps Python from ending.

    It looks once, at the very end, because clients that many tests share start their
    processes when first used and end them when the session does.
    """
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    yield
    deadline = time.monotonic() + LEFTOVER_GRACE_S
    while (left := leftovers(me, before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if left:
        pytest.fail("left behind by the tests: " + "; ".join(left))


def leftovers(me: psutil.Process, before: set[int]) -> list[str]:
    """What still runs: child processes that are ours to end, and non-daemon threads."""
    found: list[str] = []
    for child in me.children(recursive=True):
        try:
            command = " ".join(child.cmdline())
            ended = child.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            continue
        # Python's own bookkeeper of shared memory lives as long as the interpreter.
        if child.pid in before or "multiprocessing.resource_tracker" in command:
            continue
        found.append(f"{'unreaped ' if ended else ''}process {child.pid} {command[:120]}")
    for thread in threading.enumerate():
        if thread.name.startswith("pytest_timeout"):  # the clock of the test that ends here
            continue
        if thread is not threading.main_thread() and not thread.daemon:
            found.append(f"thread {thread.name}")
    return found
