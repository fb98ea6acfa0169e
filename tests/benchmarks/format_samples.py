"""Writes files of the formats that no stress corpus has, plain and awkward ones.

Each format gets a folder with the same kinds of content: prose in several scripts, headings,
lists, tables, numbers; then what breaks readers: other encodings, empty parts, merged cells,
line breaks within fields, and one file cut short.
"""

from __future__ import annotations

import csv
import datetime
import email.message
import email.policy
import importlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEED = 11
FILES = 12
_SENTENCES = [
    "The harbour master reads the gauge at noon and writes it into the book.",
    "Petrol is stored in the red shed, 40 metres from the quay.",
    "Der Pegel stieg am Dienstag um 14 Zentimeter über den Mittelwert.",
    "Fartøjer over 12 meter skal anmeldes senest tre dage før ankomst.",
    "Les réservations sont confirmées par écrit à l'équipage.",
    "Лодки длиной более семи метров стоят у северного причала.",
    "港の事務所は午前九時に開きます。",
    "يغلق الميناء أبوابه عند منتصف الليل.",
    "In 2023 the station counted 1,204 arrivals and 1,187 departures.",
    "Every crew keeps a copy of the rules on board; fines start at 250 EUR.",
]
_ITEMS = ["Desk", "Lamp", "Rope", "Ladder", "Båt", "Überzug", "Pump", "Buoy", "Кран", "灯台"]
_CODE = {
    "py": 'class Gauge:\n    """Reads."""\n\n    def read(self):\n        return {w!r}\n',
    "js": "export class Gauge {{\n  // Reads the tide\n  read(at) {{ return {w!r}; }}\n}}\n",
    "go": "package tide\n\n// Read reads the gauge.\nfunc Read() string {{ return {d} }}\n",
    "rs": "/// Reads the gauge.\npub fn read(at: u32) -> String {{ String::from({d}) }}\n",
    "java": "class Gauge {{\n  /** Reads. */ String read(int at) {{ return {d}; }}\n}}\n",
    "c": "/* Reads the gauge. */\nconst char *gauge_read(int at) {{ return {d}; }}\n",
}


