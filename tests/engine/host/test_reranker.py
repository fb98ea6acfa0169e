"""The reranker as the window meets it: the host's methods, and who is told of a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import Cancelled, InvalidInput
from engine.host.engine import handlers, typed
from engine.host.service import Engine
from engine.paths import Home
from engine.work.jobs import NULL_JOB, CallbackJob


def test_the_window_can_set_switch_and_measure_it(home: Home, rerankers: Path) -> None:
    told: list[list[str]] = []
    with Engine(home, on_changed=told.append) as engine:
        methods = {name: typed(name, handler) for name, handler in handlers(engine).items()}

        def call(name: str, job: Any = NULL_JOB, **params: Any) -> Any:
            return methods[f"reranker.{name}"](params, job)

        assert call("show")["folder"] == ""
        folder = str(rerankers / "random")
        seen: list[str] = []
        job = CallbackJob(lambda done, total, note, eta_s: seen.append(note))
        assert call("set", job, folder=folder)["name"] == "random"
        assert seen[0] == "Loading random"
        assert told.pop() == ["reranker"]
        assert call("switch", on=True)["on"] is True
        assert told.pop() == ["reranker"]
        engine.libraries.reranker.warm()
        with pytest.raises(InvalidInput, match="There is no library"):
            call("measure", library="bogus")
        with pytest.raises(InvalidInput, match="not understood"):
            call("measure", library="bogus", questions=0)
        assert told == []
        job = CallbackJob()
        job.cancel()
        with pytest.raises(Cancelled):
            call("set", job, folder=str(rerankers / "winner"))
        assert call("show")["folder"] == folder
        assert call("set", folder="")["on"] is False
        assert told.pop() == ["reranker"]
