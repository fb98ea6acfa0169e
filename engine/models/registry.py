"""The models at hand: those that came with the installation and those the user added."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from engine.errors import (
    EngineError,
    InvalidInput,
    ModelUnavailable,
    StorageFull,
    WorkerCrashed,
)
from engine.files import (
    atomic_write,
    free_bytes,
    open_regular,
    sha256_file,
    show_path,
    storage_error,
)
from engine.models.fit import Fit, fit
from engine.models.gguf import GgufHeader, check_usable, read_header
from engine.paths import Home, starter_dir
from engine.settings import load_settings, save_settings
from engine.store.db import Store
from engine.work.api import ModelCard
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job

STARTER_HASHES = {
    "SmolLM2-135M-Instruct.Q4_1.gguf": (
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    ),
}
"""Starter model files and their SHA-256; other files in that folder are not offered."""

GENERATOR_ENVIRONMENT = {"GOMP_SPINCOUNT": "5000"}
"""llama.cpp's threads meet several hundred times a token. By default they wait for each other
by spinning for long; when any other program wants a core, that costs its time slice each
time. Tokens a second of the starter, alone and beside two busy processes on two cores: 126
and 3 by default, 41 and 31 with threads that sleep at once, 135 and 57 with this short spin."""

INSPECT_LIMIT_S = 60.0
TRIAL_LIMIT_S = 900.0
_COPY_CHUNK = 4 << 20
_SPARE_DISK_BYTES = 256 << 20
_COMFORTABLE_PARAMETERS = 4_500_000_000
"""On a processor alone, larger models answer slower than people wait; they are never the
default by themselves."""


@dataclass(frozen=True)
class _Entry:
    """A model known to be good: where it is and what its header says."""

    id: str
    name: str
    path: Path
    sha256: str
    source: Literal["starter", "added"]
    template: str
    header: GgufHeader


class ModelRegistry:
    """Lists, finds, adds and removes models. Thread-safe.

    Args:
        home: the user's data folder; added models live in its `models`.
        store: remembers which starter files were verified.
        starter: folder of the starter models; default: the installation's.
    """

    def __init__(self, home: Home, store: Store, starter: Path | None = None) -> None:
        self._home = home
        self._store = store
        self._starter = starter_dir() if starter is None else starter
        self._lock = threading.RLock()

    # --- looking -----------------------------------------------------------------------

    def list(self) -> list[ModelCard]:
        """Every usable model: starter models first, then by name."""
        entries = self._entries()
        default = self._default_id(entries)
        return [self._card(entry, default) for entry in entries]

    def find(self, ref: str | None) -> ModelCard:
        """The model named `ref`: an id, a name, or the unique beginning of one of them.

        None means the default: the user's choice, else the best that fits this machine.

        Raises:
            InvalidInput: no model, or several, are called that.
            ModelUnavailable: there is no model at all.
        """
        entries = self._entries()
        default = self._default_id(entries)
        if not ref:
            if not entries:
                raise ModelUnavailable(
                    "There is no language model yet.",
                    hint="Add a GGUF file on the Models page, or with `whetstone models add`.",
                    details=f"starter models are expected in {self._starter}",
                )
            return self._card(next(e for e in entries if e.id == default), default)
        return self._card(self._entry(ref, entries), default)

    def _entry(self, ref: str, entries: list[_Entry]) -> _Entry:
        wanted = ref.casefold()
        exact = [e for e in entries if wanted in (e.id.casefold(), e.name.casefold())]
        found = exact or [
            e
            for e in entries
            if e.id.casefold().startswith(wanted)
            or e.name.casefold().startswith(wanted)
            or (len(wanted) >= 8 and e.sha256.startswith(wanted))
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(entry.id for entry in (found or entries)) or "none"
        if found:
            raise InvalidInput(
                f"Several models are called {ref!r}.", hint=f"Say which: {names}"
            )
        raise InvalidInput(f"There is no model {ref!r}.", hint=f"There are: {names}")

    def _default_id(self, entries: list[_Entry]) -> str:
        chosen = load_settings(self._home).default_model
        if any(entry.id == chosen for entry in entries):
            return chosen
        if not entries:
            return ""

        def merit(entry: _Entry) -> tuple[bool, bool, bool, int]:
            machine = self._fit(entry)
            quick = entry.header.parameters <= _COMFORTABLE_PARAMETERS
            on_gpu = machine.gpu_layers > entry.header.layers
            chat = entry.template != "none"
            return machine.fits, chat, quick or on_gpu, entry.header.parameters

        return max(entries, key=merit).id

    def _fit(self, entry: _Entry) -> Fit:
        settings = load_settings(self._home)
        return fit(entry.header, settings.context_tokens, settings.gpu_layers.get(entry.id))

    def _card(self, entry: _Entry, default: str) -> ModelCard:
        machine, header = self._fit(entry), entry.header
        overridden = entry.id in load_settings(self._home).gpu_layers
        return ModelCard(
            id=entry.id,
            name=entry.name,
            path=show_path(entry.path),
            architecture=header.architecture,
            parameters=header.parameters,
            quantization=header.quantization,
            size_bytes=header.size_bytes,
            context=header.context,
            license=header.license,
            chat_template=entry.template != "none",
            sha256=entry.sha256,
            source=entry.source,
            default=entry.id == default,
            layers=header.layers,
            gpu_layers=machine.gpu_layers,
            gpu_layers_chosen="user" if overridden else "automatic",
            memory_bytes=machine.memory_bytes,
            context_used=machine.context,
            memory_available_bytes=machine.available_bytes,
            fits=machine.fits,
        )

    def _entries(self) -> list[_Entry]:
        with self._lock:
            starters = [
                entry for name in STARTER_HASHES if (entry := self._starter_entry(name))
            ]
            added = [
                entry
                for path in self._home.models.glob("*.json")
                if (entry := _read_card(path)) is not None
            ]
        return [*starters, *sorted(added, key=lambda entry: entry.name.casefold())]

    def _starter_entry(self, file_name: str) -> _Entry | None:
        """A starter model whose bytes are the known ones; hashed once, then remembered."""
        path = self._starter / file_name
        try:
            status = path.stat()
        except OSError:
            return None
        place = (os.fsencode(path), status.st_size, status.st_mtime_ns)
        connection = self._store.connection()
        row = connection.execute(
            "SELECT sha256, header FROM verified_models"
            " WHERE path=? AND size_bytes=? AND mtime_ns=?",
            place,
        ).fetchone()
        if row is None:
            # Read here and not in a child: the hash says that these are our own bytes.
            digest = sha256_file(path)
            known = digest == STARTER_HASHES[file_name]
            header = json.dumps(read_header(path).to_dict()) if known else ""
            with self._store.transaction() as writing:
                writing.execute(
                    "INSERT OR REPLACE INTO verified_models"
                    " (path, size_bytes, mtime_ns, sha256, header) VALUES (?, ?, ?, ?, ?)",
                    (*place, digest, header),
                )
            row = {"sha256": digest, "header": header}
        if row["sha256"] != STARTER_HASHES[file_name]:
            return None
        header_read = GgufHeader.from_dict(json.loads(row["header"]))
        name = display_name(file_name)
        return _Entry(
            slug(Path(file_name).stem), name, path, row["sha256"], "starter", "own", header_read
        )

    # --- changing ----------------------------------------------------------------------

    def add(self, path: Path, job: Job = NULL_JOB) -> ModelCard:
        """Check a GGUF file, copy it into the home, try it, and keep it with a card.

        The header is read and the model is tried in a child made for that. The user's own
        file is only read. Adding the same bytes again gives the card there is.

        Raises:
            InvalidInput: there is no such file.
            ModelUnavailable: the file cannot be used; says why.
            StorageFull: there is no room for the copy.
            Cancelled: stopped; nothing is kept.
        """
        source = _resolved(path)
        header = _checked_in_child("inspect", source, job)
        check_usable(GgufHeader.from_dict(header))
        part = self._home.models / f".{os.getpid()}-{threading.get_ident()}.gguf.tmp"
        try:
            digest = self._copy(source, part, job)
            same = [entry for entry in self._entries() if entry.sha256 == digest]
            if same:
                return self.find(same[0].id)
            # Again, on the bytes that are kept: the first look was at a file others can change.
            header = _checked_in_child("inspect", part, job)
            check_usable(GgufHeader.from_dict(header))
            job.progress(0, 0, "trying the model")
            trial = _checked_in_child("trial", part, job)
            return self._keep(part, source, digest, header, str(trial["template"]))
        finally:
            part.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path, job: Job) -> str:
        """Copy with progress; gives the SHA-256 of the bytes copied."""
        digest, done = hashlib.sha256(), 0
        try:
            size = source.stat().st_size
            if free_bytes(self._home.models) < size + _SPARE_DISK_BYTES:
                raise StorageFull(
                    f"There is no room for this model ({size / 2**30:.1f} GB).",
                    hint="Free some space and add it again.",
                )
            with open_regular(source) as reading, target.open("wb") as writing:
                while chunk := reading.read(_COPY_CHUNK):
                    job.checkpoint()
                    writing.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    job.progress(done, size, "copying the model")
                writing.flush()
                os.fsync(writing.fileno())
        except OSError as error:
            raise storage_error(error, target) from error
        return digest.hexdigest()

    def _keep(
        self, part: Path, source: Path, digest: str, header: dict[str, Any], template: str
    ) -> ModelCard:
        with self._lock:
            taken = {entry.id for entry in self._entries()}
            stem = slug(source.stem)
            identity, number = stem, 2
            while identity in taken or (self._home.models / f"{identity}.gguf").exists():
                identity, number = f"{stem}-{number}", number + 1
            target = self._home.models / f"{identity}.gguf"
            card = {
                "version": 1,
                "id": identity,
                "name": display_name(source.name),
                "sha256": digest,
                "template": template,
                "from": show_path(source),
                "header": {**header, "chat_template": ""},
            }
            os.replace(part, target)
            try:
                atomic_write(
                    target.with_suffix(".json"), json.dumps(card, indent=2).encode() + b"\n"
                )
            except EngineError:
                target.unlink(missing_ok=True)
                raise
        return self.find(identity)

    def remove(self, ref: str) -> None:
        """Delete a model the user added; the file it was copied from is not touched.

        Raises:
            InvalidInput: unknown, or a starter model, which belongs to the installation.
        """
        with self._lock:
            entry = self._entry(ref, self._entries())
            if entry.source == "starter":
                raise InvalidInput(
                    f"{entry.name} belongs to the installation and stays.",
                    hint="Choose another model as the default instead.",
                )
            # The card first: a model file without one is not offered any more.
            entry.path.with_suffix(".json").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                entry.path.unlink(missing_ok=True)
            self._change(lambda settings: settings.gpu_layers.pop(entry.id, None))

    def set_default(self, ref: str) -> None:
        """Make this model answer when none is named.

        Raises:
            InvalidInput: there is no such model.
        """
        identity = self._entry(ref, self._entries()).id
        self._change(lambda settings: setattr(settings, "default_model", identity))

    def set_gpu_layers(self, ref: str, layers: int | None) -> None:
        """Put this many layers on the GPU from the next loading on; None chooses by itself.

        Raises:
            InvalidInput: there is no such model, or the number is impossible.
        """
        entry = self._entry(ref, self._entries())
        if layers is not None and not 0 <= layers <= entry.header.layers + 1:
            raise InvalidInput(
                f"{entry.name} has {entry.header.layers} layers; {layers} is not possible.",
                hint=f"Choose 0 to {entry.header.layers + 1} (with the output layer).",
            )

        def change(settings: Any) -> None:
            chosen = dict(settings.gpu_layers)
            chosen.pop(entry.id, None)
            settings.gpu_layers = chosen if layers is None else {**chosen, entry.id: layers}

        self._change(change)

    def _change(self, change: Callable[[Any], object]) -> None:
        with self._lock:
            settings = load_settings(self._home)
            change(settings)
            save_settings(self._home, settings)


def slug(text: str) -> str:
    """A short id from a file name: lower case letters, digits, dot, dash, underscore."""
    made = re.sub(r"[^a-z0-9._]+", "-", text.casefold()).strip("-._")[:80]
    return made or "model"


_QUANTIZATION = re.compile(
    r"[-._ ](?:i?q\d\w*|bf16|f16|f32|fp16|mxfp4\w*|tq\d_\d)$", re.IGNORECASE
)


def display_name(file_name: str) -> str:
    """The file's name without its suffix and quantization: what the user calls the model."""
    stem = show_path(file_name).removesuffix(".gguf")
    return _QUANTIZATION.sub("", stem) or stem


