"""Refusals calibrated on the sample folder, with the models that come with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.answers import calibrating
from engine.answers.refusing import Rule, calibrated, measured_as
from engine.host.engine import handlers
from engine.host.service import Engine
from engine.paths import Home
from engine.store import measurements
from engine.work import api
from engine.work.jobs import NULL_JOB
from tests.integration.conftest import SampleLibrary

pytestmark = pytest.mark.slow


def test_the_sample_is_calibrated_and_tells_its_own_questions_from_others(
    sample: SampleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = calibrating.questions_from_elsewhere()[::8]
    monkeypatch.setattr(calibrating, "questions_from_elsewhere", lambda: some)
    engine = sample.engine
    spec = api.CalibrateSpec(library="Sample", questions=14)
    report = handlers(engine)["libraries.calibrate"](spec, NULL_JOB)
    assert isinstance(report, api.CalibrationReport)
    assert report.kept == "measured", report.reason
    assert report.made >= 12
    assert report.elsewhere >= len(some) - 2
    assert report.auc > 0.8
    assert report.made_refused_after <= max(0.15, report.made_refused_before)
    assert report.others_refused_after > 0.6
    library = engine.libraries.find("Sample").id
    assert calibrated(engine.store, [library], report.model) != Rule()
    measurements.forget(engine.store, measured_as(library, ""))  # others share this library


def test_a_removed_library_is_forgotten(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "empty.txt").write_text("")
    with Engine(home) as engine:
        engine.index(api.IndexSpec(folder=str(folder), library="Notes"))
        library = engine.libraries.find("Notes").id
        measurements.remember(engine.store, measured_as(library, "m"), {"each": []})
        engine.remove_library(api.LibraryRef(library="Notes"))
        assert measurements.recall(engine.store, measured_as(library, "m")) is None
