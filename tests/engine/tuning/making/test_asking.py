"""The form of an example: a sentence quoted word for word, a question, an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.answers.contexts import Contexts
from engine.answers.runtime import Runtime
from engine.answers.states import PassageStates
from engine.answers.templates import ChatTemplate
from engine.answers.writing import write
from engine.tuning.making.asking import QUOTES, quotable, read, task_for
from engine.work.jobs import NULL_JOB
from tests.models import CHATML

QUOTED = [
    'He said "stop" at the old wooden gate, twice.',
    "C:\\temp is\twhere the files of the harbour are kept.",
    "Überall wächst Gras, sagte die alte Müllerin 🙂 gestern.",
]


@pytest.fixture(scope="module")
def runtime(tiny_gguf: Path) -> Iterator[Runtime]:
    one = Runtime(tiny_gguf, 2048)
    yield one
    one.close()


def test_a_random_model_quotes_word_for_word_and_ends(runtime: Runtime) -> None:
    contexts = Contexts(runtime, PassageStates(None, 0), "tiny")
    for quote in QUOTED:
        task = task_for("A text.", [quote]).model_copy(update={"max_tokens": 900})
        made = write(runtime, contexts, ChatTemplate(CHATML), task, NULL_JOB)
        if made.ending == "end":
            assert json.loads(made.text)["quote"] == quote
        else:  # words may be of any length; they are in the question by then
            assert made.text.startswith('{"quote": ' + json.dumps(quote, ensure_ascii=False))


def test_how_it_is_done_is_shown_in_the_form_that_is_asked_for() -> None:
    turns = task_for("A text.", QUOTED).prompts[0].turns
    shown = [turn for turn in turns if turn.role == "assistant"]
    assert len(shown) == 2
    for turn, before in zip(shown, turns[1::2], strict=False):
        written = read(turn.content[0].text)
        assert written is not None
        assert written.question.endswith("?")
        assert written.quote in "".join(part.text for part in before.content)


def test_whole_sentences_that_say_something_are_quoted() -> None:
    text = (
        "# The harbour of Skarv\nThe ferry leaves the northern harbour every morning.\n"
        "| a | row of numbers | that stands | in a table. |\nYes. It is so.\n"
        "The keeper of the old lighthouse at sea now counts\nthe gulls on the "
        "western cliff. No end here"
    )
    assert quotable(text) == [
        "The ferry leaves the northern harbour every morning.",
        "The keeper of the old lighthouse at sea now counts the gulls on the western cliff.",
    ]
    assert quotable("渡し船は毎朝七時四十分に東の港を出る。") != []
    many = " ".join(f"Keeper number {n} counts gulls on cliff {n} daily." for n in range(99))
    assert len(quotable(many)) == QUOTES


@pytest.mark.parametrize(
    "made", ["", "{", "[]", '{"quote": "a"}', '{"quote": "a", "question": 1, "answer": "b"}']
)
def test_what_is_no_example_is_none(made: str) -> None:
    assert read(made) is None
