"""What a model is asked for an example, and what it wrote.

The answer is held to a grammar: JSON with a quote, a question and an answer, where the quote
is one of the passage's own sentences. So even a small model quotes word for word, and what
it has to find is the question.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.answers.generation import Task
from engine.answers.prompts import Exchange, build_prompt, wording
from engine.answers.sentences import sentence_spans
from engine.answers.words import STOP_WORDS, tokenize
from engine.paths import resources_dir

TOKENS = 256
QUOTES = 24
"""A passage's first sentences; one of them is quoted."""
_SHORTEST, _LONGEST = 30, 300
_FEWEST_WORDS, _FEWEST_WIDE = 5, 12
_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
_QUESTION_WORDS, _ANSWER_WORDS = 30, 40
"""More than that and it must come to its end: small models run on."""
_WIDE = re.compile(r"[⺀-鿿가-힯぀-ヿ豈-﫿]")
"""Letters of writing without spaces."""


@dataclass(frozen=True)
class Written:
    """A question with its answer and the sentence that is its evidence."""

    quote: str
    question: str
    answer: str


def wording_version() -> int:
    """Changes when models are asked in other words."""
    return wording("example").version


def quotable(text: str) -> list[str]:
    """Whole sentences of a text that say something, on one line each."""
    found: list[str] = []
    for span in sentence_spans(text):
        sentence = " ".join(text[span.start : span.end].split())
        if len(found) < QUOTES and sentence not in found and _says_something(sentence):
            found.append(sentence)
    return found


def _says_something(sentence: str) -> bool:
    wide = len(_WIDE.findall(sentence))
    words = {token.key for token in tokenize(sentence)} - STOP_WORDS
    return (
        len(sentence) <= _LONGEST
        and sentence[0] not in "|#"
        and _END.search(sentence) is not None
        and (
            wide >= _FEWEST_WIDE or (len(sentence) >= _SHORTEST and len(words) >= _FEWEST_WORDS)
        )
    )


def task_for(text: str, quotes: Sequence[str]) -> Task:
    """What the generator is to do with a passage: greedy, so that it can be done again."""
    prompt = build_prompt(wording("example"), text, history=_shown())
    return Task(mode="none", prompts=[prompt], max_tokens=TOKENS, grammar=grammar(quotes))


@functools.cache
def _shown() -> tuple[Exchange, ...]:
    """How it is done: texts and what was written about them."""
    path = resources_dir() / "prompts" / "example.toml"
    data = tomllib.loads(path.read_text("utf-8"))
    return tuple(Exchange(one["text"], one["json"]) for one in data["shown"])


def grammar(quotes: Sequence[str]) -> str:
    """GBNF of an example that quotes one of `quotes`; a question ends in a question mark, and
    both have an end.
    """
    listed = " | ".join(_literal(json.dumps(quote, ensure_ascii=False)) for quote in quotes)
    return "\n".join(
        (
            'root ::= "{\\"quote\\": " quote ", \\"question\\": \\"" question "\\", '
            '\\"answer\\": \\"" answer "\\"}"',
            f"quote ::= {listed}",
            f'question ::= word (" " word){{0,{_QUESTION_WORDS}}} [?？]',
            f'answer ::= term (" " term){{0,{_ANSWER_WORDS}}}',
            'word ::= [^"\\\\?？ \\x00-\\x1F\\x7F]+',
            'term ::= ([^"\\\\ \\x00-\\x1F\\x7F] | "\\\\" ["\\\\/])+',
        )
    )


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else _code(char) for char in escaped) + '"'


def _code(char: str) -> str:
    return f"\\U{ord(char):08X}"


def read(made: str) -> Written | None:
    """The example a model wrote; None when it came to no end."""
    try:
        value: Any = json.loads(made)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    texts = [fields.get(name) for name in ("quote", "question", "answer")]
    if not all(isinstance(text, str) for text in texts):
        return None
    quote, question, answer = (" ".join(str(text).split()) for text in texts)
    return Written(quote, question, answer)
