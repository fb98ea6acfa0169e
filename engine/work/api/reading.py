"""Counting over an index, and one file read from beginning to end."""

from __future__ import annotations

from pydantic import Field

from engine.work.api.base import View
from engine.work.api.search import Filter, PassageHit


class Wanted(View):
    """What a passage must hold: all of these words, and each phrase word after word."""

    words: str = ""
    phrases: list[str] = Field(default_factory=list[str])


class FilesSpec(View):
    """Some files of some libraries."""

    libraries: list[str]
    filter: Filter = Filter()


class CountSpec(FilesSpec):
    """Count what holds one of `any_of`; without any, count what there is."""

    any_of: list[Wanted] = Field(default_factory=list[Wanted])
    most: int = 20
    """Files listed at most."""


class HeldDocument(View):
    """A file that was read, as it is found in its library."""

    library: str
    file_id: int
    path: str
    title: str
    kind: str = ""
    pages: int = 0
    passages: int = 0
    scan_pages: int = 0
    """Pages that only OCR can read and that it has not read."""


class FileCount(View):
    """How often a file holds what was asked for."""

    file: HeldDocument
    passages: int
    """0: only its title (or its name, where it has none) does."""
    best: PassageHit
    """One of these passages; the file's first where it is the title alone."""


class CountReport(View):
    """An exact count over everything in the scope that was read.

    Files count as a person sees them, by their path: two with the same bytes are two. Their
    passages are the same and count once.
    """

    files: int
    files_all: int
    passages: int
    passages_all: int
    counts: list[FileCount]
    """Those with the words in their titles first, then most passages first."""
    copies: int = 0
    """Of `files`, how many have the same bytes as another of them."""
    refused: int = 0
    """Files of the scope that could not be read."""
    waiting: int = 0
    """Files of the scope that are not read yet."""
    left_out: list[str] = Field(default_factory=list[str])
    """Names of libraries that have to be rebuilt first."""
    too_common: bool = False
    """None of the words is one the index keeps."""


class DocumentText(View):
    """A file's passages in order, as far as they were asked for."""

    file: HeldDocument
    passages: list[PassageHit]
    missing: int = 0
    """Passages that should have been there and were not."""
