"""Examples and the datasets they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import StorageDamaged
from engine.work.api.datasets import Split as Split
from engine.work.api.datasets import TaskKind as TaskKind

TASK_KINDS: tuple[TaskKind, ...] = get_args(TaskKind)


class Said(BaseModel):
    """An earlier question of a conversation and its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    answer: str


class Example(BaseModel):
    """What a model reads and what it should write.

    `output` is the answer of `answers` and `instruction`, the label of `classification`, a
    JSON list of {"text", "label"} for `entities`, a JSON object for `fields`. `context` is
    the passage to read, `system` a system message of the example's own. Examples of one
    `group` (a document, a conversation) always stand on the same side of the split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    input: str
    output: str
    context: str = ""
    system: str = ""
    group: str = ""
    split: Split = "train"
    source: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Where it came from: file, line, document, conversation. `answers` are all right ones,
    where there are several; `output` is the first."""
    history: list[Said] = Field(default_factory=list[Said])


@dataclass(frozen=True)
class Dataset:
    """A stored dataset; its examples stay in `path`, a JSON object a line, until asked for."""

    id: str
    name: str
    task: TaskKind
    labels: list[str]
    """The labels of `classification` and `entities`, the fields of `fields`; else empty."""
    path: Path
    sha256: str = ""
    """Of the file's bytes as it was stored last."""

    def examples(self, split: Split | None = None) -> list[Example]:
        """The finished examples in order, or those of one side of the split.

        A row that still waits for its output, such as a rejected answer, is none yet.

        Raises:
            StorageDamaged: the file is missing or cannot be read back.
        """
        return [
            one
            for one in self.read()
            if (split is None or one.split == split) and one.output.strip()
        ]

    def read(self) -> Iterator[Example]:
        """All rows in order, one at a time, those that wait for an output among them.

        Raises:
            StorageDamaged: the file is missing or cannot be read back.
        """
        try:
            with self.path.open("rb") as lines:
                for line in lines:
                    yield Example.model_validate_json(line)
        except (OSError, ValidationError) as error:
            raise StorageDamaged(
                f"The examples of the dataset {self.name!r} cannot be read.",
                hint="Remove the dataset and import it again.",
                details=f"{self.path}: {error}",
            ) from error
