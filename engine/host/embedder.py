"""The embedder process: owns torch and the search models, turns text into vectors and scores.

Started with `WHETSTONE_EMBEDDER` set to the JSON of its parameters (folder, max_tokens,
backend or "" for the likely fastest), so that it loads while the parent does other things.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from engine.errors import ModelUnavailable
from engine.work.jobs import Job
from engine.work.serve import serve

ENVIRONMENT = "WHETSTONE_EMBEDDER"


class _Service:
    """The methods of the process; one computation at a time."""

    def __init__(self, folder: Path, max_tokens: int, backend: str) -> None:
        self._folder = folder
        self._max_tokens = max_tokens
        self._backend = backend
        self._encoder: Any = None
        self._lock = threading.Lock()
        self._reranker: Any = None
        self._reranker_lock = threading.Lock()

    def encoder(self, backend: str | None = None) -> Any:
        """The model, loaded on `backend` (None: whatever runs). Call with the lock held.

        Raises:
            ModelUnavailable, NotEnoughMemory: see `Encoder`.
        """
        if backend and backend != self._backend:
            self._backend, self._encoder = backend, None
        if self._encoder is None:
            from engine.models import encoding

            _use_one_stream()
            backends = encoding.available_backends()
            named = [backend for backend in backends if backend.name == self._backend]
            chosen = named[0] if named else encoding.likely_fastest(backends)
            self._encoder = encoding.Encoder(self._folder, self._max_tokens, chosen)
        return self._encoder

    def preload(self) -> None:
        """Load ahead of the first request; a failure is told to the request that comes."""
        with self._lock:
            try:
                self.encoder()
            except Exception as error:
                print(f"preload: {error!r}", file=sys.stderr, flush=True)

    def hello(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Load the model; say which backend runs and which torch."""
        with self._lock:
            encoder = self.encoder()
        from engine.models.encoding import describe

        return {"backend": encoder.backend.name, **describe(self._folder)}

    def embed(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """`texts` to vectors: base64 of little-endian float32, row by row."""
        texts: list[str] = params["texts"]
        with self._lock:
            job.checkpoint()
            encoder = self.encoder(params.get("backend"))
            vectors = encoder.encode(texts, int(params["threads"]), job)
        data = base64.b64encode(vectors.astype("<f4").tobytes()).decode("ascii")
        return {"vectors": data, "dimensions": int(vectors.shape[1])}

    def load_reranker(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Load the cross-encoder in `folder` beside the embedder; "" lets go of it."""
        if not params["folder"]:
            with self._reranker_lock:
                self._reranker = None
            return {}
        info = self.reranker(Path(params["folder"])).info
        return {"architecture": info.architecture, "max_tokens": info.max_tokens}

    def rerank(self, params: dict[str, Any], job: Job) -> list[float]:
        """How well each of `texts` answers `query`, as `CrossEncoder.score` says it."""
        reranker = self.reranker(Path(params["folder"]))
        with self._lock:
            job.checkpoint()
            return reranker.score(params["query"], params["texts"], int(params["threads"]), job)

    def reranker(self, folder: Path) -> Any:
        """The cross-encoder as it is in its folder now, loaded without holding up vectors.

        Raises:
            InvalidInput, ModelUnavailable, NotEnoughMemory: see `read_reranker` and
                `CrossEncoder`.
        """
        from engine.models.rerankers import read_reranker

        with self._reranker_lock:
            info = read_reranker(folder)
            if self._reranker is None or self._reranker.info != info:
                self._reranker = None
                with self._lock:
                    _use_one_stream()
                from engine.models.cross_encoding import CrossEncoder

                self._reranker = CrossEncoder(info)
            return self._reranker

    def measure(self, params: dict[str, Any], job: Job) -> list[dict[str, Any]]:
        """Time all backends on `texts`; rows as `engine.models.encoding.measure` makes them."""
        from engine.models import encoding

        with self._lock:
            return encoding.measure(
                self._folder, self._max_tokens, params["texts"], int(params["threads"]), job
            )


def _use_one_stream() -> None:
    """Only before the first parallel work may this be set; one stream is all we run."""
    import torch

    if torch.get_num_interop_threads() != 1:
        torch.set_num_interop_threads(1)


def main() -> None:
    """Serve until the parent closes our input."""
    try:
        params = json.loads(os.environ.get(ENVIRONMENT, ""))
        service = _Service(
            Path(params["folder"]), int(params["max_tokens"]), str(params["backend"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            "The embedder was started without its model.", details=repr(error)
        ) from error
    threading.Thread(target=service.preload, name="preload", daemon=True).start()
    serve(
        {
            "hello": service.hello,
            "embed": service.embed,
            "measure": service.measure,
            "load_reranker": service.load_reranker,
            "rerank": service.rerank,
        }
    )


if __name__ == "__main__":
    main()
