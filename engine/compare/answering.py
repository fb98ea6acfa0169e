"""One arm answers an exam; every answer is kept at once, and none is asked for twice.

`comparisons/answers/<key>.jsonl`, where the key names all that an answer depends on: model,
adapter, wording, the question's own text. So the base that was asked once serves every later
comparison over the same questions, and a kill loses the answer in work alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.answers.generation import AdapterUse, Task
from engine.answers.generator import Generator
from engine.compare.exams import example_of
from engine.errors import Cancelled, InvalidInput
from engine.files import storage_error
from engine.tuning.datasets.types import TaskKind
from engine.tuning.prompting import prompt_of, wording_version
from engine.work.api import ExamItem, ModelCard
from engine.work.api.compare import ArmName
from engine.work.idle import Idle
from engine.work.jobs import Job

_SHORTEST_LIMIT, _LONGEST_LIMIT = 32, 512
_BYTES_A_TOKEN = 2
"""Fewer than texts have, so that a right answer always fits."""


class Answer(BaseModel):
    """What was answered to one item, as it is kept. Times in milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    """Hash of the item and its prompt."""
    answer: str
    first_token_ms: float
    total_ms: float
    memory_bytes: int
    failed: bool = False
    """It did not fit into the model's context."""


@dataclass(frozen=True)
class Arm:
    """Who answers: a model, with adapters or as it is."""

    name: ArmName
    card: ModelCard
    adapters: list[AdapterUse]
    adapter: str = ""
    """Its label in the report."""
    adapter_sha256: str = ""
    disk_bytes: int = 0
    tell_labels: bool = False


@dataclass(frozen=True)
class Exam:
    """What is asked."""

    task: TaskKind
    labels: Sequence[str]
    items: Sequence[ExamItem]


class Answering:
    """One arm and one exam.

    Args:
        folder: of answers.
        generator: answers.
        idle: lets questions go before every row.
        exam: what is asked.
        arm: who answers.
    """

    def __init__(
        self, folder: Path, generator: Generator, idle: Idle, exam: Exam, arm: Arm
    ) -> None:
        self._generator = generator
        self._idle = idle
        self._exam = exam
        self._arm = arm
        self._limit = answer_limit(exam)
        self.path = folder / f"{self._arm_key()}.jsonl"
        self._keys = [self._key(item) for item in exam.items]
        kept = read_answers(self.path)
        self._kept = {key: kept[key] for key in self._keys if key in kept}

    @property
    def done(self) -> int:
        """Rows that are answered."""
        return sum(key in self._kept for key in self._keys)

    def answers(self) -> list[Answer]:
        """What was answered, in the order of the items; KeyError when one is missing."""
        return [self._kept[key] for key in self._keys]

    def run(self, job: Job, told: int, total: int) -> None:
        """Answer what is left.

        Args:
            job: told of every row; can cancel.
            told: rows of other arms that are done.
            total: rows of all arms.

        Raises:
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be run.
            StorageFull: no room; the rows before are kept.
            Cancelled: `job` was cancelled; the rows before are kept.
        """
        for item, key in zip(self._exam.items, self._keys, strict=True):
            job.checkpoint()
            job.progress(told + self.done, total, f"Answering: {self._arm.name}")
            if key not in self._kept:
                answer = self._idle.take_step(
                    lambda step, item=item, key=key: self._answer(item, key, step), job
                )
                self._keep(answer)
        job.progress(told + self.done, total, f"Answering: {self._arm.name}")

    def _answer(self, item: ExamItem, key: str, job: Job) -> Answer:
        task = Task(
            mode="none",
            prompts=[self._prompt(item)],
            max_tokens=self._limit,
            adapters=self._arm.adapters,
        )
        with self._generator.using(self._arm.card, job) as model:
            try:
                made = model.generate(task, job, purpose="batch")
            except InvalidInput:  # longer than this model reads
                return Answer(
                    key=key,
                    answer="",
                    first_token_ms=0.0,
                    total_ms=0.0,
                    memory_bytes=memory_of(model.pid),
                    failed=True,
                )
            if made.ending == "stopped":
                raise Cancelled()
            return Answer(
                key=key,
                answer=made.text,
                first_token_ms=made.first_token_ms,
                total_ms=made.total_ms,
                memory_bytes=memory_of(model.pid),
            )

    def _keep(self, answer: Answer) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(answer.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise storage_error(error, self.path) from error
        self._kept[answer.key] = answer

    def _prompt(self, item: ExamItem) -> Any:
        exam = self._exam
        return prompt_of(exam.task, exam.labels, example_of(item), self._arm.tell_labels)

    def _arm_key(self) -> str:
        arm = self._arm
        scales = [one.scale for one in arm.adapters]
        parts = [
            arm.card.sha256,
            arm.card.gpu_layers,
            arm.adapter_sha256,
            scales,
            wording_version(self._exam.task),
        ]
        return _hash(parts)

    def _key(self, item: ExamItem) -> str:
        return _hash([self._prompt(item).model_dump(), self._limit])


def answer_limit(exam: Exam) -> int:
    """Tokens an answer may have: enough for the longest right one of the exam."""
    right = [text for one in exam.items for text in (*one.answers, one.output, one.label)]
    right += exam.labels if exam.task == "classification" else []
    longest = max((len(text.encode()) for text in right), default=0)
    return min(_LONGEST_LIMIT, _SHORTEST_LIMIT + longest // _BYTES_A_TOKEN)


def read_answers(path: Path) -> dict[str, Answer]:
    """The answers of a file by their keys; a half-written line is left out, and its end mended.

    Raises:
        StorageFull: it could not be mended.
    """
    found: dict[str, Answer] = {}
    try:
        data = path.read_bytes()
    except OSError:
        return found
    for line in data.split(b"\n"):
        with contextlib.suppress(ValidationError):
            answer = Answer.model_validate_json(line)
            found[answer.key] = answer
    if data and not data.endswith(b"\n"):
        try:
            with path.open("ab") as stream:
                stream.write(b"\n")
        except OSError as error:
            raise storage_error(error, path) from error
    return found


def memory_of(pid: int | None) -> int:
    """Bytes of memory a process has now; 0 when it is gone."""
    try:
        return 0 if pid is None else int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _hash(value: Any) -> str:
    data = json.dumps(value, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.blake2b(data, digest_size=12).hexdigest()
