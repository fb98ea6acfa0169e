"""Which reader reads which file: one table, and what is refused without opening it."""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from engine.documents.types import Document
from engine.errors import UnreadableDocument

MAX_FILE_BYTES = 200 << 20
"""A larger file is listed, not read: text of this size is a data set, not a document."""

ReadFunction = Callable[[bytes, str], Document]


@dataclass(frozen=True)
class Format:
    """A kind of document: its name for people, and the function that reads it."""

    kind: str
    module: str
    function: str

    def load(self) -> ReadFunction:
        """Import the reader; only reader processes do this."""
        module = importlib.import_module(f"engine.documents.readers.{self.module}")
        return cast(ReadFunction, getattr(module, self.function))


PDF = Format("PDF", "pdf", "read_pdf")
DOCX = Format("Word", "docx", "read_docx")
HTML = Format("HTML", "html", "read_html")
MARKDOWN = Format("Markdown", "markdown", "read_markdown")
TEXT = Format("Text", "text", "read_text")
XML = Format("XML", "text", "read_xml")

FORMATS: dict[str, Format] = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".docm": DOCX,
    ".dotx": DOCX,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdown": MARKDOWN,
    ".xml": XML,
    ".txt": TEXT,
}
"""Any other suffix is read as text when its bytes are text; most of a person's unknown
files are (logs, notes without a suffix, source code), and a binary is told by its head."""

_NOT_READ: dict[str, str] = {
    "Pictures are not read by this version.": ".png .jpg .jpeg .gif .bmp .tif .tiff .webp "
    ".heic .ico .svgz .psd .raw .cr2 .nef .avif",
    "Sound and video are not read by this version.": ".mp3 .wav .flac .ogg .m4a .aac .mp4 "
    ".mkv .avi .mov .webm .wmv .mpg .mpeg",
    "Archives are not opened; unpack it to have its files read.": ".zip .gz .bz2 .xz .zst .7z "
    ".rar .tar .tgz .jar .iso .dmg",
    "This kind of document is not read by this version.": ".doc .xls .xlsx .xlsm .ppt .pptx "
    ".odt .ods .odp .epub .rtf .mobi .azw3 .pages .numbers .key .msg .pst .one .vsd .vsdx",
    "This is a program's data, not a document.": ".gguf .safetensors .onnx .sqlite .sqlite3 "
    ".db .mdb .parquet .feather .npy .npz .pkl .pyc .so .dll .dylib .o .a .class .wasm .ttf "
    ".otf .woff .woff2",
}
_REFUSED = {suffix: reason for reason, names in _NOT_READ.items() for suffix in names.split()}

_SECRETS = frozenset({".env", ".pem", ".p12", ".pfx", ".kdbx", ".keystore", ".jks", ".gpg"})
_SECRET_NAMES = frozenset({"id_rsa", "id_ed25519", "id_ecdsa", ".netrc", ".pgpass", ".env"})


def classify(path: bytes, about: os.stat_result) -> str:
    """The kind of document at `path`, judged by name, type and size alone.

    Args:
        path: the file's full name.
        about: its `os.lstat`.

    Raises:
        UnreadableDocument: it is not going to be read, and why.
    """
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableDocument("Not a regular file.")
    name = os.fsdecode(os.path.basename(path))
    suffix = suffix_of(name)
    if suffix in _SECRETS or name.lower() in _SECRET_NAMES:
        raise UnreadableDocument("Left out: files of this name usually hold passwords or keys.")
    if name.startswith("~$"):
        raise UnreadableDocument("Left out: a lock file of an office program.")
    if suffix in _REFUSED:
        raise UnreadableDocument(_REFUSED[suffix])
    if about.st_size == 0:
        raise UnreadableDocument("The file is empty.")
    if about.st_size > MAX_FILE_BYTES:
        raise UnreadableDocument(f"The file is larger than {MAX_FILE_BYTES >> 20} MB.")
    return format_of(name).kind


def format_of(name: str) -> Format:
    """The format for a file name; text when the suffix is unknown."""
    return FORMATS.get(suffix_of(name), TEXT)


def suffix_of(name: str) -> str:
    """The lower-case suffix with its dot; "" for ".hidden" and for names without one."""
    stem, dot, suffix = name.strip().lower().rpartition(".")
    return dot + suffix if stem else ""
