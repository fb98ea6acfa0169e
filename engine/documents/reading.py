"""A file's bytes to a document: open it safely, judge its head, call its format's reader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.documents.formats import MAX_FILE_BYTES, format_of
from engine.documents.passages import split
from engine.documents.scans import NOTHING_READ, Scan
from engine.documents.types import Document, ReadDocument
from engine.errors import UnreadableDocument
from engine.files import open_regular

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """The embedder's tokenizer, ready to count: it neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_document(path: str, scan: Scan = NOTHING_READ) -> Document:
    """The document at `path` (made by `os.fsdecode`), with what OCR found on its pages.

    Raises:
        UnreadableDocument: it cannot be opened or read, and why.
    """
    return document_of(read_bytes(path), os.path.basename(path), scan)


def document_of(data: bytes, name: str, scan: Scan = NOTHING_READ) -> Document:
    """The document that `data`, the bytes of a file called `name`, make.

    Raises:
        UnreadableDocument: they cannot be read, and why.
    """
    form = format_of(name)
    document = form.load()(data, name, scan) if form.scans else form.load()(data, name)
    if not document.text.strip() and not document.unread:
        raise UnreadableDocument("The file holds no text.")
    return document


def read_passages(path: str, tokenizer: Tokenizer, scan: Scan = NOTHING_READ) -> ReadDocument:
    """The document at `path`, split.

    Raises:
        UnreadableDocument: it cannot be opened or read, and why.
    """
    document = read_document(path, scan)
    return ReadDocument(
        title=" ".join(document.title.split())[:300],
        kind=format_of(os.path.basename(path)).kind,
        pages=len(document.pages),
        characters=len(document.text),
        passages=split(document, tokenizer),
        unread=list(document.unread),
    )


def read_bytes(path: str) -> bytes:
    """All bytes of a regular file of bearable size.

    Raises:
        UnreadableDocument: it is missing, forbidden, no regular file, or too large.
    """
    try:
        with open_regular(os.fsencode(path)) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except PermissionError as error:
        raise UnreadableDocument("Permission denied.") from error
    except FileNotFoundError as error:
        raise UnreadableDocument("The file is not there any more.") from error
    except OSError as error:
        raise UnreadableDocument("The file cannot be opened.", details=str(error)) from error
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableDocument(f"The file is larger than {MAX_FILE_BYTES >> 20} MB.")
    return data
