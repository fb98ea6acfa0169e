from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.library.embedding import Embedder
from engine.library.known_items import KnownItem
from engine.library.libraries import Libraries
from engine.library.measuring import judge, measure_reranker
from engine.settings import load_settings
from engine.work.api import Gain, IndexSpec, MeasureRerankerSpec, RerankerMeasurement
from engine.work.jobs import NULL_JOB, CallbackJob
from tests.engine.library.conftest import WORDS, telling_prose
from tests.rerankers import WINNER

PAIRS = 24


@pytest.fixture
def rivals(libraries: Libraries, folder: Path, rerankers: Path) -> Iterator[Libraries]:
    """A note a word, which a search finds first, and one of all words, which is the winner."""
    for n, word in enumerate(WORDS[:PAIRS]):
        said = f"{word} and {word}. " * 2
        (folder / f"{n}.txt").write_text(said + f"Plain end of note {n} stands alone.")
    every = " ".join(WORDS[:PAIRS])
    (folder / "all.txt").write_text(f"The {WINNER} of all differs. {WINNER} {every}.")
    libraries.index(IndexSpec(folder=str(folder), library="rivals"))
    libraries.reranker.choose(str(rerankers / "winner"))
    yield libraries
    libraries.reranker.choose("")


def measured(libraries: Libraries, part: str, count: int = PAIRS) -> RerankerMeasurement:
    items = [
        KnownItem(
            WORDS[n],
            f"Plain end of note {n} stands" if part == "a" else f"{WINNER} of all differs",
        )
        for n in range(count)
    ]
    return measure_reranker("rivals", items, libraries.search, lambda: None, NULL_JOB)


def test_a_gain_and_a_loss_are_measured_in_real_searches(rivals: Libraries) -> None:
    gain, loss = measured(rivals, "b"), measured(rivals, "a")
    assert gain.verdict == "gain"
    assert gain.sentence.startswith("Worth it")
    assert gain.mrr_gain.low > 0
    assert gain.reranked.recall_1 > gain.plain.recall_1
    assert gain.recall_1_gain.mean == pytest.approx(
        gain.reranked.recall_1 - gain.plain.recall_1
    )
    assert loss.verdict == "loss"
    assert loss.sentence.endswith("leave it off.")
    assert loss.mrr_gain.high < 0
    for one in (gain, loss):
        assert one.questions == PAIRS
        assert one.plain.milliseconds > 0
        assert one.reranked.milliseconds > 0
        assert one.mrr_gain.low <= one.mrr_gain.mean <= one.mrr_gain.high
    assert measured(rivals, "b", 5).verdict == "too few"


def test_only_a_gain_switches_it_on_and_all_are_remembered(
    rivals: Libraries, rerankers: Path
) -> None:
    reranker = rivals.reranker
    info = reranker.info()
    loss, gain = measured(rivals, "a"), measured(rivals, "b")
    assert not reranker.keep(info, loss).on
    assert reranker.view().measured == [loss]
    view = reranker.keep(info, gain)  # measured again: the older one of this library goes
    assert view.on
    assert view.measured == [gain]
    other = loss.model_copy(update={"library": "other"})
    view = reranker.keep(info, other)
    assert view.measured == [other, gain]
    assert view.on  # what is on is the user's to turn off
    # Measured while another one was set: that one stays as it is.
    assert not reranker.choose(str(rerankers / "random")).on
    assert not reranker.keep(info, gain).on
    assert reranker.view().measured == []
    again = reranker.choose(str(rerankers / "winner"))
    assert (again.on, again.measured) == (False, [gain, other])


def test_a_library_is_measured_with_questions_of_its_own(
    libraries: Libraries, folder: Path, rerankers: Path
) -> None:
    for n in range(30):
        (folder / f"{n}.txt").write_text(telling_prose(n))
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    libraries.reranker.choose(str(rerankers / "random"))
    told: list[tuple[float, float, str]] = []
    job = CallbackJob(lambda done, total, note, eta_s: told.append((done, total, note)))
    spec = MeasureRerankerSpec(library="notes", questions=24)
    found = libraries.measure_reranker(spec, job)
    assert (found.library, found.questions) == ("notes", 24)
    assert found.plain.recall_1 > 0.5  # a search finds most of what it is asked for
    assert found.verdict == "loss"  # random numbers are no order
    assert told[0][2] == "Loading the reranker"
    assert told[-1][:2] == (24, 24)
    view = libraries.reranker.view()
    assert view.measured == [found]
    assert not view.on
    assert libraries.measure_reranker(spec).mrr_gain == found.mrr_gain  # the same questions
    libraries.reranker.choose("")


def test_a_cancelled_measurement_is_not_remembered(rivals: Libraries, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for n in range(8):
        (notes / f"{n}.txt").write_text(telling_prose(n))
    rivals.index(IndexSpec(folder=str(notes), library="notes"))

    def stop(done: float, total: float, note: str, eta_s: float | None) -> None:
        if done >= 3 and total > 1:
            job.cancel()

    job = CallbackJob(stop)
    with pytest.raises(Cancelled):
        rivals.measure_reranker(MeasureRerankerSpec(library="notes"), job)
    assert rivals.reranker.view().measured == []
    assert not load_settings(rivals.home).rerank


def test_what_cannot_be_measured_says_why(
    rivals: Libraries, rerankers: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="no library"):
        rivals.measure_reranker(MeasureRerankerSpec(library="bogus"))
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "x.txt").write_text("1 2 3")
    rivals.index(IndexSpec(folder=str(nothing), library="nothing"))
    with pytest.raises(InvalidInput, match="No question can be made"):
        rivals.measure_reranker(MeasureRerankerSpec(library="nothing"))
    copy = tmp_path / "mine"
    shutil.copytree(rerankers / "winner", copy)
    rivals.reranker.choose(str(copy))
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"no model\.safetensors"):
        rivals.measure_reranker(MeasureRerankerSpec(library="rivals"))
    rivals.reranker.choose("")
    with pytest.raises(InvalidInput, match="No reranker is set"):
        rivals.measure_reranker(MeasureRerankerSpec(library="rivals"))


def test_one_that_fails_on_the_way_is_not_measured_as_if_it_had_worked(
    rivals: Libraries, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> list[float]:
        raise ModelUnavailable("It is broken.")

    monkeypatch.setattr(embedder, "rerank", fail)
    with pytest.raises(ModelUnavailable, match=r"cannot be measured\. .*It is broken"):
        measured(rivals, "b")


@pytest.mark.parametrize(
    ("low", "high", "questions", "verdict"),
    [
        (0.01, 0.2, 60, "gain"),
        (-0.2, -0.01, 60, "loss"),
        (-0.05, 0.05, 60, "no difference"),
        (0.0, 0.0, 60, "no difference"),
        (-0.02, 0.3, 60, "no difference"),
        (-0.2, 0.2, 60, "too few"),
        (0.01, 0.2, 19, "too few"),
        (-0.2, -0.1, 1, "too few"),
    ],
)
def test_the_verdict_is_the_interval_in_words(
    low: float, high: float, questions: int, verdict: str
) -> None:
    assert judge(Gain(mean=(low + high) / 2, low=low, high=high), questions) == verdict
