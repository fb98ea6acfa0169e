"""The scripted host's reranker: set, switched and measured in memory."""

from __future__ import annotations

import os
import time
from typing import Any

from engine.errors import InvalidInput, ModelUnavailable
from engine.work import api
from engine.work.jobs import Job

SENTENCES: dict[str, str] = {
    "gain": "Worth it: it finds the passage higher up than the search alone.",
    "loss": "Worse than the search alone: leave it off.",
}


class RerankerSide:
    """Folders named "pickled" are refused; the library "lib1" gains, others lose."""

    reranker = api.RerankerView()

    def changed(self, *what: str) -> None:
        raise NotImplementedError

    def show_reranker(self, spec: Any, job: Job) -> api.View:
        return self.reranker

    def set_reranker(self, spec: api.RerankerSpec, job: Job) -> api.View:
        job.progress(0, 1, "Loading")
        if "pickled" in spec.folder:
            raise ModelUnavailable(
                "The weights in 'pickled' are pickled: it is not opened.",
                hint="Use the model's safetensors version.",
            )
        name = os.path.basename(spec.folder)
        self.reranker = api.RerankerView(folder=spec.folder, name=name, max_tokens=512)
        self.changed("reranker")
        return self.reranker

    def switch_reranker(self, spec: api.RerankerSwitch, job: Job) -> api.View:
        if "gone" in self.reranker.folder:
            raise InvalidInput("The folder of the reranker is gone.")
        self.reranker.on = spec.on
        self.changed("reranker")
        return self.reranker

    def measure_reranker(self, spec: api.MeasureRerankerSpec, job: Job) -> api.View:
        for number in range(spec.questions):
            job.checkpoint()
            job.progress(number, spec.questions, "Searching")
            time.sleep(float(os.environ.get("MEASURE_S", "0.002")))
        won = spec.library == "lib1"
        mean = 0.12 if won else -0.12
        gain = api.Gain(mean=mean, low=mean - 0.05, high=mean + 0.05)
        verdict: api.RerankerVerdict = "gain" if won else "loss"
        measured = api.RerankerMeasurement(
            library="Clinic protocols" if won else "Site reports",
            questions=spec.questions,
            plain=api.RetrievalFigures(recall_1=0.75, recall_5=0.9, mrr=0.81, milliseconds=38),
            reranked=api.RetrievalFigures(
                recall_1=0.75 + mean, recall_5=0.9, mrr=0.81 + mean, milliseconds=940
            ),
            recall_1_gain=gain,
            recall_5_gain=api.Gain(mean=0, low=0, high=0),
            mrr_gain=gain,
            verdict=verdict,
            sentence=SENTENCES[verdict],
            measured_at="2026-05-03T14:02:00+00:00",
        )
        self.reranker.measured.insert(0, measured)
        self.reranker.on = self.reranker.on or won
        self.changed("reranker")
        return measured

    def reranker_handlers(self) -> dict[str, Any]:
        return {
            "reranker.show": self.show_reranker,
            "reranker.set": self.set_reranker,
            "reranker.switch": self.switch_reranker,
            "reranker.measure": self.measure_reranker,
        }
