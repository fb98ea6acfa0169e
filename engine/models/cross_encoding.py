"""Pairs of texts to scores with torch. Runs in the embedder process only.

A cross-encoder reads question and passage together (Nogueira and Cho 2019, arXiv 1901.04085),
which orders them better than comparing two vectors, and costs a forward pass a pair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import torch as safetensors_torch
from tokenizers import Tokenizer
from torch import Tensor

from engine.errors import ModelUnavailable, NotEnoughMemory
from engine.models.bert import BertEncoder
from engine.models.encoding import batches_by_length
from engine.models.rerankers import RerankerInfo
from engine.work.jobs import NULL_JOB, Job

TOKENS_PER_BATCH = 2048
"""Between two batches a cancel is noticed and the cores can be asked back."""
_load_file = cast(Callable[[Path], dict[str, Tensor]], cast(Any, safetensors_torch).load_file)


class _Scorer(Protocol):
    def score(self, query: str, texts: list[str]) -> list[float]: ...


class _BertScorer:
    """BERT with a pooler and one output, in plain torch: see `engine.models.bert` for why.

    Raises:
        Exception: the folder does not hold such a model.
    """

    def __init__(self, info: RerankerInfo, device: str) -> None:
        self._tokenizer = cast(Any, Tokenizer).from_file(str(info.path / "tokenizer.json"))
        self._tokenizer.enable_truncation(info.max_tokens)
        self._tokenizer.no_padding()
        self._bert = BertEncoder(info.path, device, torch.float32, "bert.")
        weights = _load_file(info.path / "model.safetensors")

        def load(name: str) -> tuple[Tensor, Tensor]:
            found = (weights[f"{name}.weight"], weights[f"{name}.bias"])
            return found[0].to(device, torch.float32), found[1].to(device, torch.float32)

        self._pooler, self._head = load("bert.pooler.dense"), load("classifier")

    def score(self, query: str, texts: list[str]) -> list[float]:
        encodings = self._tokenizer.encode_batch([(query, text) for text in texts])
        states, _ = self._bert.states(
            [encoding.ids for encoding in encodings],
            [encoding.type_ids for encoding in encodings],
        )
        pooled = torch.tanh(F.linear(states[:, 0], *self._pooler))
        return cast(list[float], cast(Any, F.linear(pooled, *self._head)[:, 0].cpu()).tolist())


class _SentenceTransformersScorer:
    """Any architecture sentence-transformers can load as a cross-encoder."""

    def __init__(self, info: RerankerInfo, device: str) -> None:
        from sentence_transformers import CrossEncoder as Model

        self._model = Model(
            str(info.path),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            max_length=info.max_tokens,
            # The order is the same before the sigmoid, and far ones do not run together.
            activation_fn=torch.nn.Identity(),
            model_kwargs={"torch_dtype": torch.float32, "use_safetensors": True},
        )

    def score(self, query: str, texts: list[str]) -> list[float]:
        pairs = [(query, text) for text in texts]
        found = cast(Any, self._model).predict(
            pairs, batch_size=len(pairs), show_progress_bar=False
        )
        return np.asarray(found, np.float64).reshape(len(texts)).tolist()


class CrossEncoder:
    """A cross-encoder loaded in float32, on the GPU when there is one.

    Args:
        info: the model.
        general: load it with sentence-transformers, even where plain torch would do.

    Raises:
        ModelUnavailable: the folder does not hold a model this version can load.
        NotEnoughMemory: it does not fit.
    """

    def __init__(self, info: RerankerInfo, general: bool = False) -> None:
        self.info = info
        device = "cpu"
        if torch.cuda.is_available():
            device = "cuda"
        elif torch.backends.mps.is_available():
            device = "mps"
        plain = is_plain_bert_scorer(info) and not general
        make = _BertScorer if plain else _SentenceTransformersScorer
        try:
            self._scorer: _Scorer = make(info, device)
            self.score("question", ["passage"], torch.get_num_threads())
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _too_little_memory(error) from error
        except Exception as error:
            raise ModelUnavailable(
                f"The reranker {info.name!r} cannot be loaded: it is damaged, or of a kind "
                "that is not known here.",
                hint="Copy its folder anew, or use another cross-encoder.",
                details=f"{info.path}: {error!r}",
            ) from error

    def score(
        self, query: str, texts: Sequence[str], threads: int, job: Job = NULL_JOB
    ) -> list[float]:
        """How well each text answers the query, in their order; more is better.

        Raises:
            ModelUnavailable: the model computed something that is no number.
            NotEnoughMemory: the pairs do not fit.
            Cancelled: `job` was cancelled.
        """
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        asked, *sound = (_sound(text) for text in (query, *texts))
        # About a token for four characters: batches of like length, whatever the tokenizer.
        lengths = [min(self.info.max_tokens, (len(asked) + len(t)) // 4 + 3) for t in sound]
        scores = [0.0] * len(sound)
        try:
            with torch.inference_mode():
                for batch in batches_by_length(lengths, TOKENS_PER_BATCH):
                    job.checkpoint()
                    found = self._scorer.score(asked, [sound[index] for index in batch])
                    for index, score in zip(batch, found, strict=True):
                        scores[index] = score
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _too_little_memory(error) from error
        if not np.isfinite(scores).all():
            raise ModelUnavailable(
                "The reranker computed scores that are no numbers.",
                hint="Its weights are damaged; use another cross-encoder.",
                details=str(self.info.path),
            )
        return scores


def is_plain_bert_scorer(info: RerankerInfo) -> bool:
    """True when `_BertScorer` computes what sentence-transformers would for this folder."""
    try:
        config = json.loads((info.path / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return (
        info.architecture == "BertForSequenceClassification"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and all((info.path / n).is_file() for n in ("model.safetensors", "tokenizer.json"))
    )


def _sound(text: str) -> str:
    """Text a tokenizer takes: lone surrogates become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _too_little_memory(error: BaseException) -> NotEnoughMemory:
    return NotEnoughMemory(
        "There is not enough memory for the reranker.",
        hint="Close other programs, or use a smaller cross-encoder.",
        details=repr(error),
    )
