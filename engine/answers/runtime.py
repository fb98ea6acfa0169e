"""llama.cpp: one loaded model, one context of several sequences, tokens in and logits out.

With `vocabulary`, `batches`, `adapters`, `grammars` and `fast_copy` all that imports
llama_cpp. It lives in the generator process, because a broken model file can abort the process
and nothing in Python can catch that. The low-level calls are used (not `llama_cpp.Llama`) to
compute several sequences in one batch, to keep the state of a prompt between calls, to stop in
the middle of one, and to tokenize trusted and untrusted text apart.
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from engine.answers.adapters import Adapters
from engine.answers.batches import BATCH_TOKENS, Batches, Entry, split
from engine.answers.generation import AdapterUse
from engine.answers.vocabulary import Vocabulary
from engine.errors import Cancelled, InvalidInput, ModelUnavailable, NotEnoughMemory
from engine.work.jobs import NULL_JOB, Job

# The binding is typed loosely (ctypes objects); `Any` here keeps that out of the rest.
_api: Any = llama_cpp

SEQUENCES = 16
"""Sequences that may be computed side by side; they share the context's tokens."""
_ABORTED = 2

_NO_ABORT: Any = _api.ggml_abort_callback()


def _print_log(level: int, text: bytes, _data: object) -> None:
    if level >= _WARNING:
        sys.stderr.buffer.write(text)
        sys.stderr.buffer.flush()


_WARNING = 3
_log_callback: Any = _api.llama_log_callback(_print_log)


def quiet_log() -> None:
    """Let llama.cpp write warnings and errors to stderr, and nothing else anywhere."""
    _api.llama_log_set(_log_callback, ctypes.c_void_p(0))


def gpu_offload_supported() -> bool:
    """Whether this build of llama.cpp can put layers on a GPU."""
    return bool(_api.llama_supports_gpu_offload())


def build_info() -> str:
    """Version of the binding and the processor features llama.cpp uses."""
    return f"{llama_cpp.__version__} ({_api.llama_print_system_info().decode().strip()})"


