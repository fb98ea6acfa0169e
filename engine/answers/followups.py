"""Follow-up questions made to stand alone: "And for meals?" carries the words it leans on.

A question that leans on the conversation (a pronoun without its noun, "what about …", hardly
a word of its own) is searched for together with the terms of the questions before it, and
the names of the last answer when it asks after a person. The terms stand in brackets behind
the question, which itself stays word for word, so nothing asked can get lost or be invented.

Having the model rewrite the question instead was measured on both small models and lost:
see docs/adr/0016.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.answers.prompts import Exchange
from engine.answers.sentences import sentence_spans
from engine.answers.words import STOP_WORDS, tokenize

TURNS = 3
"""How many questions back a chain of follow-ups is traced."""
MAX_TERMS = 8
"""Words added at most."""
OWN_WORDS = 2
"""A question with no more content words than this leans on what came before."""
POINTER_WORDS = 6
"""In a question with more content words than this a pronoun has its noun beside it."""
MAX_CHARACTERS = 2_000
"""Of each question and answer, what is looked at."""
_NAMES = 2
_UNSPACED = ("\u0e00", "\ud7af")
"""Thai to Hangul, CJK and kana between them."""

_POINTER = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|themselves|he|him|his|himself|she|hers?|"
    r"herself|these|those|ones|both|former|latter|such(?! as\b)|"
    r"this(?! (?:year|month|week|morning|evening|afternoon|summer|winter|spring|autumn)\b)|"
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )there"
    r"(?! (?:is|are|was|were|will|has|have)\b)|"
    r"(?:which|this|that|another|other|same|first|last|second) one|one(?=\W*$)|"
    r"(?:about|for|of|like|to|do|does|did|by|with|in|from|is|was|mean|after|before) that|"
    r"that(?= (?:is|was|does|did|has|can|will|would|mean\w*|work\w*|happen\w*)\b|\W*$))\b",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|him|his|she|hers?|they|them|their)\b", re.IGNORECASE)
_GOES_ON = re.compile(
    r"^\W*(?:and|but|or|so|then|also|no|yes|(?:what|how) about|i mean|i meant|why not|"
    r"what else|any(?:thing)? (?:else|other|more))\b",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"^\W*(?:what|who)(?:['’]s| is| are| was| were)\s+(?:an?\s+)?"
    r"(?!(?:the|this|that|these|those|my|your|our|an?|it|its|some|any)\b)[\w'’ -]{2,60}\W*$",
    re.IGNORECASE,
)
_CHUNK = re.compile(r"\d[\w.,:/%-]*\w|[^\W_][\w'’.&-]*[^\W_]|[^\W_]|[^\s\w]|_")
_NAME = re.compile(
    r"\b[A-Z][\w'’&-]*\w(?:\s+(?:of|the|and|de|van|von)(?=\s+[A-Z])|\s+[A-Z][\w'’&.-]*\w|\s+\d+)*"
)
_PLAIN = (
    "tell know want like please thank thanks example examples more much many long often"
    " kind kinds type types way ways need help explain describe mean means meant meaning"
    " list information info detail details think give show find thing things work works"
    " happen happens difference different another else too just still really actually hi"
    " hello good great am me my mine us them get gets got getting go goes going make makes"
    " made see say said use used using come came take took put try keep ask asked asking"
    " because through if sure okay ok yeah sorry now today"
)


def _keys(text: str) -> list[str]:
    return [token.key for token in tokenize(text)]


_SAYS_NOTHING = STOP_WORDS | frozenset(_keys(_PLAIN))


def standalone(question: str, turns: Sequence[Exchange]) -> str:
    """The question as it can be searched for by itself.

    Args:
        question: as the user asked it.
        turns: earlier questions and answers, oldest first; an answer may be empty.

    Gives `question` itself when it does not lean on anything, or nothing can be added.
    """
    if not turns or not leans(question):
        return question
    terms = carried(question, turns)
    return f"{question.strip()} ({', '.join(terms)})" if terms else question


def query(question: str, standalone: str) -> str:
    """What is searched for: the question's own words count twice, those carried once.

    Otherwise a short question is outweighed by what it carries, and finds again what the
    question before it found.
    """
    return standalone if standalone == question else f"{question.strip()} {standalone}"


def subject(question: str, standalone: str) -> str:
    """The text that says what an answer has to speak of.

    The question's own words where it has any: what it carries from before stands in many
    places of a document that do not answer it.
    """
    return question if _own(question[:MAX_CHARACTERS]) else standalone


def leans(question: str) -> bool:
    """Whether a question can hardly be understood without what was said before it."""
    text = question[:MAX_CHARACTERS]
    if _GOES_ON.search(text):
        return True
    words = sum(map(_weight, _own(text)))
    if _POINTER.search(text):
        return words <= POINTER_WORDS
    return words <= OWN_WORDS and not _DEFINITION.match(text)


def carried(question: str, turns: Sequence[Exchange]) -> list[str]:
    """The terms of the conversation that a leaning question is asked with, nearest first."""
    known = set(_own(question))
    terms: list[str] = []
    room = MAX_TERMS
    if _PERSON.search(question) and turns:
        for name in _names(turns[-1].answer[:MAX_CHARACTERS], known):
            terms.append(name)
            room -= len(name.split())
    for turn in reversed(turns[-TURNS:]):
        for phrase in _phrases(turn.question[:MAX_CHARACTERS], known):
            size = len(phrase.split())
            if size <= room:
                terms.append(phrase)
                room -= size
        # A question that stands by itself names its subject: no need to look further back.
        if not leans(turn.question):
            break
    return terms


def _own(text: str) -> list[str]:
    """Keys of the words that say something."""
    return [key for key in _keys(text) if key not in _SAYS_NOTHING]


def _weight(key: str) -> int:
    """How many words a key stands for: scripts without spaces run a sentence into one."""
    unspaced = sum(_UNSPACED[0] <= letter <= _UNSPACED[1] for letter in key)
    return max(1, unspaced // 2)


def _phrases(text: str, known: set[str]) -> Iterator[str]:
    """Runs of words that say something and are not in `known`, which takes them in."""
    run: list[str] = []
    for found in _CHUNK.finditer(text):
        word = found.group()
        keys = _keys(word)
        fresh = [key for key in keys if key not in _SAYS_NOTHING and key not in known]
        if fresh:
            known.update(fresh)
            run.append(word)
        elif run:
            yield " ".join(run)
            run = []
    if run:
        yield " ".join(run)


def _names(answer: str, known: set[str]) -> list[str]:
    """The first names in an answer that are not known yet."""
    found: list[str] = []
    for span in sentence_spans(answer):
        sentence = answer[span.start : span.end]
        for match in _NAME.finditer(sentence):
            keys = set(_own(match.group()))
            # A single capital at the beginning of a sentence is no sign of a name.
            if not keys or keys <= known or (match.start() == 0 and " " not in match.group()):
                continue
            known |= keys
            found.append(match.group())
            if len(found) == _NAMES:
                return found
    return found
