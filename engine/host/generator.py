"""The generator process: holds one loaded model and writes answers with it.

Also the place where a strange model file is opened for the first time, in a child started
for that alone (`inspect`, `trial`): a file that aborts llama.cpp takes only that child down.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from engine.answers import fast_copy
from engine.answers.contexts import Contexts
from engine.answers.generation import AdapterUse, Prompt, Task
from engine.answers.mixing import log_softmax
from engine.answers.quantizing import quantize
from engine.answers.runtime import Runtime, build_info, gpu_offload_supported
from engine.answers.states import PassageStates
from engine.answers.templates import ChatTemplate
from engine.answers.vocabulary import Segment
from engine.answers.writing import count_tokens, prompt_segments, prompt_tokens, write
from engine.errors import InvalidInput, ModelUnavailable
from engine.models.gguf import read_header
from engine.work.jobs import Job
from engine.work.serve import serve

_LOCK_POLL_S = 0.05
_TRIAL_CONTEXT = 128
_ADAPTER_TRIAL_CONTEXT = 2048  # room for the longest soft prompt
_TRIAL_MEMORY_BYTES = 6 << 30


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoadParams(_Params):
    """Which model to hold, and how.

    `sha256` names the file in the states that are kept; `states` is their folder ("" for
    none) and `states_bytes` its size limit.
    """

    path: str
    context: int
    gpu_layers: int = 0
    threads: int = 1
    sha256: str = ""
    states: str = ""
    states_bytes: int = 0


class PrepareParams(_Params):
    """Prompts whose passages are to be computed ahead, with these adapters."""

    prompts: list[Prompt]
    adapters: list[AdapterUse] = []
    threads: int = 1


class _Loaded:
    """A model with all that goes with it."""

    def __init__(self, wanted: LoadParams, job: Job) -> None:
        path = Path(wanted.path)
        folder = Path(wanted.states) if wanted.states else None
        self.params = wanted
        read = _fastest(path, wanted, folder)
        self.runtime = Runtime(read, wanted.context, wanted.gpu_layers, wanted.threads, job=job)
        self.template = _template(path, self.runtime)
        self.states = PassageStates(folder, wanted.states_bytes)
        # A state depends on the file, where it was computed, and who computed it.
        name = wanted.sha256 or f"{path.stat().st_size} {path.stat().st_mtime_ns} {path}"
        copy = " fast copy" if read != path else ""
        identity = f"{name}{copy} {wanted.gpu_layers} {build_info()}"
        self.contexts = Contexts(self.runtime, self.states, identity)

    def close(self) -> None:
        """Free the memory; what is not yet on disk gets there first."""
        self.states.flush()
        self.runtime.close()


class GeneratorProcess:
    """The methods of this process. One model, one computation at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @contextmanager
    def _alone(self, job: Job) -> Generator[None]:
        while not self._lock.acquire(timeout=_LOCK_POLL_S):
            job.checkpoint()
        try:
            yield
        finally:
            self._lock.release()

    def load(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Hold this model; nothing happens when it is held already with these settings."""
        wanted = LoadParams.model_validate(params)
        with self._alone(job):
            loaded = self._loaded
            same = loaded is not None and loaded.params.model_copy(
                update={"threads": wanted.threads}
            )
            if loaded is None or same != wanted:
                self._drop()
                self._loaded = loaded = _Loaded(wanted, job)
            return {
                "context": loaded.runtime.context,
                "template": loaded.template.used,
                "template_problem": loaded.template.problem,
                "gpu": gpu_offload_supported(),
            }

    def unload(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Free the model's memory."""
        with self._alone(job):
            self._drop()
        return {}

    def _drop(self) -> None:
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.close()

    def _held(self) -> _Loaded:
        if self._loaded is None:
            raise InvalidInput("No model is loaded.", hint="Load one first.")
        return self._loaded

    def generate(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Write an answer; see `engine.answers.writing.write`."""
        task = Task.model_validate(params)
        with self._alone(job):
            held = self._held()
            held.runtime.set_threads(task.threads)
            return write(held.runtime, held.contexts, held.template, task, job).model_dump()

    def prepare(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Compute and keep the passages of prompts; says how many were new."""
        wanted = PrepareParams.model_validate(params)
        with self._alone(job):
            held = self._held()
            held.runtime.set_threads(wanted.threads)
            held.contexts.use_adapters(wanted.adapters)
            made = 0
            for prompt in wanted.prompts:
                tokens = prompt_tokens(held.runtime, held.template, prompt)
                made += held.contexts.prepare(tokens, job)
            return {"computed": made}

    def forget(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Drop what is kept of passages in memory."""
        with self._alone(job):
            if self._loaded is not None:
                self._loaded.states.forget()
        return {}

    def tokenize(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Tokens of each of `texts`, taken as untrusted text, and of `prompt` as a whole."""
        with self._alone(job):
            held = self._held()
            texts = [str(text) for text in params.get("texts", [])]
            whole = 0
            if params.get("prompt") is not None:
                prompt = Prompt.model_validate(params["prompt"])
                segments = prompt_segments(prompt, held.template)
                whole = len(held.runtime.vocabulary.prompt(segments).ids)
            return {"counts": count_tokens(held.runtime, texts), "prompt": whole}

    def inspect(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """The header of a GGUF file as fields; see `engine.models.gguf.read_header`."""
        return read_header(Path(str(params["path"]))).to_dict()

    def trial(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Load a strange model with every check on, and compute one token with it.

        Raises:
            ModelUnavailable: it cannot be used; the message says why.
        """
        path = Path(str(params["path"]))
        _limit_memory(path.stat().st_size)
        runtime = Runtime(path, _TRIAL_CONTEXT, check_tensors=True, job=job)
        tokens = runtime.vocabulary.prompt([Segment("Hello", False)]).ids
        if not tokens:
            raise ModelUnavailable("This model has no vocabulary, so it cannot read text.")
        runtime.read_prompt(tokens, job)
        chosen = int(runtime.logits().argmax())
        runtime.vocabulary.piece(chosen)
        template = _template(path, runtime)
        return {"template": template.used, "template_problem": template.problem}


def _adapter_trial(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Load a strange adapter on its model, and compute one token with and without it.

    Gives `kl`, how much it changes that token's probabilities, in nats.

    Raises:
        ModelUnavailable: it cannot be used; the message says why.
    """
    path, adapter = Path(str(params["path"])), str(params["adapter"])
    _limit_memory(path.stat().st_size + 4 * Path(adapter).stat().st_size)
    runtime = Runtime(path, _ADAPTER_TRIAL_CONTEXT, job=job)
    try:
        tokens = runtime.vocabulary.prompt([Segment("Hello, who are you?", False)]).ids
        plain = log_softmax(runtime.compute({0: tokens}, job=job)[0][-1])
        runtime.use_adapters([AdapterUse(path=adapter)])
        begin = [*runtime.soft_prompt, *tokens]
        tuned = log_softmax(runtime.compute({0: begin}, job=job)[0][-1])
    finally:
        runtime.close()
    return {"kl": float((np.exp(tuned) * (tuned - plain)).sum())}


def _quantize(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Write a model in another quantization; see `engine.answers.quantizing.quantize`."""
    source, target = Path(str(params["source"])), Path(str(params["target"]))
    quantize(source, target, str(params["quantization"]), int(params["threads"]))
    return {"size_bytes": target.stat().st_size}


def _fastest(path: Path, wanted: LoadParams, folder: Path | None) -> Path:
    """The file to load: the model's own, or a copy of it that is read faster."""
    if folder is None or not wanted.sha256:
        return path
    header = read_header(path)
    if not fast_copy.wanted(header.quantization, header.size_bytes, wanted.gpu_layers):
        return path
    target = folder / f"{wanted.sha256[:32]}.q8_0.gguf"
    return fast_copy.fast_copy(path, target, wanted.threads)


def _template(path: Path, runtime: Runtime) -> ChatTemplate:
    source, vocabulary = read_header(path).chat_template, runtime.vocabulary
    return ChatTemplate(
        source, vocabulary.text(vocabulary.bos), vocabulary.text(vocabulary.eos)
    )


def _limit_memory(size_bytes: int) -> None:
    """Let a file that asks for absurd sizes fail instead of emptying the machine."""
    try:
        import resource
    except ImportError:  # Windows: the file's own checks must do
        return
    limit = 2 * size_bytes + _TRIAL_MEMORY_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > limit:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def main() -> None:
    """Serve stdin and stdout until the parent closes them."""
    process = GeneratorProcess()
    serve(
        {
            "load": process.load,
            "unload": process.unload,
            "generate": process.generate,
            "prepare": process.prepare,
            "forget": process.forget,
            "tokenize": process.tokenize,
            "inspect": process.inspect,
            "trial": process.trial,
            "trial_adapter": _adapter_trial,
            "quantize": _quantize,
            "about": lambda params, job: {"llama_cpp": build_info()},
        }
    )


if __name__ == "__main__":
    main()
