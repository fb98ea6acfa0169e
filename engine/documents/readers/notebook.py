"""Jupyter notebooks (nbformat 3 and 4, https://nbformat.readthedocs.io): cells in order.

Written cells go through the Markdown reader, code stays code, and what a cell printed follows
it, shortened: a training log is no reading matter.
"""

from __future__ import annotations

import json
import re
from typing import cast

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.markdown import heading_text, read_markdown
from engine.documents.readers.text import decode, read_text
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_OUTPUT_CHARACTERS = 2_000
_OUTPUTS_A_CELL = 10
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_WORDY = ("text/plain", "text/markdown", "text/latex")

_Object = dict[str, object]


def read_notebook(data: bytes, name: str) -> Document:
    """The cells of a notebook, each a unit of its own; no notebook after all is text.

    Raises:
        UnreadableDocument: not text, or more of it than can be indexed.
    """
    try:
        notebook = _object(json.loads(decode(data)))
    except (ValueError, RecursionError):
        return read_text(data, name)
    cells = _cells(notebook)
    if not cells:
        if "nbformat" in notebook:
            raise UnreadableDocument("The notebook has no cells.")
        return read_text(data, name)
    builder = DocumentBuilder("cell")
    for number, cell in enumerate(cells, 1):
        builder.anchor(number)
        _add_cell(builder, cell)
    named = _text(_object(notebook.get("metadata")).get("title"))
    return builder.document(named or heading_text(builder.heading()))


def _add_cell(builder: DocumentBuilder, cell: _Object) -> None:
    kind = cell.get("cell_type")
    source = _text(cell.get("source") or cell.get("input"))
    if kind == "code":
        builder.add("code", source)
        for output in _objects(cell.get("outputs"))[:_OUTPUTS_A_CELL]:
            builder.add("code", _shortened(_printed(output)))
    elif kind == "heading":  # nbformat 3
        level = cell.get("level")
        builder.add("heading", source, level if isinstance(level, int) and 0 < level < 7 else 1)
    elif kind == "markdown" and source.strip():
        builder.append(read_markdown(source.encode("utf-8", "replace"), ""))
    else:
        builder.add("paragraph", source)


def _cells(notebook: _Object) -> list[_Object]:
    """The cells; nbformat 3 keeps them in worksheets."""
    cells = _objects(notebook.get("cells"))
    for sheet in _objects(notebook.get("worksheets")):
        cells += _objects(sheet.get("cells"))
    return cells


def _printed(output: _Object) -> str:
    """The words of one output; pictures and widgets have none."""
    trace = output.get("traceback")
    if trace:
        return _text(trace, "\n")
    data = _object(output.get("data"))
    for kind in _WORDY:
        if data.get(kind):
            return _text(data[kind])
    return _text(output.get("text"))


def _shortened(text: str) -> str:
    text = _TERMINAL.sub("", text).replace("\r\n", "\n")
    # A progress bar writes its line again and again; the last time counts.
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    if len(text) <= _OUTPUT_CHARACTERS:
        return text
    half = _OUTPUT_CHARACTERS // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half} more characters)\n{text[-half:]}"


def _text(value: object, between: str = "") -> str:
    """A string, or a list of its lines."""
    if isinstance(value, list):
        return between.join(one for one in cast(list[object], value) if isinstance(one, str))
    return value if isinstance(value, str) else ""


def _object(value: object) -> _Object:
    return cast(_Object, value) if isinstance(value, dict) else {}


def _objects(value: object) -> list[_Object]:
    items = cast(list[object], value) if isinstance(value, list) else []
    return [cast(_Object, one) for one in items if isinstance(one, dict)]
