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

ReadFunction = Callable[..., Document]
"""(data, name), and the `Scan` where the format's pages can be scans."""


@dataclass(frozen=True)
class Format:
    """A kind of document: its name for people, and the function that reads it."""

    kind: str
    module: str
    function: str
    scans: bool = False
    """Its pages can be pictures of text: its reader also takes what OCR found on them."""

    def load(self) -> ReadFunction:
        """Import the reader; only reader processes do this."""
        module = importlib.import_module(f"engine.documents.readers.{self.module}")
        return cast(ReadFunction, getattr(module, self.function))


PDF = Format("PDF", "pdf", "read_pdf", scans=True)
PICTURE = Format("Picture", "picture", "read_picture", scans=True)
DOCX = Format("Word", "docx", "read_docx")
HTML = Format("HTML", "html", "read_html")
MARKDOWN = Format("Markdown", "markdown", "read_markdown")
TEXT = Format("Text", "text", "read_text")
XML = Format("XML", "text", "read_xml")
CSV = Format("CSV", "delimited", "read_delimited")
JSON = Format("JSON", "records", "read_json")
JSON_LINES = Format("JSON", "records", "read_json_lines")
MAIL = Format("Mail", "mail", "read_mail")
APPLE_MAIL = Format("Mail", "mail", "read_apple_mail")
MAILBOX = Format("Mail", "mail", "read_mailbox")
CODE = Format("Source code", "code", "read_code")
CODE_LINES = Format("Source code", "code", "read_lines")
LATEX = Format("LaTeX", "code", "read_latex")
LOG = Format("Log", "code", "read_lines")
CONFIGURATION = Format("Configuration", "code", "read_lines")
NOTEBOOK = Format("Notebook", "notebook", "read_notebook")
RST = Format("reStructuredText", "rst", "read_rst")
WEB_ARCHIVE = Format("Web archive", "mail", "read_mail")
EPUB = Format("EPUB", "epub", "read_epub")
POWERPOINT = Format("PowerPoint", "pptx", "read_pptx")
SPREADSHEET = Format("Spreadsheet", "spreadsheet", "read_spreadsheet")
ODT = Format("OpenDocument text", "odt", "read_odt")
ODP = Format("OpenDocument slides", "odp", "read_odp")
RTF = Format("RTF", "rtf", "read_rtf")

