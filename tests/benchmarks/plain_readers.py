"""What the best plain library for each format reads: the measure for our own readers.

Each function takes a file's bytes and gives all text it finds, in its order; it may raise
what it likes, which counts as not read.
"""

from __future__ import annotations

import csv
import email
import email.policy
import importlib
import io
import json
import mailbox
import posixpath
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import charset_normalizer

_lxml_html: Any = importlib.import_module("lxml.html")
_UNSEEN = ("script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object")


@dataclass(frozen=True)
class PlainReader:
    """A library that reads a format, and how."""

    name: str
    read: Callable[[bytes], str]


def text(data: bytes) -> str:
    """UTF-8, else what charset-normalizer takes it for."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data).best()
        return str(best) if best is not None else ""


def pdf(data: bytes) -> str:
    """Every page as PDFium gives it."""
    pdfium: Any = importlib.import_module("pypdfium2")
    with pdfium.PdfDocument(data) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def docx(data: bytes) -> str:
    """Paragraphs and tables of the body in order."""
    module: Any = importlib.import_module("docx")
    document = module.Document(io.BytesIO(data))

    def blocks(parent: Any) -> Iterator[str]:
        for block in parent.iter_inner_content():
            if hasattr(block, "rows"):
                for row in block.rows:
                    for cell in row.cells:
                        yield from blocks(cell)
            else:
                yield block.text

    return "\n".join(blocks(document))


def pptx(data: bytes) -> str:
    """Text frames, tables and notes of every slide, in groups too."""
    module: Any = importlib.import_module("pptx")
    found: list[str] = []

    def shapes(all_of: Any) -> Iterator[Any]:
        for shape in all_of:
            if hasattr(shape, "shapes"):
                yield from shapes(shape.shapes)
            else:
                yield shape

    for slide in module.Presentation(io.BytesIO(data)).slides:
        for shape in shapes(slide.shapes):
            if shape.has_text_frame:
                found.append(shape.text_frame.text)
            if getattr(shape, "has_table", False):
                found += [cell.text for row in shape.table.rows for cell in row.cells]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            found.append(slide.notes_slide.notes_text_frame.text)
    return "\n".join(found)


def html(data: bytes) -> str:
    """The page's text as lxml parses it, without what a browser does not show."""
    root = _lxml_html.document_fromstring(text(data).encode("utf-8"), parser=_utf8_parser())
    for element in list(root.iter(*_UNSEEN)):
        if element.getparent() is not None:
            element.drop_tree()
    return "\n".join(piece for piece in root.itertext() if isinstance(piece, str))


def _utf8_parser() -> Any:
    return _lxml_html.HTMLParser(encoding="utf-8")


def eml(data: bytes) -> str:
    """From, To, Subject and the text parts, by the standard library."""
    message: Any = email.message_from_bytes(data, policy=email.policy.default)
    found = [str(message[name] or "") for name in ("from", "to", "subject")]
    for part in _shown_parts(message):
        content = str(part.get_content())
        found.append(
            html(content.encode()) if part.get_content_subtype() == "html" else content
        )
    return "\n".join(found)


def _shown_parts(message: Any) -> Iterator[Any]:
    """Plain text and HTML parts; of alternatives the plain one."""
    kind = message.get_content_type()
    if kind in ("text/plain", "text/html"):
        yield message
    elif message.is_multipart():
        inner = list(message.iter_parts())
        if kind == "multipart/alternative":
            plain = [part for part in inner if part.get_content_type() == "text/plain"]
            inner = plain or inner[-1:]
        for part in inner:
            yield from _shown_parts(part)


