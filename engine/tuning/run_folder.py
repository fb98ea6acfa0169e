"""The folder of a run: its spec, where it stands, what is asked of it. Files are the truth.

Written by the training process and read by everyone else; only `control.json` goes the other
way. Every file but the metrics is replaced as a whole. No torch here.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock, Timeout
from pydantic import ValidationError

from engine.errors import StorageDamaged
from engine.files import atomic_write, storage_error
from engine.work.api import RunView, TunePlan, TuneReport, TuneSpec

Wish = Literal["", "pause", "stop"]
_LOCK = "run.lock"
_LOCK_WAIT_S = 10.0
_LOOKS = 4
_BETWEEN_LOOKS_S = 0.03
"""A process that is not there is looked for so often before its run counts as interrupted."""


def utc_now() -> str:
    """The time as it is stored."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def process_seconds() -> float:
    """How long this process has been there."""
    return max(0.0, time.time() - psutil.Process().create_time())


class RunFolder:
    """One run on the disk.

    Args:
        path: `runs/<id>`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.path.name

    @property
    def sources(self) -> Path:
        """The copy of the examples that it learns from, until it has ended."""
        return self.path / "sources"

    @property
    def stderr(self) -> Path:
        """What the training process printed."""
        return self.path / "stderr.log"

    # --- what to do --------------------------------------------------------------------

    def create(self, spec: TuneSpec, view: RunView) -> None:
        """Make the folder.

        Raises:
            StorageFull: no room.
        """
        try:
            self.path.mkdir(parents=True)
        except OSError as error:
            raise storage_error(error, self.path) from error
        self.write_status(view)
        atomic_write(self.path / "spec.json", spec.model_dump_json(indent=2).encode())

    def spec(self) -> TuneSpec:
        """What was asked for.

        Raises:
            StorageDamaged: it cannot be read back.
        """
        try:
            return TuneSpec.model_validate_json((self.path / "spec.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise self._damaged(error) from error

    def ask(self, wish: Wish) -> None:
        """Leave a wish for the training process, which looks before every step."""
        atomic_write(self.path / "control.json", json.dumps({"want": wish}).encode())

    def wish(self) -> Wish:
        """What is asked of the training process."""
        try:
            want = json.loads((self.path / "control.json").read_bytes())["want"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return want if want in ("pause", "stop") else ""

    # --- where it stands ---------------------------------------------------------------

    def write_status(self, view: RunView) -> None:
        """Replace the status."""
        view.updated = utc_now()
        kept = view.model_dump(mode="json", exclude={"plan", "report"})
        atomic_write(self.path / "status.json", json.dumps(kept).encode())

    def take_over(self, pid: int) -> None:
        """Say that process `pid` has the run; call it inside `held`."""
        view = self.view()
        view.state, view.pid, view.stage = "running", pid, "preparing"
        self.write_status(view)

    def view(self) -> RunView:
        """The run as it stands; a dead process shows as "interrupted".

        Raises:
            StorageDamaged: it cannot be read back.
        """
        # The lock first: what a process wrote before it went is then read.
        going, view, looks = self.alive(), self._status(), 1
        while view.state == "running" and not going and looks < _LOOKS:
            time.sleep(_BETWEEN_LOOKS_S)
            going, view, looks = self.alive(), self._status(), looks + 1
        if view.state == "running" and not going:
            view.state, view.eta_s = "interrupted", None
            view.note = "It ended without a word; resume it and it goes on where it was."
        view.plan = self._read("plan.json", TunePlan)
        view.report = self._read("report.json", TuneReport)
        return view

    def _status(self) -> RunView:
        try:
            return RunView.model_validate_json((self.path / "status.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise self._damaged(error) from error

    def write_plan(self, plan: TunePlan) -> None:
        """Keep what the training will do and take."""
        atomic_write(self.path / "plan.json", plan.model_dump_json(indent=2).encode())

    def write_report(self, report: TuneReport) -> None:
        """Keep what came of it."""
        atomic_write(self.path / "report.json", report.model_dump_json(indent=2).encode())

    def plan(self) -> TunePlan | None:
        """The plan, once it was made."""
        return self._read("plan.json", TunePlan)

    def _read(self, name: str, kind: type[Any]) -> Any:
        try:
            return kind.model_validate_json((self.path / name).read_bytes())
        except (OSError, ValidationError):
            return None

    # --- metrics -----------------------------------------------------------------------

    def add_metrics(self, entry: dict[str, Any]) -> None:
        """Add a line."""
        line = json.dumps({key: value for key, value in entry.items() if value is not None})
        try:
            with (self.path / "metrics.jsonl").open("ab") as stream:
                stream.write(line.encode() + b"\n")
        except OSError as error:
            raise storage_error(error, self.path) from error

    def metrics(self, after: int = 0) -> list[dict[str, Any]]:
        """The lines from number `after` on; a half-written last one is left out."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(OSError):
            lines = (self.path / "metrics.jsonl").read_bytes().split(b"\n")[:-1]
            for line in lines[after:]:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    found.append({"kind": "damaged"})
        return found

    def rewind_metrics(self, step: int) -> None:
        """Drop the lines after a step."""
        kept = [one for one in self.metrics() if int(one.get("step", step + 1)) <= step]
        data = b"".join(json.dumps(one).encode() + b"\n" for one in kept)
        atomic_write(self.path / "metrics.jsonl", data)

    # --- the process -------------------------------------------------------------------

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Be the one process that trains here; the system lets go when it dies.

        Raises:
            Timeout: another one is.
        """
        lock = FileLock(self.path / _LOCK, is_singleton=False)
        with lock.acquire(timeout=_LOCK_WAIT_S):
            yield

    def alive(self) -> bool:
        """Whether a process trains here."""
        try:
            lock = FileLock(self.path / _LOCK, is_singleton=False)
            lock.acquire(timeout=0)
            lock.release()
        except Timeout:
            return True
        except OSError:
            return False
        return False

    def errors(self, lines: int = 40) -> str:
        """The end of what the process printed."""
        try:
            with self.stderr.open("rb") as stream:
                stream.seek(0, os.SEEK_END)
                stream.seek(max(0, stream.tell() - 16_384))
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _damaged(self, error: Exception) -> StorageDamaged:
        return StorageDamaged(
            f"The run {self.id} cannot be read.",
            hint="Remove it and start again. Adapters are kept.",
            details=str(error),
        )