# The readers know which of these they have a grammar for: `readers.code.LANGUAGES`.
_CODE = """
    .sh .bash .zsh .ksh .bats .c .h .hh .hpp .hxx .cc .cpp .cxx .ino .cs .csx .go .java
    .js .mjs .cjs .jsx .php .phtml .py .pyi .pyw .rb .rake .gemspec .rs .ts .mts .cts .tsx
"""
_CODE_LINES = """
    .kt .kts .swift .scala .groovy .gradle .sql .lua .r .jl .m .mm .pl .pm .ps1 .psm1 .bat
    .cmd .vb .vbs .bas .pas .dart .ex .exs .erl .hrl .hs .lhs .ml .mli .fs .fsx .clj .cljs
    .edn .lisp .el .scm .rkt .nim .zig .d .v .sv .vhd .vhdl .asm .s .f .f90 .f95 .for .cob
    .cbl .awk .sed .tcl .fish .css .scss .sass .less .vue .svelte .astro .graphql .gql
    .proto .thrift .cmake .mk .ninja .bzl .bazel .nix .tf .hcl .dockerfile .jinja .j2
    .tmpl .mustache .twig .erb .cu .cl .glsl .wgsl .hlsl .sol .wat .diff .patch
"""
_CONFIGURATION = """
    .yaml .yml .toml .ini .cfg .conf .config .properties .editorconfig .reg .desktop
    .service .plist
"""
_NAMES: dict[str, Format] = {
    "makefile": CODE_LINES,
    "gnumakefile": CODE_LINES,
    "dockerfile": CODE_LINES,
    "cmakelists.txt": CODE_LINES,
    "rakefile": CODE_LINES,
    "gemfile": CODE_LINES,
    "jenkinsfile": CODE_LINES,
}

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
    ".epub": EPUB,
    ".ipynb": NOTEBOOK,
    ".rst": RST,
    ".rest": RST,
    ".eml": MAIL,
    ".emlx": APPLE_MAIL,
    ".mht": WEB_ARCHIVE,
    ".mhtml": WEB_ARCHIVE,
    ".mbox": MAILBOX,
    ".mbx": MAILBOX,
    ".json": JSON,
    ".geojson": JSON,
    ".jsonc": JSON,
    ".json5": JSON,
    ".har": JSON,
    ".webmanifest": JSON,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".csv": CSV,
    ".tsv": CSV,
    ".tab": CSV,
    ".psv": CSV,
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), POWERPOINT),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".xls"), SPREADSHEET),
    **dict.fromkeys((".ods", ".ots", ".fods"), SPREADSHEET),
    **dict.fromkeys((".odt", ".ott", ".fodt"), ODT),
    **dict.fromkeys((".odp", ".otp", ".fodp"), ODP),
    ".rtf": RTF,
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"), PICTURE),
    **dict.fromkeys((".gif", ".jfif"), PICTURE),
    **dict.fromkeys(_CODE.split(), CODE),
    **dict.fromkeys(_CODE_LINES.split(), CODE_LINES),
    **dict.fromkeys(_CONFIGURATION.split(), CONFIGURATION),
    **dict.fromkeys((".tex", ".ltx", ".sty", ".cls"), LATEX),
    ".bib": Format("Bibliography", "code", "read_lines"),
    ".log": LOG,
    ".txt": TEXT,
}
"""Any other suffix is read as text when its bytes are text; most of a person's unknown
files are (logs, notes without a suffix, source code), and a binary is told by its head."""

_NOT_READ: dict[str, str] = {
    "Pictures of this kind are not read by this version.": ".heic .ico .svgz .psd .raw .cr2 "
    ".nef .avif",
    "Sound and video are not read by this version.": ".mp3 .wav .flac .ogg .m4a .aac .mp4 "
    ".mkv .avi .mov .webm .wmv .mpg .mpeg",
    "Archives are not opened; unpack it to have its files read.": ".zip .gz .bz2 .xz .zst .7z "
    ".rar .tar .tgz .jar .iso .dmg",
    "This is an old Word file. Open it and save it as .docx to have it read.": ".doc .dot",
    "This is an old PowerPoint file. Open it and save it as .pptx to have it read.": ".ppt "
    ".pps .pot",
    "This kind of document is not read by this version.": ".mobi .azw3 .pages .numbers .key "
    ".msg .pst .one .vsd .vsdx",
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
    refuse_by_name(name)
    if about.st_size == 0:
        raise UnreadableDocument("The file is empty.")
    if about.st_size > MAX_FILE_BYTES:
        raise UnreadableDocument(f"The file is larger than {MAX_FILE_BYTES >> 20} MB.")
    return format_of(name).kind


def refuse_by_name(name: str) -> None:
    """Refuse what is not read whatever it holds.

    Raises:
        UnreadableDocument: a file of this name is not going to be read, and why.
    """
    suffix = suffix_of(name)
    if suffix in _SECRETS or name.lower() in _SECRET_NAMES:
        raise UnreadableDocument("Left out: files of this name usually hold passwords or keys.")
    if name.startswith("~$"):
        raise UnreadableDocument("Left out: a lock file of an office program.")
    if suffix in _REFUSED:
        raise UnreadableDocument(_REFUSED[suffix])


def format_of(name: str) -> Format:
    """The format for a file name; text when the suffix is unknown."""
    named = _NAMES.get(name.strip().lower())
    return named or FORMATS.get(suffix_of(name), TEXT)


def suffix_of(name: str) -> str:
    """The lower-case suffix with its dot; "" for ".hidden" and for names without one."""
    stem, dot, suffix = name.strip().lower().rpartition(".")
    return dot + suffix if stem else ""
