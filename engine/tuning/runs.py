"""Runs: start a training that outlives this process, look at it, pause, resume, stop it.

The training process is detached: a session of its own, its output in the run's folder. The
folder is all there is between it and anyone who looks. No torch here.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from engine.errors import EngineError, InvalidInput, StorageDamaged, WorkerCrashed
from engine.paths import Home
from engine.tuning.run_folder import RunFolder, utc_now
from engine.work.api import RunMetrics, RunView, TunePlan, TuneSpec
from engine.work.children import Worker, child_environment, entry_command
from engine.work.jobs import NULL_JOB, Job

ENVIRONMENT = {"GOMP_SPINCOUNT": "5000", "TQDM_DISABLE": "1"}
"""Threads that spin for long while another program wants the core slow both tenfold."""
_RESUMABLE = ("paused", "interrupted", "failed", "planned")
_PAUSE_WAIT_S = 60.0
_POLL_S = 0.2


class Runs:
    """The runs of a home.

    Args:
        home: the data folder.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder = home.runs

    # --- looking -----------------------------------------------------------------------

    def list(self) -> list[RunView]:
        """All runs, the newest first."""
        found: list[RunView] = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.is_dir() and not path.name.startswith("."):
                try:
                    found.append(RunFolder(path).view())
                except StorageDamaged as damage:
                    found.append(
                        RunView(
                            id=path.name, name=path.name, state="failed", error=damage.to_dict()
                        )
                    )
        return sorted(found, key=lambda run: (run.created, run.id), reverse=True)

    def find(self, ref: str) -> RunView:
        """The run with this id or name, or whose id or name alone begins so.

        Raises:
            InvalidInput: there is none, or several.
        """
        runs, wanted = self.list(), ref.casefold()
        exact = [run for run in runs if wanted in (run.id.casefold(), run.name.casefold())]
        found = exact or [
            run
            for run in runs
            if run.id.casefold().startswith(wanted) or run.name.casefold().startswith(wanted)
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(run.id for run in (found or runs)) or "none"
        if found:
            raise InvalidInput(f"Several runs are called {ref!r}.", hint=f"Say which: {names}")
        raise InvalidInput(f"There is no run {ref!r}.", hint=f"There are: {names}")

    def metrics(self, ref: str, after: int = 0) -> RunMetrics:
        """A run and its lines of metrics from number `after` on."""
        run = self.find(ref)
        return RunMetrics(run=run, after=after, lines=self._of(run).metrics(after))

    def _of(self, run: RunView) -> RunFolder:
        return RunFolder(self._folder / run.id)

    # --- starting ----------------------------------------------------------------------

    def plan(self, spec: TuneSpec, job: Job = NULL_JOB) -> TunePlan:
        """Measure on the user's own examples what a training would take; about 20 seconds.

        Raises:
            InvalidInput, ModelUnavailable, NotEnoughMemory, StorageFull: it cannot be done.
            Cancelled: stopped.
        """
        environment = {**ENVIRONMENT, "WHETSTONE_HOME": str(self._home.root)}
        worker = Worker("tune", "The training", environment)
        try:
            made = worker.call("plan", spec.model_dump(mode="json"), job)
            return TunePlan.model_validate(made)
        finally:
            worker.close()

    def start(self, spec: TuneSpec, plan: TunePlan | None = None) -> RunView:
        """Start a training; it goes on when this process ends.

        Args:
            spec: what to train; its references must hold (see `tune.start`).
            plan: what `plan` gave, else it is made first.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        folder = RunFolder(self._folder / f"{stamp}-{secrets.token_hex(2)}")
        view = RunView(
            id=folder.id,
            name=spec.name,
            state="planned",
            dataset=spec.dataset,
            model=spec.model,
            method=spec.method,
            created=utc_now(),
        )
        folder.create(spec, view)
        if plan is not None:
            folder.write_plan(plan)
        self._launch(folder, view)
        return folder.view()

    def resume(self, ref: str) -> RunView:
        """Go on where a run stands.

        Raises:
            InvalidInput: it runs, or it is done.
        """
        run = self.find(ref)
        if run.state not in _RESUMABLE:
            raise InvalidInput(f"{run.name} is {run.state}; there is nothing to resume.")
        folder = self._of(run)
        folder.spec()
        folder.ask("")
        self._launch(folder, run)
        return folder.view()

    def _launch(self, folder: RunFolder, view: RunView) -> None:
        """Start the process and wait until it has the run.

        The status says at once that it goes on: who follows must not take the end before for
        the end of this.
        """
        view.state, view.stage, view.pid = "planned", "waiting", 0
        view.error, view.note, view.eta_s = None, "", None
        folder.write_status(view)
        command = [*entry_command("tune"), str(folder.path)]
        environment = child_environment({**ENVIRONMENT, "WHETSTONE_HOME": str(self._home.root)})
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        try:
            with folder.stderr.open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    close_fds=True,
                    start_new_session=True,
                    creationflags=flags,
                )
        except OSError as error:
            raise WorkerCrashed(
                "The training could not be started.",
                hint="Check that Whetstone is installed completely and memory is free.",
                details=str(error),
            ) from error
        _reap_later(process)
        while process.poll() is None:
            if folder.alive():
                return
            time.sleep(_POLL_S / 10)
        if folder.view().state in ("planned", "interrupted"):
            view.state, view.note = "failed", ""
            crash = WorkerCrashed("The training could not be started.", details=folder.errors())
            view.error = crash.to_dict()
            folder.write_status(view)

    # --- asking ------------------------------------------------------------------------

    def pause(self, ref: str, job: Job = NULL_JOB) -> RunView:
        """Ask a run to write its checkpoint and end, and wait for it up to a minute.

        Raises:
            InvalidInput: it does not run.
        """
        return self._ask(ref, "pause", job)

    def stop(self, ref: str, job: Job = NULL_JOB) -> RunView:
        """Ask a run to end now and keep the best; a paused one is resumed for that."""
        run = self.find(ref)
        if run.state in ("paused", "interrupted"):
            folder = self._of(run)
            folder.ask("stop")
            self._launch(folder, run)
            return folder.view()
        return self._ask(ref, "stop", job)

    def _ask(self, ref: str, wish: str, job: Job) -> RunView:
        run = self.find(ref)
        if run.state not in ("planned", "running"):
            raise InvalidInput(f"{run.name} does not run; it is {run.state}.")
        folder = self._of(run)
        folder.ask("pause" if wish == "pause" else "stop")
        limit = time.monotonic() + _PAUSE_WAIT_S
        while wish == "pause" and folder.alive() and time.monotonic() < limit:
            job.checkpoint()
            time.sleep(_POLL_S)
        return folder.view()

    def remove(self, ref: str) -> RunView:
        """Forget a run that does not run; its adapter stays.

        Raises:
            InvalidInput: it runs.
        """
        run = self.find(ref)
        if self._of(run).alive():
            raise InvalidInput(
                f"{run.name} runs.", hint="Stop or pause it first, then remove it."
            )
        path: Path = self._folder / run.id
        gone = path.with_name(f".{run.id}.removed")
        try:
            os.replace(path, gone)
        except OSError as error:
            raise EngineError("The run could not be removed.", details=str(error)) from error
        shutil.rmtree(gone, ignore_errors=True)
        return run


def _reap_later(process: subprocess.Popen[bytes]) -> None:
    """Wait for the process in the background, so that it leaves no zombie if it ends first."""
    import threading

    threading.Thread(target=process.wait, name="reap", daemon=True).start()
