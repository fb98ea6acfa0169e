"""What columns are called in the datasets people have, and what they are then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

Role = Literal[
    "input", "output", "context", "system", "history", "messages", "group", "split", "id"
]
"""What a column is for. `messages` holds a whole conversation, `history` its earlier turns."""

ROLES: tuple[Role, ...] = get_args(Role)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TEXT = _words(
    "text sentence utterance query message content document dialogue dialog review body"
    " transcript note comment tweet post abstract article title subject question input prompt"
    " source"
)
LABEL = _words(
    "label labels class category intent section_header tag topic sentiment target label_text"
    " label_name coarse_label type y"
)
QUESTION = _words("question query frage pregunta prompt")
ANSWER = _words("answer answers response antwort reply correct_answer best_answer output")
INSTRUCTION = _words("instruction instructions task")
OUTPUT = _words("output response completion answer target chosen generation reply")
PROMPT = _words("prompt input source question user")
CONTEXT = _words("context passage evidence paragraph document reference background")
ENTITIES = _words("entities spans ner annotations label labels entity")
TOKENS = _words("tokens words")
TAGS = _words("ner_tags tags ner labels iob bio")
FIELDS = _words("fields json output extracted values answer label")
MESSAGES = _words("messages conversations conversation chat dialogue dialog turns prompt")
SYSTEM = _words("system system_prompt system_message")
HISTORY = _words("history")
GROUP = _words(
    "group group_id document document_id doc doc_id conversation_id dialogue_id dialog_id"
    " session session_id thread thread_id patient patient_id article_id file filename"
)
SPLIT = _words("split set partition subset fold dataset")
IDENTIFIER = _words("id idx index guid uid uuid row _id key example_id qid")

_KNOWN = frozenset(
    word
    for words in (
        *(TEXT, LABEL, QUESTION, ANSWER, INSTRUCTION, OUTPUT, PROMPT, CONTEXT, ENTITIES),
        *(TOKENS, TAGS, FIELDS, MESSAGES, SYSTEM, HISTORY, GROUP, SPLIT, IDENTIFIER),
    )
    for word in words
)
_TRAIN = frozenset(_words("train training trn"))
_TEST = frozenset(_words("test testing tst heldout held_out holdout eval evaluation"))
_VALIDATION = frozenset(_words("val valid validation dev development"))


def plain(name: str) -> str:
    """A column's name as it is compared: "Question Text" is "question_text"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", apart.casefold()).strip("_") or name.strip().casefold()


def is_known(name: str) -> bool:
    """Whether columns of datasets are called so."""
    return plain(name) in _KNOWN


def pick(
    names: Sequence[str], wanted: Sequence[str], taken: frozenset[str] = frozenset()
) -> str:
    """The column that is called by the first of the wanted names; "" when none is."""
    by_plain = {plain(name): name for name in reversed(names) if name not in taken}
    return next((by_plain[one] for one in wanted if one in by_plain), "")


def side(part: str) -> Literal["train", "validation", "test", ""]:
    """Which side of a split a part's name means; "" when it means none."""
    name = plain(part)
    if name in _TRAIN:
        return "train"
    if name in _VALIDATION:
        return "validation"
    return "test" if name in _TEST else ""
