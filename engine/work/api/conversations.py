"""Conversations and presets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.answers import AnswerReport
from engine.work.api.base import View
from engine.work.api.search import Filter


class ConversationRow(View):
    id: str
    title: str
    library: str
    updated_at: str
    turns: int
    libraries: list[str] = Field(default_factory=list[str])
    """Ids of all its libraries, `library` first."""
    preset: str = ""


class ConversationList(View):
    conversations: list[ConversationRow]


class ConversationRef(View):
    conversation: str


class Conversation(View):
    id: str
    title: str
    library: str
    turns: list[AnswerReport]
    libraries: list[str] = Field(default_factory=list[str])
    filter: Filter = Filter()
    preset: str = ""


class ConversationQuery(View):
    """Search titles, questions and answers by their words."""

    query: str
    limit: int = 50


class ConversationHit(View):
    """A turn that was found; `turn` 0 when only the title matched."""

    conversation: str
    title: str
    turn: int
    snippet: str
    """Some words around the first match; the matches stand between U+2068 and U+2069."""
    updated_at: str


class ConversationHits(View):
    hits: list[ConversationHit]


class RenameConversationSpec(View):
    conversation: str
    title: str


class ExportSpec(View):
    """A conversation as a file others can read."""

    conversation: str
    format: Literal["md", "html", "json"] = "md"


class Exported(View):
    """The text of an export and a file name for it."""

    name: str
    text: str


class FeedbackSpec(View):
    """Thumbs up, down, or neither; a correction is kept for tuning."""

    conversation: str
    turn: int
    verdict: Literal["up", "down", "none"]
    correction: str = ""


class VersionSpec(View):
    """An earlier answer of a turn; `version` from 1, the oldest."""

    conversation: str
    turn: int
    version: int


class Preset(View):
    """A system prompt under a name. Built-in ones cannot be changed, only copied."""

    id: str
    name: str
    system: str
    builtin: bool = False


class PresetList(View):
    presets: list[Preset]


class SavePresetSpec(View):
    """`id` None makes a new one."""

    id: str | None = None
    name: str
    system: str


class PresetRef(View):
    preset: str
