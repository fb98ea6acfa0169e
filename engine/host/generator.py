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

from pydantic import BaseModel, ConfigDict

from engine.answers.generation import Prompt, count_tokens, generate, prompt_segments
from engine.answers.runtime import Runtime, build_info, gpu_offload_supported
from engine.answers.templates import ChatTemplate
from engine.errors import InvalidInput, ModelUnavailable
from engine.models.gguf import read_header
from engine.work.jobs import Job
from engine.work.serve import serve

_LOCK_POLL_S = 0.05
_TRIAL_CONTEXT = 128
_TRIAL_MEMORY_BYTES = 6 << 30


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoadParams(_Params):
    """Which model to hold, and how."""

    path: str
    context: int
    gpu_layers: int = 0
    threads: int = 1


class GenerateParams(_Params):
    """One answer. `tokens` events carry {"text": …}."""

    prompt: Prompt
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    threads: int = 1


class GeneratorProcess:
    """The methods of this process. One model, one computation at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runtime: Runtime | None = None
        self._template = ChatTemplate("")
        self._loaded: LoadParams | None = None

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
            same = self._loaded is not None and self._loaded.model_copy(
                update={"threads": wanted.threads}
            )
            if self._runtime is None or same != wanted:
                self._drop()
                self._runtime = runtime = Runtime(
                    Path(wanted.path),
                    wanted.context,
                    wanted.gpu_layers,
                    wanted.threads,
                    job=job,
                )
                self._template = _template(Path(wanted.path), runtime)
                self._loaded = wanted
            return {
                "context": self._runtime.context,
                "template": self._template.used,
                "template_problem": self._template.problem,
                "gpu": gpu_offload_supported(),
            }

    def unload(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Free the model's memory."""
        with self._alone(job):
            self._drop()
        return {}

    def _drop(self) -> None:
        if self._runtime is not None:
            self._runtime.close()
        self._runtime, self._loaded = None, None

    def _held(self) -> Runtime:
        if self._runtime is None:
            raise InvalidInput("No model is loaded.", hint="Load one first.")
        return self._runtime

    def generate(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Write an answer; see `engine.answers.generation.generate`."""
        wanted = GenerateParams.model_validate(params)
        with self._alone(job):
            runtime = self._held()
            runtime.set_threads(wanted.threads)
            return generate(
                runtime,
                self._template,
                wanted.prompt,
                wanted.max_tokens,
                wanted.temperature,
                wanted.seed,
                job,
            ).to_dict()

    def tokenize(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """Tokens of each of `texts`, taken as untrusted text, and of `prompt` as a whole."""
        with self._alone(job):
            runtime = self._held()
            counts = count_tokens(runtime, [str(text) for text in params.get("texts", [])])
            whole = 0
            if params.get("prompt") is not None:
                prompt = Prompt.model_validate(params["prompt"])
                whole = len(runtime.prompt_tokens(prompt_segments(prompt, self._template)))
            return {"counts": counts, "prompt": whole}

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
        tokens = runtime.prompt_tokens([("Hello", False)])
        if not tokens:
            raise ModelUnavailable("This model has no vocabulary, so it cannot read text.")
        runtime.read_prompt(tokens, job)
        chosen = int(runtime.logits().argmax())
        runtime.piece(chosen)
        template = _template(path, runtime)
        return {"template": template.used, "template_problem": template.problem}


def _template(path: Path, runtime: Runtime) -> ChatTemplate:
    source = read_header(path).chat_template
    return ChatTemplate(
        source, runtime.token_text(runtime.bos), runtime.token_text(runtime.eos)
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
            "tokenize": process.tokenize,
            "inspect": process.inspect,
            "trial": process.trial,
            "about": lambda params, job: {"llama_cpp": build_info()},
        }
    )


if __name__ == "__main__":
    main()
