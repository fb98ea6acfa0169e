"""The model's own chat template, run without trusting it.

A template is a program from a stranger. It runs in jinja2's immutable sandbox, under a time
limit, and it never sees a document: each message goes in as a placeholder, and the result is
cut at the placeholders. So the template's own text is known, and only that text may become
control tokens.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import ModelUnavailable

RENDER_LIMIT_S = 2.0
MAX_TEMPLATE_CHARACTERS = 256 * 1024
MAX_RENDERED_CHARACTERS = 64 * 1024
_MARK = re.compile("\ue000(\\d+)\ue001")

# jinja drops a line break at the very end of a template, hence the ones written out.
FAMILIES: dict[str, str] = {
    "chatml": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% endfor %}<|im_start|>assistant{{ '\n' }}"
    ),
    "llama3": (
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}"
        "<|end_header_id|>\n\n{{ m.content }}<|eot_id|>{% endfor %}"
        "<|start_header_id|>assistant<|end_header_id|>{{ '\n\n' }}"
    ),
    "gemma": (
        "{{ bos_token }}{% for m in messages %}<start_of_turn>"
        "{{ 'model' if m.role == 'assistant' else 'user' }}\n{{ m.content }}<end_of_turn>\n"
        "{% endfor %}<start_of_turn>model{{ '\n' }}"
    ),
    "phi3": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "<|assistant|>{{ '\n' }}"
    ),
    "llama2": (
        "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }} {{ eos_token }}"
        "{% else %}{{ bos_token }}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"
    ),
}
"""Pinned templates, used when a model's own cannot be run. Families without a system role
get it merged into the first question (see `ChatTemplate`)."""

_FAMILY_SIGNS = (
    ("chatml", "<|im_start|>"),
    ("llama3", "<|start_header_id|>"),
    ("gemma", "<start_of_turn>"),
    ("phi3", "<|assistant|>"),
    ("llama2", "[INST]"),
)
_NO_SYSTEM = frozenset({"gemma", "llama2"})
STOP_TEXTS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "</s>", "<|endoftext|>")
"""End of turn written as plain text by models whose vocabulary lacks the token."""


@dataclass(frozen=True)
class Slot:
    """One part of a rendered chat: template text, or the number of the message to put there."""

    text: str = ""
    message: int | None = None


def family_of(template: str) -> str | None:
    """The known family a template belongs to, by its turn markers."""
    return next((name for name, sign in _FAMILY_SIGNS if sign in template), None)


class ChatTemplate:
    """A model's chat template, checked once and remembered.

    Args:
        source: the template; "" for a model that has none.
        bos: text of the model's beginning-of-text token.
        eos: text of its end-of-text token.

    `used` is "own", the name of the pinned family that stands in for it, or "none".

    Raises:
        ModelUnavailable: the template could not be stopped at its time limit.
    """

    def __init__(self, source: str, bos: str = "", eos: str = "") -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._known: dict[tuple[str, ...], list[Slot]] = {}
        self.problem = ""
        self.used = "none"
        self._source = source
        if not source:
            return
        try:
            self.used = "own"
            for roles in (("system", "user"), ("system", "user", "assistant", "user")):
                self._known[roles] = self._render(roles)
        except _TemplateFailed as failure:
            self.problem = str(failure)
            self.used = family_of(source) or "none"
            self._source = FAMILIES.get(self.used, "")
            self._known.clear()

    def layout(self, roles: Sequence[str]) -> list[Slot]:
        """Where the template puts messages of these roles, and what stands around them.

        A template that refuses or drops the system role gets its text merged into the first
        user message: then one slot carries the system message and the next the user's.

        Raises:
            ModelUnavailable: the template cannot be used with such a conversation.
        """
        key = tuple(roles)
        if key not in self._known:
            try:
                self._known[key] = self._render(key)
            except _TemplateFailed as failure:
                raise ModelUnavailable(
                    "This model's chat template cannot be used.",
                    hint="Choose another model.",
                    details=str(failure),
                ) from failure
        return self._known[key]

    def _render(self, roles: tuple[str, ...]) -> list[Slot]:
        system = roles[:1] == ("system",) and len(roles) > 1
        if not (system and self.used in _NO_SYSTEM):
            try:
                return self._run([(role, (n,)) for n, role in enumerate(roles)])
            except _TemplateFailed:
                if not system:
                    raise
        merged = [("user", (0, 1)), *((role, (n + 2,)) for n, role in enumerate(roles[2:]))]
        return self._run(merged)

    def _run(self, messages: list[tuple[str, tuple[int, ...]]]) -> list[Slot]:
        contents = [
            {"role": role, "content": "\n\n".join(f"\ue000{n}\ue001" for n in numbers)}
            for role, numbers in messages
        ]
        text = _limited(self._source, {**self._tokens, "messages": contents})
        slots, end = list[Slot](), 0
        for found in _MARK.finditer(text):
            slots.append(Slot(text=text[end : found.start()]))
            slots.append(Slot(message=int(found.group(1))))
            end = found.end()
        slots.append(Slot(text=text[end:]))
        numbers = [slot.message for slot in slots if slot.message is not None]
        if numbers != [n for _, some in messages for n in some]:
            raise _TemplateFailed("it leaves out or repeats a message")
        return [slot for slot in slots if slot.text or slot.message is not None]


class _TemplateFailed(Exception):
    """The template cannot be used; the text says why."""


class _TimeUp(BaseException):
    """Thrown into the rendering thread at its time limit."""


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _today(form: str) -> str:
    import datetime

    return datetime.datetime.now().strftime(form)


def _limited(source: str, values: dict[str, Any], limit_s: float = RENDER_LIMIT_S) -> str:
    """Render in a thread of its own and end that thread when it takes too long."""
    if len(source) > MAX_TEMPLATE_CHARACTERS:
        raise _TemplateFailed(f"it has {len(source)} characters")
    outcome: list[str | BaseException] = []

    def work() -> None:
        try:
            environment = ImmutableSandboxedEnvironment(
                trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
            )
            environment.globals.update(raise_exception=_refuse, strftime_now=_today)  # pyright: ignore[reportUnknownMemberType]
            template = environment.from_string(source)
            parts, size = list[str](), 0
            for part in template.generate(**values, add_generation_prompt=True):
                parts.append(part)
                size += len(part)
                if size > MAX_RENDERED_CHARACTERS:
                    raise _TemplateFailed("it writes without end")
            outcome.append("".join(parts))
        except BaseException as error:  # a stranger's program may raise anything
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True, name="chat template")
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        _interrupt(thread)
        raise _TemplateFailed(f"it did not end within {limit_s:g} seconds")
    result = outcome[0]
    if isinstance(result, BaseException):
        raise _TemplateFailed(f"{type(result).__name__}: {result}") from result
    return result


def _interrupt(thread: threading.Thread) -> None:
    """Raise `_TimeUp` inside `thread` until it ends.

    Raises:
        ModelUnavailable: it is stuck in native code; only ending the process stops it.
    """
    for _ in range(20):
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(_TimeUp)
            )
        thread.join(0.1)
        if not thread.is_alive():
            return
    raise ModelUnavailable(
        "This model's chat template never ends, so the model cannot be used.",
        hint="Choose another model, or a file of it made by someone else.",
    )
