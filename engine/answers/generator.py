"""Client of the generator process: which model it holds, and answers from it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from collections.abc import Generator as Iterating
from contextlib import contextmanager
from typing import Any

import psutil

from engine import hardware
from engine.answers.generation import AdapterUse, Generated, Prompt, Task
from engine.errors import Cancelled, NotEnoughMemory, WorkerCrashed
from engine.models.registry import GENERATOR_ENVIRONMENT
from engine.paths import Home
from engine.settings import load_settings
from engine.work.api import ModelCard
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease, Purpose

NAME = "The language model"
LOAD_LIMIT_S = 900.0
SILENCE_LIMIT_S = 300.0
"""A generator that says nothing for so long (not one batch of the prompt, not one token)
hangs."""
_LOCK_POLL_S = 0.05
_MEMORY_SHARE = 0.95


class Generator:
    """Loads models and writes answers; one answer at a time, others wait their turn.

    Args:
        home: the user's data folder.
        lease: cores are held while an answer is written.
        on_death: told once for every unexpected end of the process.
        silence_s: how long it may say nothing while it writes.
        command: overrides the child's command line (for tests).
    """

    def __init__(
        self,
        home: Home,
        lease: CoreLease,
        on_death: Callable[[WorkerCrashed], None] | None = None,
        silence_s: float = SILENCE_LIMIT_S,
        command: Sequence[str] | None = None,
    ) -> None:
        self._home = home
        self._lease = lease
        self._worker = Worker(
            "generator", NAME, GENERATOR_ENVIRONMENT, on_death=on_death, command=command
        )
        self._silence_s = silence_s
        self._turn = threading.RLock()
        self._loaded: tuple[int, str, int, int] | None = None
        self.template_problem = ""
        """Why the loaded model's own chat template is not used; empty when it is."""

    @property
    def pid(self) -> int | None:
        """Process id of the generator, None while there is none."""
        return self._worker.pid

    @contextmanager
    def using(
        self, card: ModelCard, job: Job = NULL_JOB, on_loading: Callable[[], None] | None = None
    ) -> Iterating[Generator]:
        """Have `card` loaded and to oneself.

        Args:
            card: the model.
            job: can cancel the waiting and the loading.
            on_loading: called when it has to be loaded first.

        Raises:
            ModelUnavailable, NotEnoughMemory: it cannot be loaded.
            WorkerCrashed: the process died while loading.
            Cancelled: stopped.
        """
        while not self._turn.acquire(timeout=_LOCK_POLL_S):
            job.checkpoint()
        try:
            self._load(card, job, on_loading)
            yield self
        finally:
            self._turn.release()

    def load(self, card: ModelCard, job: Job = NULL_JOB) -> None:
        """Load the model unless it is loaded; errors as in `using`."""
        with self.using(card, job):
            pass

    def warm(self, card: ModelCard) -> None:
        """Load ahead of the first question; errors as in `using`."""
        self.load(card)

    def is_loaded(self, card: ModelCard) -> bool:
        """Whether an answer from this model can start without loading."""
        return self._loaded is not None and self._loaded == self._key(card)

    def _key(self, card: ModelCard) -> tuple[int, str, int, int] | None:
        pid = self._worker.pid
        return None if pid is None else (pid, card.path, card.context_used, card.gpu_layers)

    def _load(self, card: ModelCard, job: Job, on_loading: Callable[[], None] | None) -> None:
        if self.is_loaded(card):
            return
        if on_loading is not None:
            on_loading()
        self._check_memory(card)
        self._loaded = None
        params = {
            "path": card.path,
            "context": card.context_used,
            "gpu_layers": card.gpu_layers,
            "threads": hardware.cpu().cores,
            "sha256": card.sha256,
            "states": str(self._home.states),
            "states_bytes": load_settings(self._home).states_mb << 20,
        }
        try:
            answer: dict[str, Any] = self._worker.call(
                "load", params, job, timeout_s=LOAD_LIMIT_S
            )
        except Cancelled:
            raise
        except Exception:
            # Whatever state a failed load left behind goes with its process.
            self._worker.close()
            raise
        self.template_problem = str(answer.get("template_problem", ""))
        self._loaded = self._key(card)

    def _check_memory(self, card: ModelCard) -> None:
        if card.fits:
            return
        self.close()  # whatever model is held now gives its memory back first
        there = hardware.memory_available_bytes() * _MEMORY_SHARE
        if card.gpu_layers == 0 and card.memory_bytes > there:
            raise NotEnoughMemory(
                f"{card.name} needs about {card.memory_bytes / 2**30:.1f} GB of memory; "
                f"{there / 2**30:.1f} GB are free.",
                hint="Close other programs, or choose a smaller model.",
            )

    def count_tokens(self, texts: Sequence[str], job: Job = NULL_JOB) -> list[int]:
        """Tokens of each text for the loaded model, inside `using`."""
        answer: dict[str, Any] = self._call("tokenize", {"texts": list(texts)}, job, None)
        return [int(count) for count in answer["counts"]]

    def prompt_tokens(self, prompt: Prompt, job: Job = NULL_JOB) -> int:
        """Tokens of a whole prompt with its chat template, inside `using`."""
        params: dict[str, Any] = {"texts": [], "prompt": prompt.model_dump()}
        answer: dict[str, Any] = self._call("tokenize", params, job, None)
        return int(answer["prompt"])

    def generate(
        self,
        task: Task,
        job: Job = NULL_JOB,
        on_token: Callable[[str, list[float]], None] | None = None,
        purpose: Purpose = "question",
    ) -> Generated:
        """Write an answer with the loaded model, inside `using`.

        Args:
            task: what the model reads and how it answers.
            job: a cancel ends the answer with what there is (ending "stopped").
            on_token: called with each piece of text and, in token mode, what each passage
                had in it.
            purpose: "batch" for what nobody waits for: a question, in whatever process,
                ends it like a cancel.

        Raises:
            WorkerCrashed: the process died, hung or spoke rubbish; `details` begin with the
                part of the answer that was there.
            InvalidInput: the prompts are too long.
            Cancelled: stopped before the first token.
        """
        pieces: list[str] = []

        def on_event(kind: str, data: Any) -> None:
            if kind == "token":
                text = str(data["text"])
                pieces.append(text)
                if on_token is not None:
                    on_token(text, [float(share) for share in data.get("weights", ())])

        try:
            with self._lease.hold(purpose, job) as cores:
                if purpose == "batch":
                    job = self._lease.yielding(job)
                params = task.model_copy(update={"threads": cores}).model_dump()
                return Generated.model_validate(self._call("generate", params, job, on_event))
        except WorkerCrashed as crash:
            crash.details = f"answer so far: {''.join(pieces)!r}\n{crash.details}"
            raise

    def prepare(
        self,
        prompts: Sequence[Prompt],
        job: Job = NULL_JOB,
        adapters: Sequence[AdapterUse] = (),
    ) -> int:
        """Compute the passages of prompts ahead of any question, inside `using`.

        Long work: holds the cores for one prompt at a time, and a question goes first.

        Returns:
            How many had to be computed.
        """
        made = 0
        for prompt in prompts:
            with self._lease.hold("batch", job) as cores:
                params = {
                    "prompts": [prompt.model_dump()],
                    "adapters": [one.model_dump() for one in adapters],
                    "threads": cores,
                }
                answer: dict[str, Any] = self._call("prepare", params, job, None)
                made += int(answer["computed"])
        return made

    def forget(self) -> None:
        """Drop what a running generator keeps of passages in memory."""
        if self._worker.pid is not None:
            with contextlib.suppress(WorkerCrashed):
                self._call("forget", {}, NULL_JOB, None)

    def _call(
        self,
        method: str,
        params: dict[str, Any],
        job: Job,
        on_event: Callable[[str, Any], None] | None,
    ) -> Any:
        """Call the child; one that falls silent is ended like one that died."""
        watch = _SilenceWatch(job, self._silence_s, self._worker)
        try:
            return self._worker.call(method, params, watch, on_event=watch.heard(on_event))
        except WorkerCrashed as crash:
            self._loaded = None
            if watch.gave_up:
                raise WorkerCrashed(
                    f"{NAME} did not answer for {self._silence_s:g} seconds and was stopped.",
                    hint="It is started again by itself; try once more.",
                    details=crash.details,
                ) from crash
            raise

    def close(self) -> None:
        """End the process; a later call starts it again."""
        with self._turn:
            self._loaded = None
            self._worker.close()


class _SilenceWatch:
    """A job that passes everything on and kills a child that says nothing for too long."""

    def __init__(self, job: Job, limit_s: float, worker: Worker) -> None:
        self._job = job
        self._limit_s = limit_s
        self._worker = worker
        self._last = time.monotonic()
        self.gave_up = False

    def heard(self, on_event: Callable[[str, Any], None] | None) -> Callable[[str, Any], None]:
        """Wrap an event callback so that each event counts as a sign of life."""

        def on_sign(kind: str, data: Any) -> None:
            self._last = time.monotonic()
            if on_event is not None:
                on_event(kind, data)

        return on_sign

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._last = time.monotonic()
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        if not self.gave_up and time.monotonic() - self._last > self._limit_s:
            self.gave_up = True
            pid = self._worker.pid
            if pid is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()
        self._job.checkpoint()