def mbox(data: bytes) -> str:
    """Every message of a mailbox, by the standard library."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "box"
        path.write_bytes(data)
        box = mailbox.mbox(path, create=False)
        found = [eml(bytes(message)) for message in box]
        box.close()
    return "\n".join(found)


def epub(data: bytes) -> str:
    """The chapters of the spine, by zipfile and lxml."""
    etree: Any = importlib.import_module("lxml.etree")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        container = etree.fromstring(book.read("META-INF/container.xml"))
        main = container.xpath("//*[local-name()='rootfile']/@full-path")[0]
        package = etree.fromstring(book.read(main))
        items = {
            item.get("id"): item.get("href")
            for item in package.xpath("//*[local-name()='manifest']/*")
        }
        chapters = package.xpath("//*[local-name()='spine']/*/@idref")
        names = [posixpath.join(posixpath.dirname(main), items[c]) for c in chapters]
        return "\n".join(html(book.read(name)) for name in names if name in book.namelist())


def xlsx(data: bytes) -> str:
    """Stored values by openpyxl."""
    openpyxl: Any = importlib.import_module("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    found: list[str] = []
    for sheet in book.worksheets:
        found.append(sheet.title)
        for row in sheet.iter_rows(values_only=True):
            found += [
                str(value).removesuffix(" 00:00:00") for value in row if value is not None
            ]
    return "\n".join(found)


def _odf(data: bytes, *wanted: str) -> str:
    load: Any = importlib.import_module("odf.opendocument").load
    extract: Any = importlib.import_module("odf.teletype").extractText
    elements: Any = importlib.import_module("odf.text")
    document = load(io.BytesIO(data))
    kinds = [getattr(elements, name)().qname for name in wanted if name != "H"]
    if "H" in wanted:
        kinds.append(elements.H(outlinelevel=1).qname)
    found: list[str] = []
    stack = [document.body]
    while stack:
        node = stack.pop()
        if getattr(node, "qname", None) in kinds:
            found.append(str(extract(node)))
            continue
        stack.extend(reversed(getattr(node, "childNodes", [])))
    return "\n".join(found)


def odf(data: bytes) -> str:
    """Paragraphs and headings by odfpy, wherever they stand."""
    return _odf(data, "P", "H")


def rtf(data: bytes) -> str:
    """striprtf's text."""
    convert: Any = importlib.import_module("striprtf.striprtf").rtf_to_text
    return str(convert(data.decode("latin-1"), errors="replace"))


def delimited(data: bytes) -> str:
    """Every field by the csv module, its dialect guessed from the first lines."""
    content = text(data)
    try:
        dialect: Any = csv.Sniffer().sniff(content[:4096], ",;\t|")
    except csv.Error:
        dialect = "excel"
    rows = csv.reader(io.StringIO(content), dialect)
    return "\n".join(field for row in rows for field in row)


def _scalars(value: Any) -> Iterator[str]:
    """Keys and values, in order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)
    elif isinstance(value, str):
        yield value
    elif value is not None:
        yield json.dumps(value)


def json_(data: bytes) -> str:
    """Keys and values by the json module."""
    return "\n".join(_scalars(json.loads(text(data))))


def json_lines(data: bytes) -> str:
    """The same, a document a line."""
    lines = (line for line in text(data).splitlines() if line.strip())
    return "\n".join(piece for line in lines for piece in _scalars(json.loads(line)))


def ipynb(data: bytes) -> str:
    """Sources of all cells and their plain outputs, by the json module."""
    found: list[str] = []
    for cell in json.loads(text(data))["cells"]:
        found.append("".join(cell["source"]))
        for output in cell.get("outputs", []):
            said = output.get("text") or output.get("data", {}).get("text/plain") or ""
            found.append("".join(said))
    return "\n".join(found)


def rst(data: bytes) -> str:
    """The document tree's text by docutils."""
    publish: Any = importlib.import_module("docutils.core").publish_doctree
    quiet = {"report_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    return str(publish(text(data), settings_overrides=quiet).astext())


READERS: dict[str, PlainReader] = {
    ".pdf": PlainReader("pdfium", pdf),
    ".docx": PlainReader("python-docx", docx),
    ".pptx": PlainReader("python-pptx", pptx),
    ".html": PlainReader("lxml", html),
    ".eml": PlainReader("stdlib email", eml),
    ".mbox": PlainReader("stdlib mailbox", mbox),
    ".epub": PlainReader("zipfile and lxml", epub),
    ".xlsx": PlainReader("openpyxl", xlsx),
    ".ods": PlainReader("odfpy", odf),
    ".odt": PlainReader("odfpy", odf),
    ".odp": PlainReader("odfpy", odf),
    ".rtf": PlainReader("striprtf", rtf),
    ".csv": PlainReader("stdlib csv", delimited),
    ".tsv": PlainReader("stdlib csv", delimited),
    ".json": PlainReader("stdlib json", json_),
    ".jsonl": PlainReader("stdlib json", json_lines),
    ".ipynb": PlainReader("stdlib json", ipynb),
    ".rst": PlainReader("docutils", rst),
}
TEXT = PlainReader("charset-normalizer", text)
"""For every other suffix."""