class Runtime:
    """A model in memory with a context of `context` tokens.

    Args:
        path: the GGUF file.
        context: tokens of context (prompt and answer together).
        gpu_layers: layers on the GPU; 0 for none.
        threads: threads to compute with; may be changed by `set_threads`.
        check_tensors: also verify every weight (slow; for a file seen the first time).
        exact: keys and values in float32 instead of float16, and attention without
            shortcuts: twice the memory, for tests of the arithmetic.
        job: gets progress while loading; a cancel stops the loading.

    Raises:
        ModelUnavailable: llama.cpp cannot load the file.
        NotEnoughMemory: the context does not fit into memory.
        Cancelled: stopped while loading.
    """

    def __init__(
        self,
        path: Path,
        context: int,
        gpu_layers: int = 0,
        threads: int = 1,
        check_tensors: bool = False,
        exact: bool = False,
        job: Job = NULL_JOB,
    ) -> None:
        self._model: Any = None
        self._context: Any = None
        self._batch: Any = None
        quiet_log()
        _api.llama_backend_init()
        self._model = self._load(path, gpu_layers, check_tensors, job)
        self.vocabulary = Vocabulary(self._model)
        self._context = self._make_context(context, threads, exact)
        self._memory: Any = _api.llama_get_memory(self._context)
        width = int(_api.llama_model_n_embd_inp(self._model))
        self._batches = Batches(width)
        self._adapters = Adapters(self._model, self._context, width)
        self.context = int(_api.llama_n_ctx(self._context))
        self._done: dict[int, list[int]] = {}
        self._last: NDArray[np.float32] = np.zeros(self.vocabulary.size, np.float32)
        self._threads = threads

    def _load(self, path: Path, gpu_layers: int, check_tensors: bool, job: Job) -> Any:
        stopped = False

        def on_progress(fraction: float, _data: object) -> bool:
            nonlocal stopped
            try:
                job.progress(fraction, 1.0, "loading the model")
                job.checkpoint()
            except Cancelled:
                stopped = True
            return not stopped

        params: Any = _api.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.check_tensors = check_tensors
        # Keep a reference: ctypes frees a callback nobody refers to.
        callback = _api.llama_progress_callback(on_progress)
        params.progress_callback = callback
        model = _api.llama_model_load_from_file(os.fsencode(path), params)
        if stopped:
            raise Cancelled()
        if not model:
            raise ModelUnavailable(
                "llama.cpp cannot load this model.",
                hint="The file may be damaged or of a kind this version does not know.",
            )
        return model

    def _make_context(self, context: int, threads: int, exact: bool) -> Any:
        params: Any = _api.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = BATCH_TOKENS
        params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = SEQUENCES
        params.kv_unified = True  # any sequence may take any share of the context
        params.n_threads = threads
        params.n_threads_batch = threads
        params.no_perf = True
        params.swa_full = True  # a sliding window would forget the prefix that is reused
        if exact:
            params.type_k = params.type_v = _api.GGML_TYPE_F32
            params.flash_attn_type = _api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        made = _api.llama_init_from_model(self._model, params)
        if not made:
            raise NotEnoughMemory(
                f"There is not enough memory to run this model with {context} tokens.",
                hint="Close other programs, or choose a smaller model or context.",
            )
        return made

    # --- computing -------------------------------------------------------------------

    def set_threads(self, threads: int) -> None:
        """Compute with `threads` threads from now on."""
        if threads != self._threads:
            _api.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def use_adapters(self, wanted: Sequence[AdapterUse]) -> str:
        """Compute with exactly these adapters from now on; a change drops all state.

        Returns:
            What the state of a prompt depends on beside its tokens: which adapters, how strong.

        Raises:
            As `engine.answers.adapters.Adapters.use`; then none is on.
        """
        assert self._adapters is not None
        before = self._adapters.identity
        try:
            self._adapters.use(wanted)
        finally:
            if self._adapters.identity != before:
                self.forget()
        return self._adapters.identity

    @property
    def soft_prompt(self) -> list[int]:
        """The tokens a prompt begins with where a soft prompt is in use: -1, -2, …

        They stand for embeddings that no token of the vocabulary has.
        """
        soft = None if self._adapters is None else self._adapters.soft
        return [] if soft is None else [-n for n in range(1, len(soft) + 1)]

    def compute(
        self,
        rows: Mapping[int, Sequence[int]],
        want: Literal["last", "all", "none"] = "last",
        job: Job = NULL_JOB,
    ) -> dict[int, NDArray[np.float32]]:
        """Append tokens to sequences, all rows in common batches.

        A cancel stops within a fraction of a second, in the middle of a batch; sequences
        whose tokens were not all computed are then as they were before.

        Args:
            rows: sequence → the tokens to append, at least one.
            want: for which tokens scores are given.
            job: gets progress in tokens; can cancel.

        Returns:
            Sequence → scores (logits) of what comes next, (tokens wanted, vocabulary size).

        Raises:
            InvalidInput: the context has no room for them.
            ModelUnavailable: the model gives no usable numbers.
            Cancelled: the job was stopped.
        """
        before = {seq: len(self._done.get(seq, ())) for seq in rows}
        flat = [
            Entry(
                seq,
                before[seq] + at,
                token,
                want == "all" or (want == "last" and at == len(tokens) - 1),
            )
            for seq, tokens in rows.items()
            for at, token in enumerate(tokens)
        ]
        if len(flat) > self.room:
            raise InvalidInput(
                f"The question with its passages has {len(flat)} tokens; this model reads "
                f"{self.room} at most.",
                hint="Ask a shorter question or use fewer passages.",
            )
        scores: dict[int, list[NDArray[np.float32]]] = {seq: [] for seq in rows}
        try:
            with _Abort(self._context, job) if len(flat) > SEQUENCES else nullcontext():
                for start, batch in split(flat):
                    job.checkpoint()
                    if len(flat) > BATCH_TOKENS:
                        job.progress(start, len(flat), "reading")
                    self._decode(batch)
                    for at, entry in enumerate(batch):
                        if entry.wanted:
                            scores[entry.seq].append(self._logits(at).copy())
        except (Cancelled, ModelUnavailable):
            for seq, count in before.items():
                self._cut(seq, count)
            raise
        for seq, tokens in rows.items():
            self._done.setdefault(seq, []).extend(tokens)
        return {seq: np.stack(some) for seq, some in scores.items() if some}

    def read_prompt(self, tokens: Sequence[int], job: Job = NULL_JOB) -> int:
        """Compute a prompt as the only sequence, number 0.

        What it shares with what that sequence holds is not computed again. The last token
        is, so that `logits` gives what comes after it.

        Returns:
            How many tokens were reused.

        Raises:
            InvalidInput: the prompt does not fit into the context, or is empty.
            Cancelled: the job was stopped.
        """
        if not tokens or len(tokens) >= self.context:
            raise InvalidInput(
                f"The question with its passages has {len(tokens)} tokens; this model reads "
                f"{self.context} at most.",
                hint="Ask a shorter question or use fewer passages.",
            )
        for seq in [seq for seq in self._done if seq != 0]:
            self.keep(seq, 0)
        reused = 0
        for have, want in zip(self._done.get(0, ()), tokens[:-1], strict=False):
            if have != want:
                break
            reused += 1
        reused = self.keep(0, reused)
        self._last = self.compute({0: tokens[reused:]}, job=job)[0][-1]
        return reused

    def read_token(self, token: int) -> None:
        """Compute one more token of sequence 0."""
        self._last = self.compute({0: [token]})[0][-1]

    def logits(self) -> NDArray[np.float32]:
        """Scores of every token to come next in sequence 0, (vocabulary size,)."""
        return self._last

    @property
    def room(self) -> int:
        """Tokens that still fit into the context."""
        return self.context - sum(map(len, self._done.values()))

    def length(self, seq: int) -> int:
        """Tokens a sequence holds."""
        return len(self._done.get(seq, ()))

    def held(self, seq: int) -> list[int]:
        """The tokens a sequence holds."""
        return list(self._done.get(seq, ()))

    def forget(self) -> None:
        """Drop all computed state."""
        _api.llama_memory_clear(self._memory, True)
        self._done = {}

    def keep(self, seq: int, count: int) -> int:
        """Keep the first `count` tokens of a sequence.

        Returns:
            How many are kept: 0 when the model cannot go back.
        """
        if count and count == len(self._done.get(seq, ())):
            return count
        return self._cut(seq, count)

    def _cut(self, seq: int, count: int) -> int:
        if not _api.llama_memory_seq_rm(self._memory, seq, count, -1):
            _api.llama_memory_seq_rm(self._memory, seq, -1, -1)
            count = 0
        if count:
            del self._done[seq][count:]
        else:
            self._done.pop(seq, None)
        return count

    # --- the state of a sequence -------------------------------------------------------

    def state(self, seq: int) -> bytes:
        """Keys and values of a sequence, as `restore` takes them."""
        size = _api.llama_state_seq_get_size(self._context, seq)
        buffer = (ctypes.c_uint8 * size)()
        written = _api.llama_state_seq_get_data(self._context, buffer, size, seq)
        return bytes(memoryview(buffer)[:written])

    def restore(self, seq: int, state: bytes, tokens: Sequence[int]) -> bool:
        """Put a state of `tokens` into an empty sequence; False when llama.cpp refuses it."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = _api.llama_state_seq_set_data(self._context, buffer, len(state), seq)
        if read != len(state):
            _api.llama_memory_seq_rm(self._memory, seq, -1, -1)
            return False
        self._done[seq] = list(tokens)
        return True

    # --- batches -----------------------------------------------------------------------

    def _logits(self, at: int) -> NDArray[np.float32]:
        """Scores after token `at` of the last batch; a view."""
        pointer = _api.llama_get_logits_ith(self._context, at)
        if not pointer:
            raise ModelUnavailable(
                "This model does not write text (it may be made for embeddings).",
                hint="Choose a model made for chat or text.",
            )
        row = np.ctypeslib.as_array(pointer, shape=(self.vocabulary.size,))
        if not np.isfinite(row[: min(64, row.size)]).all():
            raise ModelUnavailable(
                "This model computes nonsense; its file may be damaged.",
                hint="Get the file again, or choose another model.",
            )
        return row

    def _decode(self, entries: Sequence[Entry]) -> None:
        """Compute one batch."""
        assert self._batches is not None
        assert self._adapters is not None
        batch = self._batches.fill(entries, self._adapters.soft)
        code = _api.llama_decode(self._context, batch)
        if code == _ABORTED:
            raise Cancelled()
        if code != 0:
            raise ModelUnavailable(
                "The model could not compute this prompt.",
                hint="Ask again; if it happens again, choose another model.",
                details=f"llama_decode: {code}",
            )

    def close(self) -> None:
        """Free the model and its context."""
        if self._adapters is not None:
            self._adapters.close()
        if self._batches is not None:
            self._batches.close()
        if self._context is not None:
            _api.llama_free(self._context)
        if self._model is not None:
            _api.llama_model_free(self._model)
        self._batches = self._adapters = self._context = self._model = None


class _Abort:
    """While inside, a cancelled job aborts the running computation between two operations.

    Only around prompts: a single token is short, and asking Python before each operation
    would slow it down.
    """

    def __init__(self, context: Any, job: Job) -> None:
        def cancelled(_data: object) -> bool:
            try:
                job.checkpoint()
            except Cancelled:
                return True
            return False

        self._context = context
        self._callback: Callable[..., bool] = _api.ggml_abort_callback(cancelled)

    def __enter__(self) -> None:
        _api.llama_set_abort_callback(self._context, self._callback, None)

    def __exit__(self, *_: object) -> None:
        _api.llama_set_abort_callback(self._context, _NO_ABORT, None)
