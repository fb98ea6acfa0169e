"""The embedding models at hand, described without loading them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelUnavailable
from engine.files import sha256_file
from engine.paths import starter_dir

STARTER_NAME = "all-MiniLM-L6-v2"
STARTER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class EmbedderInfo:
    """An embedding model on disk.

    Args:
        id: name and the first digits of its weights' hash: two libraries may share vectors
            only when this is equal.
        path: the folder with `model.safetensors`, in the sentence-transformers layout.
        dimensions: length of its vectors.
        max_tokens: longer input is cut; special tokens count.
        tokenizer: its `tokenizer.json`.
        sha256: of `model.safetensors`.
    """

    id: str
    path: Path
    dimensions: int
    max_tokens: int
    tokenizer: Path
    sha256: str

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.path / "model.safetensors"


def starter_embedder() -> EmbedderInfo:
    """The embedder that belongs to the installation.

    Raises:
        ModelUnavailable: set-up has not put it there, or its description is damaged.
    """
    folder = starter_dir() / STARTER_NAME
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        limit = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
        info = EmbedderInfo(
            id=f"{STARTER_NAME}-{STARTER_SHA256[:8]}",
            path=folder,
            dimensions=int(config["hidden_size"]),
            max_tokens=int(limit["max_seq_length"]),
            tokenizer=folder / "tokenizer.json",
            sha256=STARTER_SHA256,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unavailable("is missing or incomplete", f"{folder}: {error!r}") from error
    for file in (info.weights, info.tokenizer):
        if not file.is_file():
            raise _unavailable("is missing or incomplete", f"{file} is missing")
    return info


def weights_stamp(info: EmbedderInfo) -> str:
    """Changes whenever the weights file was touched: says when to check it again.

    Raises:
        ModelUnavailable: the file is gone.
    """
    try:
        found = info.weights.stat()
    except OSError as error:
        raise _unavailable("is missing", str(error)) from error
    return f"{info.sha256}:{found.st_size}:{found.st_mtime_ns}"


def check_weights(info: EmbedderInfo) -> None:
    """Hash the weights and compare.

    Raises:
        ModelUnavailable: the file is not the one that belongs here.
    """
    try:
        found = sha256_file(info.weights)
    except OSError as error:
        raise _unavailable("cannot be read", str(error)) from error
    if found != info.sha256:
        raise _unavailable("is damaged", f"{info.weights}: {found}, not {info.sha256}")


def _unavailable(what: str, details: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The search model {what}. Search by words still works.",
        hint="Run the set-up again to fetch it.",
        details=details,
    )
