"""llama.cpp: one loaded model, one context, tokens in and logits out.

The only module that imports llama_cpp. It lives in the generator's process, because a broken
model file can abort the process and nothing in Python can catch that. The low-level calls
are used (not `llama_cpp.Llama`) to keep the state of a prompt between calls, to stop in the
middle of one, and to tokenize trusted and untrusted text apart.
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from engine.answers.neutralize import Neutralizer, looks_like_marker
from engine.errors import Cancelled, InvalidInput, ModelUnavailable, NotEnoughMemory
from engine.work.jobs import NULL_JOB, Job

# The binding is typed loosely (ctypes objects); `Any` here keeps that out of the rest.
_api: Any = llama_cpp

BATCH_TOKENS = 512
_PIECE_BYTES = 512
_ABORTED = 2
_NO_ABORT: Any = _api.ggml_abort_callback()


def _print_log(level: int, text: bytes, _data: object) -> None:
    if level >= _WARNING:
        sys.stderr.buffer.write(text)
        sys.stderr.buffer.flush()


_WARNING = 3
_log_callback: Any = _api.llama_log_callback(_print_log)


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
        job: Job = NULL_JOB,
    ) -> None:
        self._model: Any = None
        self._context: Any = None
        self._batch: Any = None
        _api.llama_log_set(_log_callback, ctypes.c_void_p(0))
        _api.llama_backend_init()
        self._model = self._load(path, gpu_layers, check_tensors, job)
        self._vocab: Any = _api.llama_model_get_vocab(self._model)
        self.vocabulary_size = int(_api.llama_vocab_n_tokens(self._vocab))
        self._context = self._make_context(context, threads)
        self._memory: Any = _api.llama_get_memory(self._context)
        self._batch = _api.llama_batch_init(BATCH_TOKENS, 0, 1)
        self.context = int(_api.llama_n_ctx(self._context))
        self.bos = self._special(_api.llama_vocab_bos(self._vocab))
        self.eos = self._special(_api.llama_vocab_eos(self._vocab))
        self.ending_ids = frozenset(
            i for i in range(self.vocabulary_size) if _api.llama_vocab_is_eog(self._vocab, i)
        )
        self._read_controls()
        self._done: list[int] = []
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

    def _make_context(self, context: int, threads: int) -> Any:
        params: Any = _api.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = BATCH_TOKENS
        params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = 1
        params.n_threads = threads
        params.n_threads_batch = threads
        params.no_perf = True
        params.swa_full = True  # a sliding window would forget the prefix that is reused
        made = _api.llama_init_from_model(self._model, params)
        if not made:
            raise NotEnoughMemory(
                f"There is not enough memory to run this model with {context} tokens.",
                hint="Close other programs, or choose a smaller model or context.",
            )
        return made

    def _special(self, token: int) -> int | None:
        return token if 0 <= token < self.vocabulary_size else None

    def _read_controls(self) -> None:
        """Find the tokens that steer the model; text from outside must never become one."""
        ids: set[int] = set()
        texts: set[str] = set()
        control = _api.LLAMA_TOKEN_ATTR_CONTROL | _api.LLAMA_TOKEN_ATTR_UNKNOWN
        for token in range(self.vocabulary_size):
            attribute = int(_api.llama_vocab_get_attr(self._vocab, token))
            defined = attribute & _api.LLAMA_TOKEN_ATTR_USER_DEFINED
            if not (attribute & control or defined or token in self.ending_ids):
                continue
            text = (_api.llama_vocab_get_text(self._vocab, token) or b"").decode(
                "utf-8", "replace"
            )
            if defined and token not in self.ending_ids and not looks_like_marker(text):
                continue  # some models define runs of spaces or HTML tags: plain writing
            ids.add(token)
            texts.add(text)
        self.control_ids = frozenset(ids)
        self._neutralizer = Neutralizer(
            texts, ids, lambda text: self._tokenize(text, parse_special=False)
        )

    # --- tokens ----------------------------------------------------------------------

    def token_text(self, token: int | None) -> str:
        """The written form of a token such as the beginning-of-text marker; "" for None."""
        if token is None:
            return ""
        return (_api.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def prompt_tokens(self, segments: Sequence[tuple[str, bool]]) -> list[int]:
        """Tokens of a prompt made of (text, trusted) segments.

        Only trusted text can become control tokens. The beginning-of-text token is put in
        front when the model wants it and the prompt does not bring it.
        """
        ids: list[int] = []
        for text, trusted in segments:
            if not text:
                continue
            if trusted:
                ids.extend(self._tokenize(text, parse_special=True, joined=bool(ids)))
            else:
                ids.extend(self._neutralizer.tokens(text))
        wants_bos = self.bos is not None and _api.llama_vocab_get_add_bos(self._vocab)
        if wants_bos and self.bos is not None and ids[:1] != [self.bos]:
            ids.insert(0, self.bos)
        return ids

    def untrusted_tokens(self, text: str) -> list[int]:
        """Tokens of text from outside; never a control token."""
        return self._neutralizer.tokens(text)

    def _tokenize(self, text: str, parse_special: bool, joined: bool = True) -> list[int]:
        """Tokens of `text`; `joined` when it continues what stands before it.

        SentencePiece vocabularies put a space before each separately tokenized text. It is
        kept off by tokenizing after a line break and dropping that again.
        """
        spaced = joined and _api.llama_vocab_type(self._vocab) == _api.LLAMA_VOCAB_TYPE_SPM
        if not spaced:
            return self._raw_tokens(text, parse_special)
        lead = self._raw_tokens("\n", parse_special)
        ids = self._raw_tokens("\n" + text, parse_special)
        if ids[: len(lead)] != lead:
            return self._raw_tokens(text, parse_special)
        return ids[len(lead) :]

    def _raw_tokens(self, text: str, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        buffer = (_api.llama_token * room)()
        count = _api.llama_tokenize(
            self._vocab, data, len(data), buffer, room, False, parse_special
        )
        if count < 0:
            room = -count
            buffer = (_api.llama_token * room)()
            count = _api.llama_tokenize(
                self._vocab, data, len(data), buffer, room, False, parse_special
            )
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; control tokens stand for nothing."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = _api.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = _api.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return buffer.raw[: max(size, 0)]

    # --- computing -------------------------------------------------------------------

    def set_threads(self, threads: int) -> None:
        """Compute with `threads` threads from now on."""
        if threads != self._threads:
            _api.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def read_prompt(self, tokens: Sequence[int], job: Job = NULL_JOB) -> int:
        """Compute the prompt; what it shares with the last one is not computed again.

        The last token is always computed, so that its logits are there. A cancel stops
        within a fraction of a second, in the middle of a batch; what was computed is kept.

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
        reused = 0
        for have, want in zip(self._done, tokens[:-1], strict=False):
            if have != want:
                break
            reused += 1
        reused = self._keep(reused)
        with _Abort(self._context, job):
            for start in range(reused, len(tokens), BATCH_TOKENS):
                job.checkpoint()
                job.progress(start, len(tokens), "reading")
                self._decode(tokens[start : start + BATCH_TOKENS])
        return reused

    def read_token(self, token: int) -> None:
        """Compute one more token after those before it."""
        self._decode([token])

    def logits(self) -> NDArray[np.float32]:
        """Scores of every token to come next; a view, valid until the next computation.

        Raises:
            ModelUnavailable: the model gives no usable numbers.
        """
        pointer = _api.llama_get_logits_ith(self._context, -1)
        if not pointer:
            raise ModelUnavailable(
                "This model does not write text (it may be made for embeddings).",
                hint="Choose a model made for chat or text.",
            )
        row = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        if not np.isfinite(row[: min(64, row.size)]).all():
            raise ModelUnavailable(
                "This model computes nonsense; its file may be damaged.",
                hint="Get the file again, or choose another model.",
            )
        return row

    @property
    def room(self) -> int:
        """Tokens that still fit into the context."""
        return self.context - len(self._done)

    def forget(self) -> None:
        """Drop all computed state."""
        _api.llama_memory_clear(self._memory, True)
        self._done = []

    def _keep(self, count: int) -> int:
        """Keep the first `count` computed tokens; 0 when the model cannot go back."""
        if count == len(self._done):
            return count
        if count == 0 or not _api.llama_memory_seq_rm(self._memory, 0, count, -1):
            self.forget()
            return 0
        del self._done[count:]
        return count

    def _decode(self, tokens: Sequence[int]) -> None:
        """Compute `tokens` after what is there; logits are kept for the last of them."""
        batch, start = self._batch, len(self._done)
        batch.n_tokens = len(tokens)
        for at, token in enumerate(tokens):
            batch.token[at] = token
            batch.pos[at] = start + at
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = 0
            batch.logits[at] = at == len(tokens) - 1
        code = _api.llama_decode(self._context, batch)
        if code == 0:
            self._done.extend(tokens)
            return
        # Part of the batch may have been computed: go back to where it began.
        if not _api.llama_memory_seq_rm(self._memory, 0, start, -1):
            self.forget()
        if code == _ABORTED:
            raise Cancelled()
        raise ModelUnavailable(
            "The model could not compute this prompt.",
            hint="Ask again; if it happens again, choose another model.",
            details=f"llama_decode: {code}",
        )

    def close(self) -> None:
        """Free the model and its context."""
        if self._batch is not None:
            _api.llama_batch_free(self._batch)
        if self._context is not None:
            _api.llama_free(self._context)
        if self._model is not None:
            _api.llama_model_free(self._model)
        self._batch = self._context = self._model = None


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
