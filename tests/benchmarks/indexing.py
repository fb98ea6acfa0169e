"""Indexing rate end to end against bare `SentenceTransformer.encode`, and backend speedup.

Both sides get the same passages and the same backend (data type and threads), in one run, in
turn, each in processes of its own: a fresh index of a folder from the first scan to the last
commit, against encode() on the passages that index stored, model already loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine import hardware
from engine.library.embedding import PATIENT
from engine.library.tables import Tables
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store import measurements
from engine.work.api import IndexSpec
from tests.benchmarks.corpus import documents, opened

FILES = {"covidqa": 25, "pubmedqa": 300}
ROUNDS = 2

ENCODE = """
import json, sys, time
import torch
from sentence_transformers import SentenceTransformer
folder, dtype, threads = sys.argv[1:4]
torch.set_num_threads(int(threads))
device = "cpu" if dtype in ("float32", "bfloat16") else sys.argv[4]
model = SentenceTransformer(folder, device=device, local_files_only=True,
                            model_kwargs={"torch_dtype": getattr(torch, dtype)})
texts = json.load(sys.stdin)
model.encode(texts[:32], show_progress_bar=False)
start = time.perf_counter()
model.encode(texts, show_progress_bar=False)
json.dump(len(texts) / (time.perf_counter() - start), sys.stdout)
"""


def main() -> list[dict[str, Any]]:
    """Rates of both sides, their ratio, and how much the backend chosen gains."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "folder"
        folder.mkdir()
        for name, count in FILES.items():
            for file in sorted(documents(name).iterdir())[:count]:
                shutil.copy(file, folder / file.name)
        timings, remembered = measured(Path(temporary) / "first")
        chosen = next(row for row in timings if row["chosen"])
        ours: list[float] = []
        bare: list[float] = []
        default: list[float] = []
        texts: list[str] = []
        for number in range(ROUNDS):
            home = Home(Path(temporary) / f"home{number}")
            rate, texts = index_rate(home, folder, remembered)
            ours.append(rate)
            bare.append(encode_rate(texts, chosen["backend"]))
            if number == 0:
                default.append(encode_rate(texts, "torch-float32"))
            print(f"index {ours[-1]:.1f}  bare {bare[-1]:.1f} passages/s", flush=True)
    return [
        row("index end to end", max(ours), "passages/s", f"{len(texts)} passages"),
        row("bare encode, same backend", max(bare), "passages/s", chosen["backend"]),
        row("index / bare encode", max(ours) / max(bare), "ratio", "wanted: 0.85 or more"),
        row("backend / float32, own", chosen["speedup"], "ratio", "wanted: 1.5 or more"),
        row("index / bare float32 encode", max(ours) / default[0], "ratio", "library default"),
        row("cosine to float32, worst", chosen["min_cosine"], "", chosen["backend"]),
    ]


def row(name: str, value: float, unit: str, note: str) -> dict[str, Any]:
    """One figure of the report."""
    return {"name": name, "value": round(value, 3), "unit": unit, "note": note}


def measured(root: Path) -> tuple[list[dict[str, Any]], tuple[str, Any]]:
    """The backends as a fresh installation measures them, and what it remembers."""
    with opened(Home(root)) as parts:
        timings = parts.embedder.measure_backends()
        name = parts.embedder._measurement()
        return [t.model_dump() for t in timings], (name, measurements.recall(parts.store, name))


def index_rate(
    home: Home, folder: Path, remembered: tuple[str, Any]
) -> tuple[float, list[str]]:
    """Passages a second of a fresh index, and the texts it embedded."""
    with opened(home) as parts:
        measurements.remember(parts.store, *remembered)
        parts.embedder.warm()
        report = parts.libraries.index(IndexSpec(folder=str(folder), library="bench"))
        tables = Tables(home.library(report.library_id) / "1", 384)
        texts = [found.search for found in tables.fetch_range(0, 1 << 60).values()]
        tables.close()
    return report.passages_per_second, texts


def encode_rate(texts: list[str], backend: str) -> float:
    """Passages a second of `SentenceTransformer.encode` with nothing around it."""
    device, _, dtype = backend.partition("-")
    command = [
        sys.executable,
        "-c",
        ENCODE,
        str(starter_embedder().path),
        dtype,
        str(hardware.cpu().cores),
        device,
    ]
    done = subprocess.run(
        command,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **PATIENT},  # what helps us beside other work helps here too
    )
    return float(json.loads(done.stdout))
