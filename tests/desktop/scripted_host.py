"""A host with canned answers: a real child process speaking the real protocol, for tests.

It stands in for the engine only where a test needs exact timing or a certain misfortune;
`tests/desktop/test_real_host.py` drives the same window over the real one. The question
asked says what shall happen: "crash", "rubbish", "hang", "fail", "long", "hostile".
"""

from __future__ import annotations

import base64
import os
import struct
import sys
import threading
import time
import zlib
from typing import Any

from engine.errors import Cancelled, ModelUnavailable, UnreadableDocument
from engine.work import api
from engine.work.jobs import Job
from engine.work.serve import Server, take_stdout
from tests.desktop.scripted_answers import APART, GUESS, shaped
from tests.desktop.scripted_conversations import ConversationSide, moment
from tests.desktop.scripted_library import LibrarySide
from tests.desktop.scripted_reranker import RerankerSide
from tests.desktop.scripted_tuning import TuningSide

HOSTILE = (
    "evil\u202efdp.exe <b>bold</b> <img src=x> \x1b[31m "
    "z\u0335\u0321\u0322\u0323\u0324\u0325.pdf"
)
ANSWER = (
    "The maximum daily dose for adults with **eGFR 30–44** is **1,000 mg**, split in two [1]. "
    "Below 30 the drug is stopped [1], and treatment should not be *started* between 30 and 44 "
    "[2].\n\n| eGFR | Maximum per day | Check every |\n|---|---|---|\n"
    "| ≥ 60 | 3,000 mg | 12 months |\n"
    "| 45–59 | 2,000 mg | 6 months |\n| 30–44 | 1,000 mg | 3 months |\n\n"
    "The site protocol repeats this limit but adds a lab check one week after any contrast "
    "scan [3]."
)


