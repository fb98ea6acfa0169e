"""Where things live: the user's data folder and the program's own read-only resources."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class Home:
    """The user's data folder. Nothing outside it is ever written."""

    root: Path

    @property
    def settings(self) -> Path:
        """The settings file (JSON)."""
        return self.root / "settings.json"

    @property
    def db(self) -> Path:
        """The SQLite database."""
        return self.root / "whetstone.db"

    @property
    def backups(self) -> Path:
        """Daily copies of the database and copies made before a migration."""
        return self.root / "backups"

    @property
    def libraries(self) -> Path:
        """One folder a library, named by its id."""
        return self.root / "libraries"

    @property
    def models(self) -> Path:
        """GGUF files the user added, a card beside each."""
        return self.root / "models"

    @property
    def logs(self) -> Path:
        """Log files; they never leave the computer by themselves."""
        return self.root / "logs"

    @property
    def quarantine(self) -> Path:
        """A record of every file that killed its readers."""
        return self.root / "quarantine"

    @property
    def locks(self) -> Path:
        """Lock files shared by all processes that use this home."""
        return self.root / "locks"

    @property
    def scans(self) -> Path:
        """What OCR found, a file for each content, named by its SHA-256."""
        return self.root / "scans"

    @property
    def states(self) -> Path:
        """What models computed of passages, kept to be used again."""
        return self.root / "states"

    @property
    def datasets(self) -> Path:
        """One file of examples a dataset, named by its id."""
        return self.root / "datasets"

    @property
    def exams(self) -> Path:
        """One file of questions an exam, named by its id."""
        return self.root / "exams"

    @property
    def adapters(self) -> Path:
        """One folder an adapter, named by its id."""
        return self.root / "adapters"

    @property
    def runs(self) -> Path:
        """One folder a training run, named by its id."""
        return self.root / "runs"

    @property
    def comparisons(self) -> Path:
        """One folder a comparison, named by its id, and what was answered in them."""
        return self.root / "comparisons"

    def library(self, library_id: str) -> Path:
        """The folder of one library."""
        return self.libraries / library_id

    def create(self) -> Home:
        """Make the folder and its parts if they are missing; return self."""
        for folder in (
            self.root,
            self.backups,
            self.libraries,
            self.models,
            self.logs,
            self.quarantine,
            self.locks,
            self.scans,
            self.states,
            self.datasets,
            self.exams,
            self.runs,
            self.comparisons,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        return self


def default_home() -> Home:
    """`$WHETSTONE_HOME`, or the platform's user data folder."""
    chosen = os.environ.get("WHETSTONE_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    return Home(Path(platformdirs.user_data_dir("whetstone", appauthor=False)))


def resources_dir() -> Path:
    """The read-only resources that belong to the installation."""
    frozen = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    return root / "resources"


def starter_dir() -> Path:
    """The starter models fetched by set-up."""
    return resources_dir() / "starter"


def sample_dir() -> Path:
    """The sample folder a newcomer can try."""
    return resources_dir() / "sample"


def adapters_dir() -> Path:
    """The adapters that belong to the installation."""
    return resources_dir() / "adapters"
