"""The engine host process: `Engine` served over stdin and stdout, method by method."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from engine.errors import InvalidInput
from engine.host.doctor import examine
from engine.host.service import Engine
from engine.host.side_by_side import compare_answers
from engine.paths import default_home
from engine.store import conversations
from engine.work import api
from engine.work.jobs import Job
from engine.work.serve import Method, Server, take_stdout

_Handler = Callable[[Any, Job], api.View | None]


def handlers(engine: Engine) -> dict[str, _Handler]:
    """Every host method of `api.METHODS`: takes its parameter type, gives its result type."""
    return {
        "state": lambda spec, job: engine.state(),
        "libraries.list": lambda spec, job: engine.list_libraries(),
        "libraries.remove": lambda spec, job: engine.remove_library(spec),
        "libraries.pause": lambda spec, job: engine.pause_library(spec),
        "libraries.resume": lambda spec, job: engine.resume_library(spec),
        "libraries.rename": lambda spec, job: engine.rename_library(spec),
        "libraries.remove_root": lambda spec, job: engine.remove_root(spec),
        "libraries.retry": engine.retry,
        "libraries.calibrate": engine.calibrate,
        "libraries.facets": lambda spec, job: engine.libraries.facets(spec.library),
        "follow": lambda spec, job: engine.follow(),
        "libraries.files": lambda spec, job: engine.libraries.files(spec),
        "index": engine.index,
        "reindex": engine.reindex,
        "search": engine.search,
        "ask": engine.ask,
        "conversations.list": lambda spec, job: engine.list_conversations(),
        "conversations.show": lambda spec, job: conversations.show(
            engine.store, spec.conversation
        ),
        "conversations.remove": lambda spec, job: engine.remove_conversation(spec),
        "conversations.clear": lambda spec, job: engine.clear_conversations(),
        "conversations.rename": lambda spec, job: engine.rename_conversation(spec),
        "conversations.search": lambda spec, job: engine.search_conversations(spec),
        "conversations.export": lambda spec, job: engine.export_conversation(spec),
        "conversations.feedback": lambda spec, job: engine.give_feedback(spec),
        "conversations.version": lambda spec, job: engine.answer_version(spec),
        "presets.list": lambda spec, job: engine.list_presets(),
        "presets.save": lambda spec, job: engine.save_preset(spec),
        "presets.remove": lambda spec, job: engine.remove_preset(spec),
        "storage": lambda spec, job: engine.storage(),
        "states.clear": lambda spec, job: engine.clear_states(),
        "view": engine.view,
        "models.list": lambda spec, job: api.ModelList(models=engine.models.list()),
        "models.add": engine.add_model,
        "models.remove": lambda spec, job: engine.remove_model(spec),
        "models.default": lambda spec, job: engine.set_default_model(spec),
        "models.gpu_layers": lambda spec, job: engine.set_gpu_layers(spec),
        "models.warm": lambda spec, job: engine.warm(job),
        "adapters.list": lambda spec, job: engine.adapters.list(),
        "adapters.rename": lambda spec, job: engine.adapters.rename(spec),
        "adapters.remove": lambda spec, job: engine.adapters.remove(spec),
        "adapters.enable": lambda spec, job: engine.adapters.enable(spec),
        "adapters.import": lambda spec, job: engine.adapters.import_file(spec, job),
        "adapters.export": lambda spec, job: engine.adapters.export(spec, job),
        "adapters.compare": lambda spec, job: compare_answers(engine, spec, job),
        "reranker.show": lambda spec, job: engine.libraries.reranker.view(),
        "reranker.set": engine.set_reranker,
        "reranker.switch": lambda spec, job: engine.switch_reranker(spec),
        "reranker.measure": engine.measure_reranker,
        "datasets.list": lambda spec, job: engine.datasets.list(),
        "datasets.show": lambda spec, job: engine.datasets.show(spec),
        "datasets.preview": engine.preview_examples,
        "datasets.import": engine.import_examples,
        "datasets.make": engine.make_examples,
        "datasets.check": engine.check_examples,
        "datasets.rows": lambda spec, job: engine.datasets.rows(spec),
        "datasets.edit_row": lambda spec, job: engine.datasets.edit_row(spec),
        "datasets.rename": lambda spec, job: engine.datasets.rename(spec),
        "datasets.remove": lambda spec, job: engine.datasets.remove(spec),
        "datasets.from_feedback": lambda spec, job: engine.datasets.from_feedback(spec),
        "tune.plan": lambda spec, job: engine.tuning.plan(spec, job),
        "tune.start": lambda spec, job: engine.tuning.start(spec),
        "runs.list": lambda spec, job: engine.tuning.list(),
        "runs.show": lambda spec, job: engine.tuning.show(spec),
        "runs.pause": lambda spec, job: engine.tuning.pause(spec, job),
        "runs.resume": lambda spec, job: engine.tuning.resume(spec),
        "runs.stop": lambda spec, job: engine.tuning.stop(spec, job),
        "runs.remove": lambda spec, job: engine.tuning.remove(spec),
        "exams.list": lambda spec, job: engine.exams.list(),
        "exams.show": lambda spec, job: engine.exams.show(spec),
        "exams.import": engine.import_exam,
        "exams.make": lambda spec, job: engine.exams.make(spec),
        "exams.remove": lambda spec, job: engine.exams.remove(spec),
        "compare.run": engine.compare,
        "compare.rows": lambda spec, job: engine.comparing.rows(spec),
        "doctor": lambda spec, job: examine(engine, job),
    }


def typed(name: str, handler: _Handler) -> Method:
    """Check parameters on the way in and give plain JSON on the way out."""

    def method(params: dict[str, Any], job: Job) -> Any:
        try:
            spec = api.parse_params(name, params)
        except ValidationError as error:
            raise InvalidInput(
                "The request was not understood.", details=f"{name}: {error}"
            ) from error
        result = handler(spec, job)
        return (result or api.Empty()).model_dump(mode="json")

    return method


def main() -> None:
    """Serve the default home until the window closes the pipe."""
    channel = take_stdout()
    home = default_home()
    server: Server | None = None

    def tell(method: str, params: dict[str, Any]) -> None:
        if server is not None:
            server.notify(method, params)

    engine = Engine(
        home,
        on_worker=lambda event: tell("worker", event.model_dump()),
        on_changed=lambda what: tell("changed", {"what": cast("list[Any]", what)}),
        on_indexing=lambda event: tell("indexing", event.model_dump(mode="json")),
    )
    methods = {name: typed(name, handler) for name, handler in handlers(engine).items()}
    server = Server(methods, sys.stdin.buffer, channel)
    with engine:
        server.run()


if __name__ == "__main__":
    main()