def _resolved(path: Path) -> Path:
    """The regular file meant; links are followed once, here (download caches use them)."""
    try:
        found = path.resolve(strict=True)
        regular = found.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(
            f"There is no file {show_path(str(path))}.", details=str(error)
        ) from error
    if not regular:
        raise InvalidInput(f"{show_path(path)} is not a file.")
    return found


def _checked_in_child(method: str, path: Path, job: Job) -> dict[str, Any]:
    """Run `inspect` or `trial` in a child of its own; its death is the file's fault."""
    worker = Worker("generator", "The model check", GENERATOR_ENVIRONMENT)
    limit_s = INSPECT_LIMIT_S if method == "inspect" else TRIAL_LIMIT_S
    try:
        return worker.call(method, {"path": str(path)}, job, timeout_s=limit_s)
    except WorkerCrashed as crash:
        raise ModelUnavailable(
            "This model file stops llama.cpp when it is loaded, so it was not added.",
            hint="Get the file again, or another quantization of the model.",
            details=crash.details,
        ) from crash
    finally:
        worker.close()


def _read_card(path: Path) -> _Entry | None:
    """An added model by its card; None when the card or its file is not (or no more) good."""
    file = path.with_suffix(".gguf")
    try:
        card = json.loads(path.read_bytes())
        header = GgufHeader.from_dict(card["header"])
        header = replace(header, chat_template="")
        if file.stat().st_size != header.size_bytes:
            return None
        return _Entry(
            str(card["id"]),
            str(card["name"]),
            file,
            str(card["sha256"]),
            "added",
            str(card["template"]),
            header,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
