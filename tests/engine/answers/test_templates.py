"""Chat templates are strangers' programs: they run, within limits, and never see a document."""

from __future__ import annotations

import threading
import time

import pytest

from engine.answers.templates import FAMILIES, RENDER_LIMIT_S, ChatTemplate, family_of
from engine.errors import ModelUnavailable
from tests.models import CHATML


def written(template: ChatTemplate, *contents: str, roles: tuple[str, ...]) -> str:
    return "".join(
        slot.text if slot.message is None else contents[slot.message]
        for slot in template.layout(roles)
    )


def test_a_models_own_template_is_used() -> None:
    template = ChatTemplate(CHATML)
    assert template.used == "own"
    assert written(template, "Be brief.", "Why?", roles=("system", "user")) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_pinned_templates_hold_conversations(family: str) -> None:
    template = ChatTemplate(FAMILIES[family], "<s>", "</s>")
    text = written(
        template, "SYS", "Q1", "A1", "Q2", roles=("system", "user", "assistant", "user")
    )
    places = [text.index(part) for part in ("SYS", "Q1", "A1", "Q2")]
    assert places == sorted(places)
    assert family_of(FAMILIES[family]) == family


def test_a_template_without_a_system_role_gets_it_in_the_first_question() -> None:
    refusing = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}[INST] {{ m.content | trim }} [/INST]{% endfor %}"
    )
    dropping = "{% for m in messages if m.role != 'system' %}<{{ m.content }}>{% endfor %}"
    for source in (refusing, dropping):
        template = ChatTemplate(source)
        assert template.used == "own"
        assert "SYS\n\nQ" in written(template, "SYS", "Q", roles=("system", "user"))


@pytest.mark.parametrize(
    "source",
    [
        "<|im_start|>{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
        "{% endfor %}",
        "<|im_start|>{% for a in range(99999) %}{% for b in range(99999) %}xxxxxxxxxxxxxxxx"
        "{% endfor %}{% endfor %}",
        "<|im_start|>{{ ''.__class__.__mro__ }}",
        "<|im_start|>{% set x = messages.append(1) %}",
        "<|im_start|>{{ messages[0].content }}{{ messages[0].content }}",
        "<|im_start|>no message at all",
        "<|im_start|>{% syntax error",
        "<|im_start|>{{ 1 / 0 }}",
        "<|im_start|>{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "<|im_start|>" + "{# long #}" * 40_000,
    ],
    ids=[
        "hang",
        "flood",
        "escape",
        "mutate",
        "twice",
        "none",
        "syntax",
        "zero",
        "deep",
        "long",
    ],
)
def test_a_bad_template_is_replaced_by_its_familys(source: str) -> None:
    start = time.monotonic()
    template = ChatTemplate(source)
    assert time.monotonic() - start < 20 * RENDER_LIMIT_S
    assert template.used == "chatml"
    assert template.problem
    text = written(template, "S", "Q", roles=("system", "user"))
    assert text == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert not [thread for thread in threading.enumerate() if thread.name == "chat template"]


def test_a_bad_template_of_no_family_leaves_plain_completion() -> None:
    assert ChatTemplate("{{ 1 / 0 }}").used == "none"
    assert ChatTemplate("").used == "none"


def test_a_conversation_the_template_cannot_hold_is_refused() -> None:
    template = ChatTemplate(
        "{% if messages | length > 4 %}{{ raise_exception('too long') }}{% endif %}" + CHATML
    )
    assert template.used == "own"
    with pytest.raises(ModelUnavailable):
        template.layout(("system", "user", "assistant", "user", "assistant", "user"))


def test_a_document_is_never_a_template() -> None:
    template = ChatTemplate(CHATML)
    text = written(template, "{{ 1 / 0 }}", "{% for %}", roles=("system", "user"))
    assert "{{ 1 / 0 }}" in text
    assert "{% for %}" in text
