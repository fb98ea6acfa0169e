"""A file's bytes to a document: open it safely, judge its head, call its format's reader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.documents.formats import MAX_FILE_BYTES, format_of
from engine.documents.passages import split
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


def read_document(path: str) -> Document:
    """The document at `path` (made by `os.fsdecode`).

    Raises:
        UnreadableDocument: it cannot be opened or read, and why.
    """
    return document_of(read_bytes(path), os.path.basename(path))


def document_of(data: bytes, name: str) -> Document:
    """The document that `data`, the bytes of a file called `name`, make.

    Raises:
        UnreadableDocument: they cannot be read, and why.
    """
    document = format_of(name).load()(data, name)
    if not document.text.strip():
        raise UnreadableDocument("The file holds no text.")
    return document


def read_passages(path: str, tokenizer: Tokenizer) -> ReadDocument:
    """The document at `path`, split.

    Raises:
        UnreadableDocument: it cannot be opened or read, and why.
    """
    document = read_document(path)
    return ReadDocument(
        title=" ".join(document.title.split())[:300],
        kind=format_of(os.path.basename(path)).kind,
        pages=len(document.pages),
        characters=len(document.text),
        passages=split(document, tokenizer),
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