def png(width: int, height: int) -> str:
    """A white page with grey lines, as base64 PNG."""
    blank = b"\x00" + b"\xff" * width
    line = b"\x00" + b"\xff" * 60 + b"\xb8" * (width - 120) + b"\xff" * 60
    rows = b"".join(
        line if y % 24 in (8, 9, 10) and 80 < y < height - 80 else blank for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()


def library(
    number: int, name: str, files: int, state: str = "ready", root: str = ""
) -> api.LibraryView:
    return api.LibraryView.model_validate(
        {
            "id": f"lib{number}",
            "name": name,
            "roots": [root or f"/home/ada/{name}"],
            "files": files,
            "skipped": 3,
            "waiting": 0,
            "passages": files * 21,
            "size_bytes": files * 180_000,
            "state": state,
            "embedder": "all-MiniLM-L6-v2",
            "updated_at": "2026-05-03T14:02:00+00:00",
        }
    )


def model(number: int, name: str, default: bool, fits: bool = True) -> api.ModelCard:
    return api.ModelCard(
        id=f"model{number}",
        name=name,
        path=f"/models/{name}.gguf",
        architecture="qwen2" if number else "llama",
        parameters=1_543_000_000 if number else 135_000_000,
        quantization="Q4_K_M",
        size_bytes=986_000_000 if number else 98_362_432,
        context=32_768 if number else 2_048,
        license="apache-2.0",
        chat_template=bool(number),
        sha256="0" * 64,
        source="added" if number else "starter",
        default=default,
        layers=28,
        gpu_layers=0,
        memory_bytes=1_100_000_000 if fits else 64_000_000_000,
        context_used=4_096,
        memory_available_bytes=16_000_000_000,
        fits=fits,
    )


PASSAGES = [
    (
        "Metformin-SOP-v7.pdf",
        12,
        "4 Dosing › 4.2 Renal dosing",
        "For adults with an eGFR of 30 to 44 the total daily dose must not exceed 1,000 mg, "
        "given in two doses.",
    ),
    (
        "Diabetes-guideline-2024.pdf",
        31,
        "Table 6",
        "Do not start metformin in patients whose eGFR lies between 30 and 44.",
    ),
    (
        "Site-protocol-Nairobi.docx",
        None,
        "3 Imaging",
        "Repeat creatinine one week after iodinated contrast.",
    ),
]
QUOTES = [
    "eGFR of 30 to 44 the total daily dose must not exceed 1,000 mg",
    "Do not start metformin",
    "one week after",
]


def hit(number: int, name: str, page: int | None, heading: str, text: str) -> api.PassageHit:
    return api.PassageHit(
        passage_id=number,
        file_id=number,
        path=f"/home/ada/Clinic protocols/{name}",
        title=name,
        heading=heading,
        page=page,
        text=text,
        start=100 * number,
        end=100 * number + len(text),
        score=1 / (number + 1),
        ranks=api.Ranks(dense=number + 1, keyword=number + 1),
    )


class Host(LibrarySide, ConversationSide, RerankerSide, TuningSide):
    """Everything the window can ask, answered from memory."""

    hostile = HOSTILE

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: Server | None = None
        self.channel: Any = None
        full = os.environ.get("SCRIPT", "full") == "full"
        self.libraries = (
            [
                library(1, "Clinic protocols", 412),
                library(2, "Site reports", 1038),
                library(3, "Contracts", 96),
            ]
            if full
            else []
        )
        self.models = [model(1, "Qwen2.5 1.5B", True), model(0, "SmolLM2 135M", False)]
        titles = [
            "Max dose in renal impairment?",
            "Who signs off a deviation?",
            "Freezer excursion limits",
            "Consent form changes 2025 in all of our sites",
        ]
        self.conversations = (
            [
                api.ConversationRow(
                    id=f"c{i}",
                    title=title,
                    library="lib1",
                    libraries=["lib1"],
                    updated_at=moment(i),
                    turns=1,
                )
                for i, title in enumerate(titles)
            ]
            if full
            else []
        )
        first = "What is the maximum metformin dose for a patient with an eGFR of 38?"
        self.turns = {row.id: [report(first, ANSWER, row.id)] for row in self.conversations}
        for turns in self.turns.values():
            turns[0].turn, turns[0].libraries = 1, ["lib1"]

        self.passages = [hit(i, *p) for i, p in enumerate(PASSAGES)]
        self.begin_conversations()
        self.begin_tuning(full)

    def changed(self, *what: str) -> None:
        assert self.server is not None
        self.server.notify("changed", {"what": list(what)})

    def notify(self, method: str, params: dict[str, Any]) -> None:
        assert self.server is not None
        self.server.notify(method, params)

    def state(self, spec: Any, job: Job) -> api.View:
        return api.HostState(
            version="0.1.0",
            protocol=1,
            libraries=self.libraries,
            models=self.models,
            conversations=self.conversations,
            indexing=[],
            sample_folder=os.environ.get("SAMPLE", "/sample"),
        )

    def index(self, spec: api.IndexSpec, job: Job) -> api.View:
        name = spec.library or os.path.basename(spec.folder.rstrip("/"))
        known = next((view for view in self.libraries if name in (view.name, view.id)), None)
        number = len(self.libraries) + 1
        view = known or library(number, name, 0, "indexing", spec.folder)
        if known is None:
            self.libraries.append(view)
        elif spec.folder not in view.roots:
            view.roots.append(spec.folder)
        job.emit("library", {"id": view.id})
        steps = int(os.environ.get("STEPS", "20"))
        for step in range(steps):
            job.checkpoint()
            if view.following == "paused":
                raise Cancelled()
            view.files, view.passages = step, step * 21
            job.progress(step, steps, f"report-{step:03}.pdf")
            if step % 5 == 0:
                job.emit("stored", {})
                self.changed("libraries")
            time.sleep(float(os.environ.get("STEP_S", "0.02")))
        view.state, view.files = "ready", steps
        skipped = [api.SkippedFile(path="/x/broken.pdf", reason="The file is damaged.")]
        self.changed("libraries")
        return api.IndexReport(
            library=view.name,
            library_id=view.id,
            files=api.FileCounts(indexed=steps, skipped=skipped),
            passages=view.passages,
            seconds=1.5,
            passages_per_second=40,
        )

    def reindex(self, spec: api.LibraryRef, job: Job) -> api.View:
        return self.index(api.IndexSpec(folder="/again", library=spec.library), job)

    def remove(self, spec: api.LibraryRef, job: Job) -> api.View:
        self.libraries = [view for view in self.libraries if view.id != spec.library]
        self.changed("libraries")
        return api.Empty()

    def ask(self, spec: api.AskSpec, job: Job) -> api.View:
        question = spec.question
        if rewritten := self.rewritten(spec):
            job.emit("rewritten", {"question": rewritten})
        job.emit(
            "sources",
            {"passages": [hit(i, *p).model_dump(mode="json") for i, p in enumerate(PASSAGES)]},
        )
        if question == "crash":
            print("a native library says goodbye", file=sys.stderr, flush=True)
            os._exit(9)
        if question == "rubbish":
            self.channel.write(b"what is this\n")
        if question == "fail":
            raise ModelUnavailable(
                "The model file is gone.",
                hint="Choose another model.",
                details="ENOENT <b>x</b>",
            )
        job.emit("loading", {"model": "Qwen2.5 1.5B"})
        while question in ("hang", "rubbish"):
            job.checkpoint()
            time.sleep(0.02)
        text = ANSWER
        if question == "long":
            text = " ".join(f"word{i} [1]" if i % 50 == 0 else f"word{i}" for i in range(2000))
        if question in ("refuse", "apart"):
            text = GUESS if question == "refuse" else APART
        if question == "hostile":
            text = (
                f"![x](/dev/zero) <img src='/dev/zero'> <b>{HOSTILE}</b> "
                "[link](file:///etc/passwd) `a[1]` [1]"
            )
        for i, piece in enumerate(text.split(" ")):
            job.checkpoint()
            job.emit("token", {"text": piece if i == 0 else f" {piece}"})
            if question != "long":
                time.sleep(float(os.environ.get("TOKEN_S", "0.005")))
        name = spec.conversation or f"c{len(self.conversations) + 10}"
        return self.keep(spec, shaped(question, report(question, text, name), spec.mode))

    def clear_states(self, spec: Any, job: Job) -> api.View:
        self.states_bytes = 0
        return api.Empty()

    def forget(self, spec: api.ConversationRef, job: Job) -> api.View:
        self.conversations = [row for row in self.conversations if row.id != spec.conversation]
        self.changed("conversations")
        return api.Empty()

    def clear(self, spec: Any, job: Job) -> api.View:
        self.conversations = []
        self.changed("conversations")
        return api.Empty()

    def view(self, spec: api.ViewSpec, job: Job) -> api.View:
        if spec.file_id == 4:
            raise UnreadableDocument("The file is damaged.")
        if spec.file_id in (0, 1):
            name, page = PASSAGES[spec.file_id][:2]
            place = spec.page or page
            boxes = [
                api.Box(x0=0.15, y0=0.3 + 0.024 * i, x1=0.8, y1=0.318 + 0.024 * i)
                for i in range(3)
            ]
            return api.SourceView(
                kind="page",
                path=f"/home/ada/{name}",
                title=name,
                changed=spec.file_id == 1,
                page=place,
                pages=40,
                png_base64=png(600, 840),
                boxes=boxes if place == page else [],
            )
        text = "Before. " * 200 + PASSAGES[2][3] + " After." * 200
        return api.SourceView(
            kind="text",
            path="/home/ada/Site-protocol-Nairobi.docx",
            title="Site protocol",
            changed=False,
            text=text,
            mark_start=1600,
            mark_end=1600 + len(PASSAGES[2][3]),
        )

    def default(self, spec: api.ModelRef, job: Job) -> api.View:
        for card in self.models:
            card.default = card.id == spec.model
        self.changed("models")
        return next(card for card in self.models if card.default)

    def gpu(self, spec: api.GpuLayersSpec, job: Job) -> api.View:
        card = next(card for card in self.models if card.id == spec.model)
        card.gpu_layers = spec.layers or 0
        card.gpu_layers_chosen = "automatic" if spec.layers is None else "user"
        self.changed("models")
        return card

    def add_model(self, spec: api.AddModelSpec, job: Job) -> api.View:
        if "broken" in spec.path:
            raise ModelUnavailable(
                "This file is not a usable model: it is cut short.", details="block_count=0"
            )
        card = model(len(self.models) + 1, os.path.basename(spec.path), False, fits=False)
        self.models.append(card)
        self.changed("models")
        return card

    def remove_model(self, spec: api.ModelRef, job: Job) -> api.View:
        self.models = [card for card in self.models if card.id != spec.model]
        self.changed("models")
        return api.Empty()

    def doctor(self, spec: Any, job: Job) -> api.View:
        return api.DoctorReport(
            version="0.1.0",
            python="3.11.7",
            system="Linux",
            cpu="A processor",
            cores=2,
            memory_bytes=16_000_000_000,
            memory_available_bytes=9_000_000_000,
            gpu="",
            home="/home/ada/.local/share/whetstone",
            versions={"torch": "2.13.0"},
            embedder_backends=[
                api.BackendTiming(
                    backend="torch bf16",
                    passages_per_second=38.2,
                    speedup=1.9,
                    min_cosine=0.999,
                    chosen=True,
                )
            ],
            checks=[
                api.Check(name="Storage", ok=True, detail="writable"),
                api.Check(name="GPU", ok=False, detail="none", hint="Nothing to do."),
            ],
        )


def report(question: str, text: str, conversation: str) -> api.AnswerReport:
    """The end of an answer."""
    hits = [hit(i, *p) for i, p in enumerate(PASSAGES)]
    citations = []
    for i, (found, quote) in enumerate(zip(hits, QUOTES, strict=True)):
        start = found.start + found.text.index(quote)
        citations.append(
            api.Citation(
                n=i + 1,
                file_id=found.file_id,
                path=found.path,
                title=found.title,
                heading=found.heading,
                page=found.page,
                quote=quote,
                start=start,
                end=start + len(quote),
                verified=True,
            )
        )
    return api.AnswerReport(
        question=question,
        answer=text,
        refused=False,
        citations=citations,
        sentences=[],
        passages=hits,
        mode="joint",
        model="Qwen2.5 1.5B",
        timings=api.Timings(retrieve_ms=30, first_token_ms=900, total_ms=6200),
        tokens=api.Tokens(prompt=600, generated=120),
        tokens_per_second=38,
        conversation=conversation,
    )


def main() -> None:
    host = Host()
    handlers: dict[str, Any] = {
        "state": host.state,
        "index": host.index,
        "reindex": host.reindex,
        "libraries.remove": host.remove,
        **host.library_handlers(),
        "ask": host.ask,
        **host.conversation_handlers(),
        **host.reranker_handlers(),
        **host.tuning_handlers(),
        "conversations.remove": host.forget,
        "conversations.clear": host.clear,
        "states.clear": host.clear_states,
        "view": host.view,
        "models.default": host.default,
        "models.gpu_layers": host.gpu,
        "models.add": host.add_model,
        "models.remove": host.remove_model,
        "models.warm": lambda spec, job: api.Empty(),
        "doctor": host.doctor,
        "libraries.list": lambda spec, job: api.LibraryList(libraries=host.libraries),
        "models.list": lambda spec, job: api.ModelList(models=host.models),
        "conversations.list": lambda spec, job: api.ConversationList(
            conversations=host.conversations
        ),
    }

    def method(name: str) -> Any:
        return lambda params, job: handlers[name](
            api.parse_params(name, params), job
        ).model_dump(mode="json")

    host.channel = take_stdout()
    host.server = Server(
        {name: method(name) for name in handlers}, sys.stdin.buffer, host.channel
    )
    host.server.run()
    os._exit(0)


if __name__ == "__main__":
    main()
