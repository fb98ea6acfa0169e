"""The tokens a model would read and write, from its file's vocabulary alone: no weights.

Training and proving use it, so that what is trained is token for token what is served.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import llama_cpp

from engine.answers.generation import Prompt
from engine.answers.runtime import quiet_log
from engine.answers.templates import ChatTemplate
from engine.answers.vocabulary import Segment, Vocabulary
from engine.answers.writing import prompt_segments
from engine.errors import ModelUnavailable
from engine.models.gguf import read_header

# The binding is typed loosely (ctypes objects); `Any` here keeps that out of the rest.
_api: Any = llama_cpp

_END_ROLES = ("system", "user", "assistant", "user")


class Tokenizer:
    """The vocabulary and the chat template of a GGUF file.

    Args:
        path: the file; only its vocabulary is read.

    Raises:
        ModelUnavailable: llama.cpp cannot read its vocabulary.
    """

    def __init__(self, path: Path) -> None:
        quiet_log()
        params: Any = _api.llama_model_default_params()
        params.vocab_only = True
        self._model: Any = _api.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise ModelUnavailable(
                "llama.cpp cannot read this model's vocabulary.",
                hint="The file may be damaged or of a kind this version does not know.",
            )
        self.vocabulary = Vocabulary(self._model)
        self.template = ChatTemplate(
            read_header(path).chat_template,
            self.vocabulary.text(self.vocabulary.bos),
            self.vocabulary.text(self.vocabulary.eos),
        )
        self.end = self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _end(self) -> int | None:
        """The token that ends an answer: the one the template puts there, else end of text."""
        if self.template.used != "none":
            slots = self.template.layout(_END_ROLES)
            after = next(
                (
                    slots[at + 1].text
                    for at, slot in enumerate(slots[:-1])
                    if slot.message == _END_ROLES.index("assistant")
                ),
                "",
            )
            written = self.vocabulary.prompt([Segment(after.lstrip(), True)]).ids
            for token in written:
                if token in self.vocabulary.ending_ids:
                    return token
        return self.vocabulary.eos

    def prompt(self, prompt: Prompt) -> list[int]:
        """Tokens of a prompt, as the generator reads it.

        Raises:
            ModelUnavailable: the model's chat template cannot hold this conversation.
        """
        return self.vocabulary.prompt(prompt_segments(prompt, self.template)).ids

    def answer(self, text: str) -> list[int]:
        """Tokens of an answer as the model should write it, its end included."""
        lead = " " if self.template.used == "none" else ""  # see `build_prompt`, `plain`
        ids = self.vocabulary.untrusted(lead + text.strip())
        return ids if self.end is None else [*ids, self.end]

    def text(self, ids: list[int]) -> str:
        """The text that tokens stand for; control tokens stand for nothing."""
        return b"".join(map(self.vocabulary.piece, ids)).decode("utf-8", "replace")

    def close(self) -> None:
        """Free the vocabulary."""
        if self._model is not None:
            _api.llama_model_free(self._model)
        self._model = None
