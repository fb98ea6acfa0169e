"""The adapters at hand: those of the installation and those that were tuned or imported."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import uuid
from pathlib import Path

from engine.errors import InvalidInput, ModelUnavailable, StorageDamaged
from engine.files import storage_error
from engine.models.registry import ModelRegistry, slug
from engine.paths import Home, adapters_dir
from engine.store.db import Store, utc_now
from engine.tuning.adapters.cards import (
    GGUF,
    SAFETENSORS,
    read_card,
    served_file,
    write_card,
)
from engine.tuning.adapters.staleness import why_stale
from engine.work.api import AdapterCard, EnableAdapterSpec, ModelCard

MAX_NAME = 100
_PART = ".part-"


class AdapterRegistry:
    """Lists, finds, keeps, renames, enables and removes adapters. Thread-safe.

    Args:
        home: the user's data folder; adapters live in its `adapters`.
        store: remembers which are enabled.
        models: the models they belong to; default: those of the home.
        installed: folder of the adapters of the installation; default: its own.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        models: ModelRegistry | None = None,
        installed: Path | None = None,
    ) -> None:
        self._home = home.create()
        self._store = store
        self._models = ModelRegistry(home, store) if models is None else models
        self._installed = adapters_dir() if installed is None else installed
        self._lock = threading.RLock()

    # --- looking -----------------------------------------------------------------------

    def list(self) -> list[AdapterCard]:
        """Every adapter, the newest first; those of the installation last."""
        models = {model.sha256: model.id for model in reversed(self._models.list())}
        enabled = self._enabled()
        cards = [
            self._found_out(card, folder, models, enabled) for folder, card in self._read()
        ]
        return sorted(
            cards, key=lambda one: (one.source != "installation", one.created), reverse=True
        )

    def find(self, ref: str) -> AdapterCard:
        """The adapter named `ref`: an id, a name, or the unique beginning of one of them.

        Raises:
            InvalidInput: no adapter, or several, are called that.
        """
        return _named(ref, self.list())

    def enabled_for(self, base_sha256: str) -> list[AdapterCard]:
        """The adapters that are put on a model where nothing else is said."""
        return [
            card for card in self.list() if card.enabled and card.base_sha256 == base_sha256
        ]

    def folder(self, card: AdapterCard) -> Path:
        """Where its files lie."""
        root = self._installed if card.source == "installation" else self._home.adapters
        return root / card.id

    def model_of(self, card: AdapterCard) -> ModelCard:
        """The model an adapter works with.

        Raises:
            ModelUnavailable: it is not here.
        """
        if not card.model:
            raise ModelUnavailable(
                f"The model {card.base_name or card.base_sha256[:12]!r}, which the adapter "
                f"{card.name!r} was made for, is not here.",
                hint="Add that model file again; the adapter works with no other.",
            )
        return self._models.find(card.model)

    def _read(self) -> list[tuple[Path, AdapterCard]]:
        """Folders with a card that can be read; one id counts once."""
        found: dict[str, tuple[Path, AdapterCard]] = {}
        for root in (self._home.adapters, self._installed):
            with contextlib.suppress(OSError):
                for folder in sorted(root.iterdir()):
                    if folder.name.startswith(".") or not folder.is_dir():
                        continue
                    with contextlib.suppress(StorageDamaged):
                        card = read_card(folder)
                        if root == self._installed:
                            card.source = "installation"
                        found.setdefault(card.id, (folder, card))
        return list(found.values())

    def _found_out(
        self,
        card: AdapterCard,
        folder: Path,
        models: dict[str, str],
        enabled: dict[tuple[str, str], float],
    ) -> AdapterCard:
        card.model = models.get(card.base_sha256, "")
        scale = enabled.get((card.base_sha256, card.id))
        card.enabled, card.scale = scale is not None, 1.0 if scale is None else scale
        card.stale = why_stale(self._home, self._store, card)
        path = served_file(card, folder)
        card.path = str(path)
        card.size_bytes = sum(_size(folder / name) for name in (GGUF, SAFETENSORS))
        if not path.is_file():
            card.problem = "Its file is gone."
        elif card.proof == "failed":
            card.problem = "It did not pass the proof that it runs as it was trained."
        elif not card.model:
            card.problem = f"Its model, {card.base_name or 'unnamed'}, is not here."
        return card

    def _enabled(self) -> dict[tuple[str, str], float]:
        rows = self._store.connection().execute(
            "SELECT base_sha256, adapter, scale FROM enabled_adapters"
        )
        return {(row["base_sha256"], row["adapter"]): float(row["scale"]) for row in rows}

    # --- changing ----------------------------------------------------------------------

    def save(self, folder: Path, card: AdapterCard) -> AdapterCard:
        """Keep the adapter whose files lie in `folder`; they are copied.

        The card's id is chosen here, after its name. An adapter whose proof failed is kept
        too, for looking into, and is refused for answers.

        Raises:
            InvalidInput: the folder lacks the file, or the name is no name.
            StorageFull: no room; nothing is kept.
        """
        if not served_file(card, folder).is_file():
            raise InvalidInput(f"There is no adapter in {folder}.")
        name = _clean_name(card.name)
        if card.parity is not None:
            card.proof = "proven" if card.parity.passed else "failed"
        self._sweep()
        part = self._home.adapters / f"{_PART}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            part.mkdir(parents=True)
            for file in (GGUF, SAFETENSORS):
                if (folder / file).is_file():
                    _copy(folder / file, part / file)
            with self._lock:
                card = card.model_copy(
                    update={
                        "id": self._free_id(name),
                        "name": name,
                        "created": card.created or utc_now(),
                    }
                )
                write_card(part, card)
                os.replace(part, self._home.adapters / card.id)
        except OSError as error:
            raise storage_error(error, self._home.adapters) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return self.find(card.id)

    def _free_id(self, name: str) -> str:
        taken = {folder.name for folder, _ in self._read()}
        stem = slug(name)[:60] or "adapter"
        identity, number = stem, 2
        while identity in taken or (self._home.adapters / identity).exists():
            identity, number = f"{stem}-{number}", number + 1
        return identity

    def _sweep(self) -> None:
        """Remove what a killed process left half-made."""
        for left in self._home.adapters.glob(f"{_PART}*"):
            owner = left.name.removeprefix(_PART).partition("-")[0]
            if not (owner.isdigit() and _alive(int(owner))):
                shutil.rmtree(left, ignore_errors=True)

    def rename(self, ref: str, name: str) -> AdapterCard:
        """Give an adapter another name; its id stays.

        Raises:
            InvalidInput: there is none, it belongs to the installation, or the name is none.
        """
        with self._lock:
            card = self._own(ref)
            card.name = _clean_name(name)
            write_card(self.folder(card), card)
        return self.find(card.id)

    def remove(self, ref: str) -> AdapterCard:
        """Delete an adapter and its files; gives what it was.

        Raises:
            InvalidInput: there is none, or it belongs to the installation.
        """
        with self._lock:
            card = self._own(ref)
            gone = self._home.adapters / f"{_PART}0-{uuid.uuid4().hex[:8]}"
            try:
                os.replace(self.folder(card), gone)
            except OSError as error:
                raise storage_error(error, self.folder(card)) from error
            shutil.rmtree(gone, ignore_errors=True)
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM enabled_adapters WHERE adapter=?", (card.id,))
        return card

    def _own(self, ref: str) -> AdapterCard:
        card = self.find(ref)
        if card.source == "installation":
            raise InvalidInput(f"{card.name} belongs to the installation and stays as it is.")
        return card

    def enable(self, spec: EnableAdapterSpec) -> AdapterCard:
        """Put an adapter on its model where nothing else is said, or no longer.

        Raises:
            InvalidInput: there is none.
            ModelUnavailable: it cannot be used; says why.
        """
        card = self.find(spec.adapter)
        if spec.on and card.problem:
            raise ModelUnavailable(f"{card.name} cannot be used. {card.problem}")
        with self._store.transaction() as connection:
            if spec.on and spec.alone:
                connection.execute(
                    "DELETE FROM enabled_adapters WHERE base_sha256=?", (card.base_sha256,)
                )
            connection.execute(
                "DELETE FROM enabled_adapters WHERE base_sha256=? AND adapter=?",
                (card.base_sha256, card.id),
            )
            if spec.on:
                connection.execute(
                    "INSERT INTO enabled_adapters VALUES (?, ?, ?, ?)",
                    (card.base_sha256, card.id, spec.scale, utc_now()),
                )
        return self.find(card.id)


def _named(ref: str, cards: list[AdapterCard]) -> AdapterCard:
    wanted = ref.casefold()
    exact = [one for one in cards if wanted == one.id.casefold()] or [
        one for one in cards if wanted == one.name.casefold()
    ]
    found = exact or [
        one
        for one in cards
        if wanted
        and (one.id.casefold().startswith(wanted) or one.name.casefold().startswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.id for one in (found or cards)) or "none"
    if found:
        raise InvalidInput(f"Several adapters are called {ref!r}.", hint=f"Say which: {names}")
    raise InvalidInput(f"There is no adapter {ref!r}.", hint=f"There are: {names}")


def _clean_name(name: str) -> str:
    clean = " ".join("".join(c for c in name if c.isprintable()).split())
    if not clean or len(clean) > MAX_NAME:
        raise InvalidInput(f"A name has from 1 to {MAX_NAME} characters.")
    if clean.casefold() == "none":
        raise InvalidInput("An adapter cannot be called none.", hint="Choose another name.")
    return clean


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
