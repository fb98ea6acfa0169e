"""The sample folder, indexed once for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engine.host.service import Engine
from engine.paths import Home, sample_dir
from engine.work import api


@dataclass(frozen=True)
class SampleLibrary:
    """An engine that holds the sample folder as a library."""

    engine: Engine
    report: api.IndexReport


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleLibrary]:
    """The indexed sample; tests must not change it."""
    with Engine(Home(tmp_path_factory.mktemp("sample") / "home")) as engine:
        report = engine.index(api.IndexSpec(folder=str(sample_dir()), library="Sample"))
        yield SampleLibrary(engine, report)
