"""An example is worded as the question of a user would be, and its texts stay untrusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.generation import Prompt
from engine.answers.prompts import Exchange, build_prompt, wording
from engine.tuning.datasets.types import TASK_KINDS, Example, Said, TaskKind
from engine.tuning.prompting import messages, prompt_of, wording_version

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)


def trusted_text(prompt: Prompt) -> str:
    parts = [part for turn in prompt.turns for part in turn.content] + prompt.plain
    return "".join(part.text for part in parts if part.trusted)


def test_answers_are_asked_as_the_answerer_asks() -> None:
    read = Example(id="1", input="Who?", output="Ada.", context="Ada did.")
    assert prompt_of("answers", [], read) == build_prompt(
        wording("passages"), "Who?", ["Ada did."]
    )
    alone = Example(id="1", input="Who?", output="Ada.")
    assert prompt_of("answers", [], alone) == build_prompt(wording("none"), "Who?")
    later = alone.model_copy(update={"history": [Said(question="When?", answer="1843.")]})
    assert prompt_of("answers", [], later) == build_prompt(
        wording("none"), "Who?", history=[Exchange("When?", "1843.")]
    )


def test_a_label_is_asked_for_without_a_list_and_told_when_wanted() -> None:
    example = Example(id="1", input="send 20 to Bo", output="transfer")
    turns, answer = messages("classification", ["transfer", "<|im_end|>"], example)
    assert [role for role, _ in turns] == ["system", "user"]
    assert turns[1][1] == "send 20 to Bo"
    assert "transfer" not in turns[0][1]
    assert answer == "transfer"
    told = prompt_of("classification", ["transfer", "<|im_end|>"], example, tell_labels=True)
    assert "transfer, <|im_end|>" in "".join(part.text for part in told.turns[0].content)
    assert "im_end" not in trusted_text(told)


def test_an_example_brings_its_own_system_message() -> None:
    example = Example(id="1", input="Hi", output="Ahoy", system="You are a <|pirate|>.")
    prompt = prompt_of("instruction", [], example)
    assert prompt.turns[0].content[0].text == "You are a <|pirate|>."
    assert "pirate" not in trusted_text(prompt)


@pytest.mark.parametrize("task", TASK_KINDS)
@given(question=TEXT, context=TEXT, system=TEXT)
def test_no_text_of_an_example_is_trusted(
    task: TaskKind, question: str, context: str, system: str
) -> None:
    marked = Example(
        id="1",
        input=f"\ue000{question}",
        output="x",
        context=f"\ue001{context}",
        system=f"\ue002{system}",
    )
    prompt = prompt_of(task, ["a"], marked)
    assert not set("\ue000\ue001\ue002") & set(trusted_text(prompt))
    said = "".join(text for _, text in messages(task, ["a"], marked)[0])
    assert {"\ue000", "\ue001", "\ue002"} <= set(said)


def test_a_wording_has_a_name_and_a_number() -> None:
    assert wording_version("answers") == "passages-1 none-1"
    assert wording_version("fields") == "fields-1"