class Sampler:
    """Content for one file, the same in every run."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._random = random.Random(SEED * 1000 + number)

    def sentence(self) -> str:
        return f"{self._random.choice(_SENTENCES)[:-1]} {self._random.randint(1, 9999)}."

    def prose(self) -> str:
        return " ".join(self.sentence() for _ in range(self._random.randint(2, 9)))

    def sections(self) -> list[tuple[str, list[str]]]:
        """Headings with the paragraphs under them."""
        return [
            (f"Section {n} of file {self.number}", [self.prose() for _ in range(3)])
            for n in range(1, self._random.randint(3, 6))
        ]

    def rows(self) -> list[list[Any]]:
        """A header row, then a word, a whole number, a fraction, a day and a sentence."""
        rows: list[list[Any]] = [["Item", "Count", "Price", "Bought", "Remark"]]
        for _ in range(self._random.randint(20, 60)):
            day = datetime.date(2024, 1, 1) + datetime.timedelta(self._random.randint(0, 364))
            price = self._random.randint(100, 99_999) / 100
            item = self._random.choice(_ITEMS)
            rows.append([item, self._random.randint(1, 900), price, day, self.sentence()])
        return rows


def write_samples(root: Path) -> list[Path]:
    """One folder a format below `root`."""
    folders: list[Path] = []
    for suffix, make in _MAKERS.items():
        folder = root / suffix
        folder.mkdir(parents=True)
        for number in range(FILES):
            name = f"{number:02d}.{suffix}"
            data = make(Sampler(number))
            if number == FILES - 1:
                data = data[: len(data) * 2 // 3]
                name = f"cut-short.{suffix}"
            (folder / name).write_bytes(data)
        folders.append(folder)
    folders.append(_code(root / "code"))
    return folders


def _code(folder: Path) -> Path:
    folder.mkdir()
    for number in range(FILES):
        sample = Sampler(number)
        for suffix, form in _CODE.items():
            words = sample.sentence()
            text = "\n".join(form.format(w=words, d=json.dumps(words)) for _ in range(4))
            (folder / f"gauge{number}.{suffix}").write_text(text, "utf-8")
    return folder


def _saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def xlsx(sample: Sampler) -> bytes:
    """A titled table with a gap, merged cells, an empty and a hidden sheet."""
    openpyxl: Any = importlib.import_module("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = f"Costs {sample.number}"
    if sample.number % 3 == 1:
        sheet.append(["Costs of the harbour"])
        sheet.merge_cells("A1:C1")
        sheet.append([])
    for row in sample.rows():
        sheet.append(row)
    book.create_sheet("Empty")
    other = book.create_sheet("More & more")
    other.sheet_state = "hidden" if sample.number % 2 else "visible"
    for row in sample.rows():
        other.append([row[0], row[4]])
    return _saved(book)


def ods(sample: Sampler) -> bytes:
    """A table by odfpy."""
    elements = _odf_elements()
    made = elements["opendocument"].OpenDocumentSpreadsheet()
    made.spreadsheet.addElement(_odf_table(sample.rows(), name=f"Costs {sample.number}"))
    return _saved(made)


def odt(sample: Sampler) -> bytes:
    """Headings, paragraphs, a list and a table by odfpy."""
    elements = _odf_elements()
    text = elements["text"]
    made = elements["opendocument"].OpenDocumentText()
    for heading, paragraphs in sample.sections():
        made.text.addElement(text.H(outlinelevel=1, text=heading))
        for paragraph in paragraphs:
            made.text.addElement(text.P(text=paragraph))
    items = text.List()
    for name in _ITEMS:
        item = text.ListItem()
        item.addElement(text.P(text=name))
        items.addElement(item)
    made.text.addElement(items)
    made.text.addElement(_odf_table(sample.rows()))
    return _saved(made)


def odp(sample: Sampler) -> bytes:
    """Slides with a text box each by odfpy."""
    elements = _odf_elements()
    draw, style, text = elements["draw"], elements["style"], elements["text"]
    made = elements["opendocument"].OpenDocumentPresentation()
    made.automaticstyles.addElement(style.PageLayout(name="L"))
    made.masterstyles.addElement(style.MasterPage(name="M", pagelayoutname="L"))
    for heading, paragraphs in sample.sections():
        page = draw.Page(masterpagename="M")
        for lines in ([heading], paragraphs):
            frame = draw.Frame(width="10cm", height="5cm")
            box = draw.TextBox()
            for line in lines:
                box.addElement(text.P(text=line))
            frame.addElement(box)
            page.addElement(frame)
        made.presentation.addElement(page)
    return _saved(made)


def _odf_elements() -> dict[str, Any]:
    names = ("opendocument", "text", "table", "draw", "style")
    return {name: importlib.import_module(f"odf.{name}") for name in names}


def _odf_table(rows: list[list[Any]], **named: str) -> Any:
    elements = _odf_elements()
    table, text = elements["table"], elements["text"]
    made = table.Table(**named)
    for row in rows:
        line = table.TableRow()
        for value in row:
            cell = table.TableCell(valuetype="string")
            cell.addElement(text.P(text=str(value)))
            line.addElement(cell)
        made.addElement(line)
    return made


def rtf(sample: Sampler) -> bytes:
    """Unicode escapes, Cyrillic and Japanese code pages, headings and a table."""

    def escaped(text: str) -> str:
        return "".join(c if ord(c) < 128 else f"\\u{_signed(c)}?" for c in text)

    head = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}"
        r"{\f2\fcharset128 Mincho;}}{\stylesheet{\s1 heading 1;}}"
    )
    body = [r"{\info{\title Sample}}"]
    for heading, paragraphs in sample.sections():
        body.append(rf"\pard\s1 {escaped(heading)}\par\pard")
        body += [rf"{escaped(paragraph)}\par" for paragraph in paragraphs]
    for number, codec in ((1, "cp1251"), (2, "cp932")):
        words = ("Северный причал закрыт", "港の事務所")[number - 1].encode(codec)
        coded = "".join(rf"\'{byte:02x}" for byte in words)
        body.append(rf"{{\f{number} {coded}}}\par")
    for row in sample.rows():
        cells = "".join(rf"{escaped(str(value))}\cell " for value in row)
        body.append(
            rf"\trowd\cellx1000\cellx2000\cellx3000\cellx4000\cellx9000\intbl {cells}\row"
        )
    return (head + "\n".join(body) + "}").encode("ascii")


def _signed(char: str) -> int:
    code = ord(char)
    return code - 0x10000 if code > 0x7FFF else code


def delimited(sample: Sampler) -> bytes:
    """Commas, semicolons or tabs; UTF-8, with a mark, UTF-16 or Latin-1; quoted line breaks."""
    rows = sample.rows()
    rows[2][4] = 'said "aye,\nsir"; left'
    encoding = ("utf-8", "utf-8-sig", "utf-16", "latin-1")[sample.number % 4]
    stream = io.StringIO()
    csv.writer(stream, delimiter=",;\t"[sample.number % 3]).writerows(rows)
    return stream.getvalue().encode(encoding, "replace")


def tabbed(sample: Sampler) -> bytes:
    """Tabs."""
    stream = io.StringIO()
    csv.writer(stream, delimiter="\t").writerows(sample.rows())
    return stream.getvalue().encode()


def _records(sample: Sampler) -> list[dict[str, Any]]:
    head, *rows = sample.rows()
    return [
        {**dict(zip(head, map(str, row), strict=True)), "tags": [row[0], {"deep": [row[1]]}]}
        for row in rows
    ]


def json_(sample: Sampler) -> bytes:
    """Nested records."""
    data = {"harbour": "North", "open": True, "records": _records(sample)}
    ascii_only = bool(sample.number % 2)
    return json.dumps(data, indent=sample.number % 3 or None, ensure_ascii=ascii_only).encode()


def json_lines(sample: Sampler) -> bytes:
    """A record a line."""
    return "\n".join(json.dumps(r, ensure_ascii=False) for r in _records(sample)).encode()


def ipynb(sample: Sampler) -> bytes:
    """Markdown and code cells with outputs."""
    cells: list[dict[str, Any]] = []
    for heading, paragraphs in sample.sections():
        source = [f"# {heading}\n", "\n", *[f"{p}\n" for p in paragraphs]]
        cells.append({"cell_type": "markdown", "metadata": {}, "source": source})
        output = {"output_type": "stream", "name": "stdout", "text": [sample.sentence()]}
        code = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [output]}
        cells.append({**code, "source": [f"print({sample.sentence()!r})"]})
    meta = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python"}}
    return json.dumps(
        {"cells": cells, "metadata": meta, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def rst(sample: Sampler) -> bytes:
    """Titles, paragraphs, lists, a note, code and a table."""
    lines: list[str] = []
    for heading, paragraphs in sample.sections():
        lines += [heading, "=" * len(heading), ""]
        for paragraph in paragraphs:
            lines += [paragraph, ""]
        lines += [f"* {sample.sentence()}" for _ in range(3)]
        lines += ["", ".. note::", "", f"   {sample.sentence()}", "", "Example::", ""]
        lines += ["   gauge.read(at=12)", "", "====== =====", "Boat   Length", "====== ====="]
        lines += ["Terna  7 m", "Saga   9 m", "====== =====", ""]
    return "\n".join(lines).encode()


def mbox(sample: Sampler) -> bytes:
    """Messages in several encodings; every other one also has HTML and an attachment."""
    parts: list[bytes] = []
    for number in range(4):
        message = email.message.EmailMessage(policy=email.policy.SMTP.clone(linesep="\n"))
        message["From"] = f"Ida {number} <ida{number}@example.org>"
        message["To"] = "Bo Ærø <bo@example.org>"
        message["Subject"] = sample.sentence()
        message["Date"] = "Tue, 05 Mar 2024 10:30:00 +0100"
        message.set_content(sample.prose() + "\nFrom here on it is quiet.\n")
        if number % 2:
            message.add_alternative(f"<p>{sample.prose()}</p>", subtype="html")
            message.add_attachment(sample.prose(), filename="note.txt")
        raw = message.as_bytes().replace(b"\nFrom ", b"\n>From ")
        parts.append(b"From ida@example.org Tue Mar  5 10:30:00 2024\n" + raw + b"\n")
    return b"".join(parts)


_MAKERS: dict[str, Callable[[Sampler], bytes]] = {
    "xlsx": xlsx,
    "ods": ods,
    "odt": odt,
    "odp": odp,
    "rtf": rtf,
    "csv": delimited,
    "tsv": tabbed,
    "json": json_,
    "jsonl": json_lines,
    "ipynb": ipynb,
    "rst": rst,
    "mbox": mbox,
}
SUFFIXES = (*_MAKERS, "code")
"""Names of the folders that `write_samples` makes."""
