"""A training on disk: safetensors and JSON, whole or not there.

`state.json` is written last and names the two tensor files that belong to it, with their
hashes; until it is replaced, the files of the checkpoint before are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors import torch as safetensors_torch
from torch import Tensor

from engine.errors import StorageDamaged, StorageFull
from engine.files import atomic_write, sha256_file, storage_error

_save_file = cast(Callable[..., None], cast(Any, safetensors_torch).save_file)
_load_file = cast(Callable[..., dict[str, Tensor]], cast(Any, safetensors_torch).load_file)

_STATE = "state.json"


class Position(BaseModel):
    """Where a training stands, besides its tensors. Losses are natural logarithms a token."""

    model_config = ConfigDict(extra="forbid")

    step: int = 0
    tokens: int = 0
    """Tokens of examples learnt from, common beginnings counted with each."""
    seconds: float = 0.0
    """Spent training, pauses left out."""
    train_loss: float = 0.0
    best_loss: float | None = None
    best_step: int = 0
    best_exact: float = 0.0
    since_best: int = 0
    """Evaluations since the best one."""
    first_loss: float | None = None
    """Validation loss before the first step."""
    heldout_first: float | None = None
    """Held-out loss before the first step."""
    replay_first: float | None = None
    replay_last: float | None = None
    warnings: list[str] = Field(default_factory=list[str])
    interval_loss: float | None = None
    """Mean training loss between the last two evaluations."""
    finished: str = ""
    """Why it ended, once it has."""


class Checkpoints:
    """The checkpoint of one run.

    Args:
        folder: made when something is first saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(
        self,
        position: Position,
        adapter: Mapping[str, Tensor],
        optimizer: Mapping[str, Tensor],
        best: Mapping[str, Tensor] | None,
    ) -> None:
        """Keep a checkpoint in place of the one before.

        `best` None leaves the best there is as it was.

        Raises:
            StorageFull: the disk has no room; the checkpoint before is kept.
        """
        before = self._read()
        files = dict(before["files"]) if before else {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tensors = {f"adapter/{n}": t for n, t in adapter.items()}
            tensors |= {f"optimizer/{n}": t for n, t in optimizer.items()}
            files["last"] = self._write(f"last-{position.step}", tensors)
            if best is not None:
                files["best"] = self._write(f"best-{position.best_step}", best)
            state = {"version": 1, "position": position.model_dump(), "files": files}
            atomic_write(self.folder / _STATE, json.dumps(state, indent=2).encode())
        except OSError as error:
            raise storage_error(error, self.folder) from error
        except SafetensorError as error:  # how safetensors reports a failed write
            raise StorageFull(
                "The training could not be saved; the disk may be full. What was saved "
                "before is kept.",
                hint="Free some space and resume.",
                details=str(error),
            ) from error
        finally:
            self._tidy()

    def load(self) -> tuple[Position, dict[str, Tensor], dict[str, Tensor]] | None:
        """Position, adapter and optimizer state; None when nothing was saved yet.

        Raises:
            StorageDamaged: what was saved cannot be read back.
        """
        state = self._read()
        if state is None:
            return None
        tensors = self._tensors(state, "last")
        parts: dict[str, dict[str, Tensor]] = {"adapter": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        try:
            position = Position.model_validate(state["position"])
        except ValidationError as error:
            raise self._damaged(error) from error
        return position, parts["adapter"], parts["optimizer"]

    def best(self) -> dict[str, Tensor] | None:
        """The adapter with the best held-out loss; None when there is none yet.

        Raises:
            StorageDamaged: it cannot be read back.
        """
        state = self._read()
        if state is None or "best" not in state["files"]:
            return None
        return self._tensors(state, "best")

    def _read(self) -> dict[str, Any] | None:
        try:
            data = (self.folder / _STATE).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._damaged(error) from error
        try:
            state = json.loads(data)
            if state["version"] != 1 or "last" not in state["files"]:
                raise ValueError("another version")
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        return state

    def _tensors(self, state: dict[str, Any], which: str) -> dict[str, Tensor]:
        try:
            named = state["files"][which]
            path = self.folder / Path(str(named["name"])).name
            if sha256_file(path) != named["sha256"]:
                raise ValueError(f"{path.name} was changed")
            return _load_file(str(path))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise self._damaged(error) from error

    def _write(self, stem: str, tensors: Mapping[str, Tensor]) -> dict[str, str]:
        path = self.folder / f"{stem}.safetensors"
        part = self.folder / f".{stem}.tmp"
        try:
            _save_file({n: t.contiguous() for n, t in tensors.items()}, str(part))
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            digest = sha256_file(part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        return {"name": path.name, "sha256": digest}

    def _tidy(self) -> None:
        """Remove files that the current state does not name."""
        state = self._read()
        named = {str(one["name"]) for one in state["files"].values()} if state else set[str]()
        for path in self.folder.glob("*.safetensors"):
            if path.name not in named:
                path.unlink(missing_ok=True)
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def _damaged(self, error: Exception) -> StorageDamaged:
        return StorageDamaged(
            "This training cannot be resumed: what was saved of it is damaged.",
            hint="Start it again. Earlier adapters are kept.",
            details=f"{self.folder}: {error}",
        )
