"""A text longer than a model's context, read in pieces: notes on each, then on the notes.

This is hierarchical merging (Wu et al. 2021, "Recursively summarizing books with human
feedback", arXiv 2109.10862; compared with others by Chang et al. 2023, arXiv 2310.00785).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.answers import budget
from engine.answers.generation import Generated, Prompt, Task
from engine.answers.generator import Generator
from engine.answers.orders import readable
from engine.answers.prompts import Wording, build_prompt, wording
from engine.errors import Cancelled
from engine.work.api import ModelCard
from engine.work.jobs import Job

NOTE_TOKENS = 120
MOST_PIECES = 40
TIME_LIMIT_S = 600.0
"""No further piece is begun after so long; the answer says how far it came."""
_SEAM_TOKENS = 12
_SAFETY_TOKENS = 32
_MERGES = 4
_PAUSE_S = 0.02
"""Between two pieces, so that a question that waits for the model gets it."""


@dataclass
class Notes:
    """What came of reading in pieces.

    Attributes:
        pieces: how many texts each piece read so far is made of.
        planned: pieces there are.
        texts: a note on each piece read.
        answer: over all notes; "" when it did not come to that.
        ending: how the answer ended; "stopped" also when it was never begun.
    """

    planned: int
    pieces: list[int] = field(default_factory=list[int])
    texts: list[str] = field(default_factory=list[str])
    answer: str = ""
    ending: str = "stopped"
    prompt_tokens: int = 0
    generated_tokens: int = 0

    def add(self, made: Generated) -> str:
        """Count what a step cost; its text."""
        self.prompt_tokens += made.prompt_tokens
        self.generated_tokens += made.generated_tokens
        return made.text.strip()


class PieceReader:
    """Reads one text in pieces for one question.

    Args:
        generator: writes notes and answer.
        card: the model.
        question: what is asked of the whole.
        limit: tokens the answer may take.
        job: a cancel ends it with what there is.
        on_loading: called when the model has to be loaded first.
    """

    def __init__(
        self,
        generator: Generator,
        card: ModelCard,
        question: str,
        limit: int,
        job: Job,
        on_loading: Callable[[], None] | None = None,
    ) -> None:
        self._generator = generator
        self._card = card
        self._question = question
        self._limit = limit
        self._job = job
        self._on_loading = on_loading

    def read(self, texts: Sequence[str], on_token: Callable[[str], None]) -> Notes:
        """Read `texts` in order and answer over all of them.

        Args:
            texts: passages in order.
            on_token: called with each piece of the final answer.

        Raises:
            Cancelled: before there was a first note, or a first word.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: as `Generator.generate`.
        """
        begun = time.monotonic()
        cleaned = [readable(text)[0].strip() for text in texts]
        pieces = self._pieces(cleaned, wording("piece"), NOTE_TOKENS)
        notes = Notes(planned=len(pieces))
        if len(pieces) == 1:
            notes.pieces = [len(texts)]
            self._answer(pieces[0], notes, on_token)
            return notes
        try:
            for n, piece in enumerate(pieces[:MOST_PIECES], 1):
                if n > 1 and time.monotonic() - begun > TIME_LIMIT_S:
                    break
                self._job.progress(n - 1, len(pieces), f"Piece {n} of {len(pieces)}")
                note = self._note(piece, notes)
                if note is None:
                    break
                notes.texts.append(note)
                notes.pieces.append(len(piece))
            else:
                self._job.progress(len(pieces), len(pieces), "Putting the pieces together")
            self._job.checkpoint()
            self._answer(self._merged(notes), notes, on_token)
        except Cancelled:
            if not notes.texts:
                raise
        return notes

    def _note(self, piece: Sequence[str], notes: Notes) -> str | None:
        """What a piece says; None when it was stopped in the middle."""
        made = self._generate(wording("piece"), piece, NOTE_TOKENS, None)
        text = notes.add(made)
        return None if made.ending == "stopped" else text

    def _merged(self, notes: Notes) -> list[str]:
        """The notes, themselves noted down in pieces until they fit together."""
        texts = [text for text in notes.texts if text]
        for _ in range(_MERGES):
            if len(self._pieces(texts, wording("whole"), self._limit)) <= 1:
                break
            groups = self._pieces(texts, wording("piece"), NOTE_TOKENS)
            if len(groups) >= len(texts):
                break
            merged: list[str] = []
            for n, group in enumerate(groups, 1):
                self._job.progress(n - 1, len(groups), f"Notes {n} of {len(groups)}")
                note = self._note(group, notes)
                if note is None:
                    raise Cancelled()
                merged.append(note)
            texts = [text for text in merged if text]
        return texts

    def _answer(
        self, texts: Sequence[str], notes: Notes, on_token: Callable[[str], None]
    ) -> None:
        made = self._generate(wording("whole"), texts, self._limit, on_token)
        notes.answer = notes.add(made)
        notes.ending = made.ending

    def _pieces(self, texts: Sequence[str], words: Wording, limit: int) -> list[list[str]]:
        """Neighbours put together as far as the context has room, none longer than that."""
        with self._generator.using(self._card, self._job, self._on_loading) as model:
            room = self._room(model, words, limit)
            sizes = model.count_tokens(texts, self._job)
            pieces: list[list[str]] = []
            used = room + 1
            for text, size in zip(texts, sizes, strict=True):
                fitted = text
                if size + _SEAM_TOKENS > room:
                    [fitted] = self._trim(model, [text], room)
                    size = room - _SEAM_TOKENS
                if used + size + _SEAM_TOKENS > room:
                    pieces.append([])
                    used = 0
                pieces[-1].append(fitted)
                used += size + _SEAM_TOKENS
            return pieces

    def _room(self, model: Generator, words: Wording, limit: int) -> int:
        alone = model.prompt_tokens(self._prompt(words, [""]), self._job)
        return max(1, self._card.context_used - alone - limit - _SAFETY_TOKENS)

    def _trim(self, model: Generator, texts: Sequence[str], room: int) -> list[str]:
        return budget.trim(texts, room, lambda some: model.count_tokens(some, self._job))

    def _prompt(self, words: Wording, texts: Sequence[str]) -> Prompt:
        return build_prompt(words, self._question, texts, kept=0)

    def _generate(
        self,
        words: Wording,
        texts: Sequence[str],
        limit: int,
        on_token: Callable[[str], None] | None,
    ) -> Generated:
        def on_piece(text: str, weights: list[float]) -> None:
            if on_token is not None:
                on_token(text)

        time.sleep(_PAUSE_S)
        with self._generator.using(self._card, self._job, self._on_loading) as model:
            fitted = self._trim(model, texts, self._room(model, words, limit))
            prompt = self._prompt(words, [text for text in fitted if text])
            task = Task(mode="none", prompts=[prompt], max_tokens=limit)
            return model.generate(task, self._job, on_piece)
