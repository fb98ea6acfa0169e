"""Text to vectors with torch. Runs in the embedder process only; nothing else imports it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from tokenizers import Tokenizer

from engine import hardware
from engine.errors import ModelUnavailable, NotEnoughMemory
from engine.models.bert import BertEncoder, is_plain_bert
from engine.work.jobs import NULL_JOB, Job

MIN_COSINE = 0.99
"""A backend whose vectors stray further than this from float32 is not correct."""
TOKENS_PER_THREAD = 1024
"""Tokens a CPU batch gives each thread: larger batches fall out of the cache (measured:
8 to 16 full passages on two cores run 1.3 to 2 times as fast as 64)."""
GPU_TOKENS = 32768


@dataclass(frozen=True)
class Backend:
    """One way to compute: `name` is what is stored and shown."""

    name: str
    device: str
    dtype: torch.dtype


def available_backends() -> list[Backend]:
    """What this machine can run; the first is the float32 reference.

    bfloat16 only where the processor multiplies it: torch emulates it slowly elsewhere.
    """
    found = [Backend("torch-float32", "cpu", torch.float32)]
    if hardware.cpu().has_bf16:
        found.append(Backend("torch-bfloat16", "cpu", torch.bfloat16))
    if torch.cuda.is_available():
        found.append(Backend("cuda-float16", "cuda", torch.float16))
    if torch.backends.mps.is_available():
        found.append(Backend("mps-float16", "mps", torch.float16))
    return found


def likely_fastest(backends: Sequence[Backend]) -> Backend:
    """The choice from instructions alone, used until the backends were measured."""
    order = ("cuda-float16", "mps-float16", "torch-bfloat16", "torch-float32")
    return min(backends, key=lambda backend: order.index(backend.name))


class _Forward(Protocol):
    def encode(self, tokens: list[list[int]]) -> torch.Tensor: ...


class _SentenceTransformerForward:
    """Any architecture sentence-transformers knows, one padded batch at a time."""

    def __init__(self, folder: Path, device: str, dtype: torch.dtype) -> None:
        from sentence_transformers import SentenceTransformer

        self._device = device
        self._model = SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"torch_dtype": dtype, "use_safetensors": True},
        )

    def encode(self, tokens: list[list[int]]) -> torch.Tensor:
        longest = max(map(len, tokens))
        pad = getattr(self._model.tokenizer, "pad_token_id", None) or 0
        ids = [row + [pad] * (longest - len(row)) for row in tokens]
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in tokens]
        features: dict[str, Any] = {
            "input_ids": torch.tensor(ids, device=self._device),
            "attention_mask": torch.tensor(mask, device=self._device),
        }
        vectors = self._model(features)["sentence_embedding"].float()
        return torch.nn.functional.normalize(vectors, dim=1).cpu()


class Encoder:
    """An embedding model loaded on one backend.

    Args:
        folder: sentence-transformers folder.
        max_tokens: longer input is cut.
        backend: how to compute.

    Raises:
        ModelUnavailable: the folder does not hold a model this version can load.
        NotEnoughMemory: it does not fit.
    """

    def __init__(self, folder: Path, max_tokens: int, backend: Backend) -> None:
        self.backend = backend
        make = BertEncoder if is_plain_bert(folder) else _SentenceTransformerForward
        try:
            self._tokenizer = cast(Any, Tokenizer).from_file(str(folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(max_tokens)
            self._tokenizer.no_padding()
            self._forward: _Forward = make(folder, backend.device, backend.dtype)
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise NotEnoughMemory(
                "There is not enough memory for the search model.",
                hint="Close other programs and try again.",
                details=repr(error),
            ) from error
        except Exception as error:
            raise ModelUnavailable(
                "The search model cannot be loaded.",
                hint="Run the set-up again to fetch it.",
                details=f"{folder} on {backend.name}: {error!r}",
            ) from error

    def encode(
        self, texts: Sequence[str], threads: int, job: Job = NULL_JOB
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Unit vectors in the order of `texts`, float32, shape (len(texts), dimensions).

        Texts are batched with others of about their length, so that little is padded.

        Raises:
            Cancelled: `job` was cancelled.
        """
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        # The tokenizer refuses lone surrogates, which a shell may put into a question.
        sound = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(sound)]
        budget = TOKENS_PER_THREAD * threads if self.backend.device == "cpu" else GPU_TOKENS
        rows: list[torch.Tensor] = []
        order: list[int] = []
        with torch.inference_mode():
            for batch in batches_by_length([len(ids) for ids in tokens], budget):
                job.checkpoint()
                rows.append(self._forward.encode([tokens[index] for index in batch]))
                order.extend(batch)
        vectors = torch.cat(rows).numpy()
        result = np.empty_like(vectors)
        result[order] = vectors
        return result


def batches_by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices grouped longest first; a group times its longest stays within `budget`.

    Every index appears exactly once; a single text longer than the budget is a group.
    """
    groups: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not groups or (len(groups[-1]) + 1) * longest > budget:
            groups.append([])
            longest = max(1, lengths[index])
        groups[-1].append(index)
    return groups


def measure(
    folder: Path, max_tokens: int, texts: Sequence[str], threads: int, job: Job = NULL_JOB
) -> list[dict[str, Any]]:
    """Time every backend on `texts`, each warmed first, best of two rounds in turn.

    Returns:
        Rows with backend, passages_per_second, speedup (to float32 in this run),
        min_cosine (to float32, same passage) and chosen (the fastest correct one).
    """
    encoders: list[Encoder] = []
    for backend in available_backends():
        try:
            encoders.append(Encoder(folder, max_tokens, backend))
        except (ModelUnavailable, NotEnoughMemory):
            if not encoders:  # without the reference there is nothing to measure
                raise
    vectors = [encoder.encode(texts[:8], threads, job) for encoder in encoders]
    seconds = [float("inf")] * len(encoders)
    for _ in range(2):
        for number, encoder in enumerate(encoders):
            start = time.perf_counter()
            vectors[number] = encoder.encode(texts, threads, job)
            seconds[number] = min(seconds[number], time.perf_counter() - start)
    cosines = [float((found * vectors[0]).sum(1).min()) for found in vectors]
    correct = [n for n in range(len(encoders)) if cosines[n] >= MIN_COSINE]
    best = min(correct, key=lambda n: seconds[n]) if correct else 0
    return [
        {
            "backend": encoder.backend.name,
            "passages_per_second": len(texts) / seconds[n],
            "speedup": seconds[0] / seconds[n],
            "min_cosine": cosines[n],
            "chosen": n == best,
        }
        for n, encoder in enumerate(encoders)
    ]


def describe(folder: Path) -> dict[str, Any]:
    """What the embedder process says of itself: versions that decide its speed."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return {"torch": torch.__version__, "architecture": config.get("model_type", "")}
