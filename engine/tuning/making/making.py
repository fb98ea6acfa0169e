"""Examples made from a library: drawn, written by a model, judged, searched for, kept.

First a sample of passages is tried and the yield is said: a model that is too weak ends there
with a plain word instead of rubbish. Beside the questions that a passage answers there are
some that nothing answers: the same ones asked of the library without their document, and
questions from elsewhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.answers.calibrating import SUSPICIOUS_COSINE, questions_from_elsewhere
from engine.answers.fitting import passage_text
from engine.answers.generator import Generator
from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.library.drawing import DrawnPassage
from engine.paths import Home
from engine.store.ledger import PASSAGES_PER_CONTENT
from engine.tuning.datasets.types import Example
from engine.tuning.making import asking, judging
from engine.tuning.making.judging import FLAWS, SENTENCES, Flaw
from engine.tuning.making.keeping import Kept, kept_for
from engine.work.api import (
    LibraryView,
    MadeSample,
    MakeExamplesSpec,
    ModelCard,
    PassageHit,
    Ranks,
    SearchReport,
    SearchSpec,
)
from engine.work.idle import Idle
from engine.work.jobs import Job
from engine.work.lease import CoreLease

SAMPLE = 12
"""Passages that are tried before it is said whether it is worth going on."""
FEWEST_USABLE = 1 / 3
FOUND_AMONG = 5
REFUSAL = "The text does not say."
"""What is right where a passage holds no answer."""
_TRIES_EACH = 12
"""Passages drawn for each example wanted, at most."""
_MORE = 40
"""Passages that are looked through for those of other documents."""
_AT_ONCE = 64
_NOTE = "Making examples"


@dataclass(frozen=True)
class Means:
    """What making works with.

    Attributes:
        home: where steps are kept.
        generator: writes.
        search: finds passages.
        draw: ids of passages by lot: library, how many, seed.
        drawn: passages by their ids.
        lease: every search lets whoever has a question of his own go first.
        idle: so does every step.
    """

    home: Home
    generator: Generator
    search: Callable[[SearchSpec, Job], SearchReport]
    draw: Callable[[str, int, int], Sequence[int]]
    drawn: Callable[[str, Sequence[int]], Sequence[DrawnPassage]]
    lease: CoreLease
    idle: Idle


@dataclass
class Made:
    """What came of it. `usable` of the `tried` passages gave an example."""

    examples: list[Example] = field(default_factory=list[Example])
    tried: int = 0
    usable: int = 0
    unanswerable: int = 0
    flaws: Counter[Flaw] = field(default_factory=Counter[Flaw])
    sample: MadeSample | None = None


def make_examples(
    means: Means,
    view: LibraryView,
    card: ModelCard,
    spec: MakeExamplesSpec,
    job: Job,
    keep: Callable[[Made], None],
) -> Made:
    """Make questions and answers; each step that is done is not done again by a later call.

    Args:
        means: what it works with.
        view: the library.
        card: the model.
        spec: how many and how.
        job: told of every passage, and of the sample as an event "sample"; can cancel.
        keep: stores the finished examples; only after it the steps are forgotten.

    Raises:
        InvalidInput: the library has no passage with a whole sentence.
        ModelUnavailable: the model is too weak; what it made is kept for a call with `anyway`.
        LibraryOutdated, StorageDamaged: the library cannot be searched.
        NotEnoughMemory, WorkerCrashed: a model cannot be run.
        StorageFull: no room; the steps before are kept.
        LibraryBusy: another process makes the same examples.
        Cancelled: `job` was cancelled; what was made is kept for the next call.
    """
    mark = {
        "version": 1,
        "wording": asking.wording_version(),
        "model": card.sha256,
        "embedder": view.embedder,
        "seed": spec.seed,
    }
    key = f"{card.sha256[:12]}-{spec.seed}"
    with kept_for(means.home, view.id, key, mark) as kept:
        one = _Making(means, view, card, spec, kept, job)
        made = one.make()
        keep(made)
        kept.remove()
    return made


class _Making:
    def __init__(
        self,
        means: Means,
        view: LibraryView,
        card: ModelCard,
        spec: MakeExamplesSpec,
        kept: Kept,
        job: Job,
    ) -> None:
        self._means = means
        self._view = view
        self._card = card
        self._spec = spec
        self._kept = kept
        self._job = job
        self._made = Made()
        self._wanted = round(spec.count * spec.unanswerable)
        """Questions without an answer."""

    def make(self) -> Made:
        made = self._made
        for passage in self._passages():
            if made.usable >= self._spec.count and made.tried >= SAMPLE:
                break
            self._take(passage)
            if made.tried == SAMPLE:
                self._judge_sample()
        if not made.tried:
            raise InvalidInput(
                "No passage of this library has a whole sentence to ask about.",
                hint="Choose a library with running text.",
            )
        if made.sample is None:
            self._judge_sample()
        made.examples = made.examples[: self._spec.count]
        self._add_unanswerable()
        made.examples = [
            one.model_copy(update={"id": str(number)})
            for number, one in enumerate(made.examples, 1)
        ]
        return made

    def _passages(self) -> Iterator[DrawnPassage]:
        """By lot, without those that have no sentence to quote."""
        most = max(SAMPLE, _TRIES_EACH * self._spec.count)
        ids = self._means.draw(self._view.id, most, self._spec.seed)
        for start in range(0, len(ids), _AT_ONCE):
            yield from (
                passage
                for passage in self._means.drawn(self._view.id, ids[start : start + _AT_ONCE])
                if asking.quotable(passage.text)
            )

    # --- a passage ----------------------------------------------------------------------

    def _take(self, passage: DrawnPassage) -> None:
        """Try one passage, and count what came of it."""
        made = self._made
        self._tell(f"{_NOTE}: {made.usable} of {made.tried} passages gave one")
        step = f"passage {passage.passage_id}"
        gave = self._kept.get(step)
        if gave is None:
            gave = self._kept.add(
                step, self._means.idle.take_step(lambda job: self._try(passage, job), self._job)
            )
        made.tried += 1
        flaw: Flaw | None = gave.get("flaw")
        if flaw is None:
            example = Example.model_validate(gave["example"])
            if not judging.repeats(example.input, [one.input for one in made.examples]):
                made.examples.append(example)
                made.usable += 1
                return
            flaw = "duplicate"
        made.flaws[flaw] += 1

    def _try(self, passage: DrawnPassage, job: Job) -> dict[str, Any]:
        """An example from a passage, or its flaw."""
        hit = _hit(passage, self._view.id)
        text = passage_text(hit)
        # What was left out as an order to the model is no evidence either.
        quotes = asking.quotable(text)
        if not quotes:
            return {"flaw": "quote"}
        made = self._write(text, quotes, job)
        if made is None:
            return {"flaw": "too long"}
        written = asking.read(made)
        if written is None:
            return {"flaw": "form", "wrote": made}
        flaw = judging.flaw_of(written, hit)
        if flaw is None:
            hits = self._found(written.question, FOUND_AMONG, job)
            if judging.finds(hits, passage.passage_id, passage.text):
                return {"example": self._example(passage, text, written).model_dump()}
            flaw = "not found"
        return {"flaw": flaw, "wrote": made}

    def _write(self, text: str, quotes: Sequence[str], job: Job) -> str | None:
        """What the model writes about a text; None when that does not fit into its context."""
        task = asking.task_for(text, quotes)
        with self._means.generator.using(self._card, job) as model:
            try:
                made = model.generate(task, job, purpose="batch")
            except InvalidInput:
                return None
        if made.ending == "stopped":
            raise Cancelled()
        return made.text

    def _found(self, question: str, top: int, job: Job) -> list[PassageHit]:
        with self._means.lease.hold("batch", job):
            pass
        spec = SearchSpec(query=question, library=self._view.id, top=top)
        return self._means.search(spec, job).passages

    def _example(self, passage: DrawnPassage, text: str, written: asking.Written) -> Example:
        return Example(
            id="",
            input=written.question,
            output=written.answer,
            context=text,
            group=passage.path,
            source={
                "library": self._view.id,
                "path": passage.path,
                "sha256": passage.sha256,
                "passage": passage.passage_id,
                "page": passage.page,
                "quote": written.quote,
                "model": self._card.id,
                "answerable": True,
            },
        )

    # --- the sample ---------------------------------------------------------------------

    def _judge_sample(self) -> None:
        """Say the yield, and end here when it is too small."""
        made = self._made
        weak = made.usable < FEWEST_USABLE * made.tried
        sentence = yield_sentence(made, self._card.name, weak)
        made.sample = MadeSample(
            tried=made.tried, usable=made.usable, weak=weak, sentence=sentence
        )
        self._job.emit("sample", made.sample.model_dump())
        if not made.usable or (weak and not self._spec.anyway):
            raise ModelUnavailable(
                sentence,
                hint="Examples in a file can be imported instead.",
                details=", ".join(f"{flaw}: {made.flaws[flaw]}" for flaw in FLAWS),
            )

    # --- questions that nothing answers -----------------------------------------------------

    def _add_unanswerable(self) -> None:
        answered = list(self._made.examples)
        elsewhere = list(questions_from_elsewhere())
        random.Random(self._spec.seed).shuffle(elsewhere)
        for example in _spread(
            answered, max(self._wanted - len(elsewhere), (self._wanted + 1) // 2)
        ):
            step = f"without {example.source['passage']}"
            self._add_step(step, lambda job, example=example: self._without(example, job))
        for question in elsewhere:
            self._add_step(
                f"elsewhere {question}",
                lambda job, question=question: self._elsewhere(question, job),
            )

    def _add_step(self, step: str, ask: Callable[[Job], Example | None]) -> None:
        if self._made.unanswerable >= self._wanted:
            return
        self._tell(f"{_NOTE}: questions that nothing answers")

        def run(job: Job) -> dict[str, Any]:
            example = ask(job)
            return {"example": None if example is None else example.model_dump()}

        gave = self._kept.get(step)
        if gave is None:
            gave = self._kept.add(step, self._means.idle.take_step(run, self._job))
        if gave["example"] is not None:
            self._made.examples.append(Example.model_validate(gave["example"]))
            self._made.unanswerable += 1

    def _without(self, example: Example, job: Job) -> Example | None:
        """The same question over the best passage of another document."""
        source = example.source
        written = asking.Written(source["quote"], example.input, example.output)
        content = int(source["passage"]) // PASSAGES_PER_CONTENT
        for hit in self._found(example.input, _MORE, job):
            other = hit.passage_id // PASSAGES_PER_CONTENT != content
            if other and not judging.answers(hit, written):
                return self._unanswered(example.input, hit, example.group, "without")
        return None

    def _elsewhere(self, question: str, job: Job) -> Example | None:
        """A question from elsewhere over the passage that looks most like an answer."""
        hits = self._found(question, 1, job)
        if not hits or (hits[0].cosine or 0.0) >= SUSPICIOUS_COSINE:
            return None
        return self._unanswered(question, hits[0], hits[0].path, "elsewhere")

    def _unanswered(self, question: str, hit: PassageHit, group: str, kind: str) -> Example:
        return Example(
            id="",
            input=question,
            output=REFUSAL,
            context=passage_text(hit),
            group=group,
            source={
                "library": self._view.id,
                "path": hit.path,
                "passage": hit.passage_id,
                "page": hit.page,
                "unanswerable": kind,
                "answerable": False,
            },
        )

    def _tell(self, note: str) -> None:
        """Say how far it is; here a cancel ends it, with all that was made kept."""
        self._job.checkpoint()
        made = self._made
        done = min(made.usable, self._spec.count) + made.unanswerable
        self._job.progress(done, self._spec.count + self._wanted, note)


def yield_sentence(made: Made, model: str, weak: bool) -> str:
    """How many passages gave an example, and what most of the others gave instead."""
    said = f"{made.usable} of {made.tried} passages gave a usable example"
    worst = made.flaws.most_common(1)
    if not weak:
        return f"{said}."
    if worst and worst[0][0] == "not found":
        return (
            f"{said}: most questions did not find their passage again. {model} asks too "
            "loosely for this library: choose a larger model."
        )
    return f"{said}; {model} is too weak: choose a larger model."


def flaw_sentences(flaws: Counter[Flaw]) -> list[str]:
    """What those that were left out did, the most frequent first."""
    return [f"{count} {SENTENCES[flaw]}." for flaw, count in flaws.most_common()]


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    """`count` of the examples, evenly from first to last."""
    size = len(examples)
    chosen = {at * size // count for at in range(min(count, size))} if count else set[int]()
    return [examples[at] for at in sorted(chosen)]


def _hit(passage: DrawnPassage, library: str) -> PassageHit:
    return PassageHit(
        passage_id=passage.passage_id,
        file_id=0,
        path=passage.path,
        title="",
        heading=passage.heading,
        page=passage.page,
        text=passage.text,
        start=0,
        end=len(passage.text),
        score=0.0,
        ranks=Ranks(),
        library=library,
        header=passage.header,
    )
