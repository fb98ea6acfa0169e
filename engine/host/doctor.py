"""What `whetstone doctor` examines: the machine, the installation, the home."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib import metadata

from engine import __version__, hardware
from engine.errors import EngineError
from engine.files import free_bytes
from engine.host.service import Engine
from engine.paths import sample_dir
from engine.work import api
from engine.work.jobs import NULL_JOB, Job

_PACKAGES = (
    "PySide6-Essentials",
    "llama-cpp-python",
    "sentence-transformers",
    "transformers",
    "torch",
    "peft",
    "lancedb",
    "pyarrow",
    "pypdfium2",
    "rapidocr",
    "onnxruntime",
)
_FREE_DISK_WANTED_BYTES = 2 << 30


def examine(engine: Engine, job: Job = NULL_JOB) -> api.DoctorReport:
    """Check every part this installation needs, and time the embedder's backends.

    The timing takes about half a minute the first time; later it is remembered.
    """
    steps: list[tuple[str, Callable[[], api.Check]]] = [
        ("database", lambda: _database(engine)),
        ("free disk", lambda: _disk(engine)),
        ("search model", lambda: _embedder(engine)),
        ("language model", lambda: _generator(engine)),
        ("document readers", lambda: _readers(engine)),
        ("scanned pages", lambda: _scanner(engine)),
    ]
    checks: list[api.Check] = []
    for number, (name, step) in enumerate(steps):
        job.checkpoint()
        job.progress(number, len(steps) + 1, name)
        checks.append(_safely(name, step))
    job.progress(len(steps), len(steps) + 1, "embedder backends")
    backends: list[api.BackendTiming] = []
    try:
        backends = engine.embedder.measure_backends(job)
    except EngineError as error:
        checks.append(api.Check(name="embedder backends", ok=False, detail=str(error)))
    job.progress(len(steps) + 1, len(steps) + 1, "done")
    cpu = hardware.cpu()
    return api.DoctorReport(
        version=__version__,
        python=platform.python_version(),
        system=platform.platform(),
        cpu=f"{cpu.name}{_instructions(cpu)}",
        cores=cpu.cores,
        memory_bytes=hardware.memory_bytes(),
        memory_available_bytes=hardware.memory_available_bytes(),
        gpu=", ".join(gpu.name for gpu in hardware.gpus()) or "none",
        home=str(engine.home.root),
        versions=_versions(),
        embedder_backends=backends,
        checks=checks,
    )


def _instructions(cpu: hardware.Cpu) -> str:
    known = [name for name, has in (("bf16", cpu.has_bf16), ("int8", cpu.has_int8)) if has]
    return f" ({', '.join(known)})" if known else ""


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def _safely(name: str, step: Callable[[], api.Check]) -> api.Check:
    try:
        return step()
    except EngineError as error:
        return api.Check(name=name, ok=False, detail=error.message, hint=error.hint)


def _database(engine: Engine) -> api.Check:
    row = engine.store.connection().execute("PRAGMA quick_check").fetchone()
    ok = row[0] == "ok"
    return api.Check(
        name="database",
        ok=ok,
        detail="sound" if ok else str(row[0]),
        hint="" if ok else "A copy from an earlier day is in the backups folder.",
    )


def _disk(engine: Engine) -> api.Check:
    free = free_bytes(engine.home.root)
    ok = free >= _FREE_DISK_WANTED_BYTES and os.access(engine.home.root, os.W_OK)
    return api.Check(
        name="free disk",
        ok=ok,
        detail=f"{free / 2**30:.1f} GB free",
        hint="" if ok else "Free some space: at least 2 GB is wise.",
    )


def _embedder(engine: Engine) -> api.Check:
    info = engine.embedder.info
    vector = engine.embedder.embed_query("Is the search model working?")
    return api.Check(
        name="search model", ok=True, detail=f"{info.id}, {vector.shape[-1]} dimensions"
    )


def _generator(engine: Engine) -> api.Check:
    card = engine.models.find(None)
    engine.generator.warm(card)
    return api.Check(
        name="language model",
        ok=True,
        detail=f"{card.name} {card.quantization}, {card.memory_bytes / 2**20:.0f} MB",
    )


def _readers(engine: Engine) -> api.Check:
    files = sorted(sample_dir().rglob("*.md"))
    if not files:
        return api.Check(
            name="document readers",
            ok=False,
            detail="The sample folder is missing.",
            hint="Install Whetstone again.",
        )
    document = engine.readers.read(os.fsencode(files[0]))
    return api.Check(
        name="document readers", ok=True, detail=f"read {document.characters} characters"
    )


def _scanner(engine: Engine) -> api.Check:
    engine.scanner.warm()
    seconds = engine.scanner.page_seconds()
    return api.Check(
        name="scanned pages", ok=True, detail=f"models loaded; about {seconds:.1f} s a page"
    )
