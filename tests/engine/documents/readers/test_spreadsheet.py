"""Spreadsheets: cells as a person sees them, places a person can go to, and hostile files."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import io
import random
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import reading
from engine.documents.passages import split
from engine.documents.places import PlaceFinder
from engine.documents.pool import ReaderPool
from engine.documents.readers import sheets
from engine.documents.readers.numbers import format_of_code, shown
from engine.documents.readers.sheets import column_name, column_number
from engine.documents.readers.spreadsheet import read_spreadsheet
from engine.documents.types import Document
from engine.errors import UnreadableDocument, WorkerCrashed
from engine.paths import starter_dir
from tests.engine.documents.readers.old_excel import xls, xlsb

openpyxl: Any = importlib.import_module("openpyxl")
comments: Any = importlib.import_module("openpyxl.comments")
opendocument: Any = importlib.import_module("odf.opendocument")
table: Any = importlib.import_module("odf.table")
text: Any = importlib.import_module("odf.text")
office: Any = importlib.import_module("odf.office")


TOKENIZER = starter_dir() / "all-MiniLM-L6-v2" / "tokenizer.json"


def saved(book: Any) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def workbook(rows: list[list[Any]], name: str = "Budget") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    return saved(book)


def budget() -> bytes:
    """Two tables with titles, a comment, an empty and a hidden sheet, formats of all kinds."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Budget 2024"
    sheet["B2"] = "Costs of the harbour"
    sheet.append([])
    rows = [
        ["Item", "Cost", "Bought", "Share", "Paid"],
        ["Desk", 1234.5, datetime.date(2024, 3, 5), 0.256, True],
        ["Lamp", 0.1 + 0.2, datetime.datetime(2024, 3, 5, 10, 30), 1, False],
    ]
    for number, row in enumerate(rows, 4):
        for column, value in enumerate(row, 2):
            sheet.cell(number, column, value)
    sheet["C5"].number_format = '#,##0.00 "€"'
    sheet["E5"].number_format = "0.0%"
    sheet["B5"].comment = comments.Comment("Ask Ida first.", "Bo")
    for row, values in ((9, ["Who", "When"]), (10, ["Ida", datetime.time(9, 15)])):
        for column, value in enumerate(values, 2):
            sheet.cell(row, column, value)
    book.create_sheet("Empty")
    hidden = book.create_sheet("Sheet3")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "secret"
    hidden["A2"] = "=SUM(B1:B9)"
    book.properties.title = "Harbour budget"
    return saved(book)


BUDGET = budget()


def page(document: Document, number: int) -> str:
    span = document.pages[number - 1]
    return document.text[span.start : span.end]


def test_a_workbook_reads_as_on_the_screen() -> None:
    document = read_spreadsheet(BUDGET, "b.xlsx")
    assert document.title == "Harbour budget"
    assert [(p.label, p.columns) for p in document.pages] == [
        ("Budget 2024", "B:F"),
        ("Empty", ""),
        ("Sheet3", "A:A"),
    ]
    assert page(document, 1) == (
        "Budget 2024\n\n"
        "Costs of the harbour\n\n"
        "Item | Cost | Bought | Share | Paid\n"
        "Desk | 1234.50 € | 2024-03-05 | 25.6% | TRUE\n"
        "Lamp | 0.3 | 2024-03-05 10:30 | 1 | FALSE\n\n"
        "Who | When\n"
        "Ida | 09:15\n\n"
        "Comment on B5: Ask Ida first.\n\n"
    )
    assert page(document, 3) == "secret\n=SUM(B1:B9)\n\n"


def test_a_row_has_the_place_a_person_finds_it_at() -> None:
    document = read_spreadsheet(BUDGET, "b.xlsx")
    finder = PlaceFinder(document)

    def place(words: str) -> str:
        start = document.text.index(words)
        return finder.place_of(start, start + len(words))

    assert place("Costs of") == "'Budget 2024'!B2:F2"
    assert place("Lamp") == "'Budget 2024'!B6:F6"
    assert place("Desk | 1234.50 € | 2024-03-05 | 25.6% | TRUE\nLamp") == "'Budget 2024'!B5:F6"
    assert place("Ida | 09") == "'Budget 2024'!B10:F10"
    assert place("secret") == "Sheet3!A1:A1"


def test_each_table_has_its_own_header_row() -> None:
    document = read_spreadsheet(BUDGET, "b.xlsx")
    headers = [
        document.text[block.start : block.header_end]
        for block in document.blocks
        if block.header_end
    ]
    assert headers == ["Item | Cost | Bought | Share | Paid", "Who | When"]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([[1, 2], [3, 4], [5, 6]], ""),
        ([["Ida", datetime.date(2024, 3, 5)], ["Bo", datetime.date(2024, 3, 6)]], ""),
        ([["Ida", 1962], ["Bo", 1985]], ""),
        ([["Sales", 2018, 2019], ["Rope", 12.5, 14], ["Lamp", 7, 9]], "Sales | 2018 | 2019"),
        ([[None, 2018, 2019], ["Rope", 12.5, 14], ["Lamp", 7, 9]], "| 2018 | 2019"),
        (
            [["Item", datetime.date(2024, 1, 1)], ["Rope", 12.5], ["Lamp", 7]],
            "Item | 2024-01-01",
        ),
    ],
)
def test_what_counts_as_a_header_row(rows: list[list[Any]], header: str) -> None:
    document = read_spreadsheet(workbook(rows), "b.xlsx")
    [block] = [block for block in document.blocks if block.kind == "table"]
    found = document.text[block.start : block.header_end] if block.header_end else ""
    assert found == header


def test_every_passage_of_a_long_sheet_names_its_columns_and_rows() -> None:
    rows = [["Item", "Cost"], *[[f"thing number {n}", n] for n in range(1, 300)]]
    document = read_spreadsheet(workbook(rows), "b.xlsx")
    tokenizer = reading.load_tokenizer(TOKENIZER)
    passages = split(document, tokenizer)
    assert len(passages) > 5
    assert all(p.header == "Item | Cost" for p in passages[1:])
    for before, after in pairwise(passages):
        last = int(before.place.rpartition("B")[2])
        assert after.place.startswith(f"Budget!A{last + 1}:B")
    assert passages[0].place.startswith("Budget!A1:B")
    assert passages[-1].place.endswith(":B300")


@pytest.mark.parametrize("write", [xls, xlsb])
def test_the_binary_formats_read_the_same(write: Any) -> None:
    rows: list[list[str | float]] = [["Item", "Cost"], ["Løn", 12.5], ["Lamp", 3.0]]
    document = read_spreadsheet(write("Budget", rows), "b")
    assert document.text == "Budget\n\nItem | Cost\nLøn | 12.5\nLamp | 3\n\n"
    finder = PlaceFinder(document)
    assert finder.place_of(document.text.index("Lamp"), len(document.text)) == "Budget!A3:B3"


def spreadsheet() -> bytes:
    """An OpenDocument spreadsheet with repeated cells and rows, and a comment."""
    made = opendocument.OpenDocumentSpreadsheet()
    sheet = table.Table(name="Costs & more")

    def add(*values: Any, times: int = 1) -> None:
        row = table.TableRow(numberrowsrepeated=times)
        for value in values:
            if value is None:
                row.addElement(table.TableCell(numbercolumnsrepeated=2))
                continue
            if isinstance(value, str):
                cell = table.TableCell(valuetype="string")
            else:
                cell = table.TableCell(valuetype="float", value=value)
            cell.addElement(text.P(text=f"{value:.2f} €" if value == 250 else str(value)))
            row.addElement(cell)
        sheet.addElement(row)

    add("Item", "Cost", "Sum")
    add(None, times=3)
    add("Desk", 250, 7)
    add("Lamp", 3, 9, times=2)
    note = office.Annotation()
    note.addElement(text.P(text="Ask Ida first."))
    sheet.lastChild.lastChild.addElement(note)
    add(None, times=1_048_000)
    made.spreadsheet.addElement(sheet)
    return saved(made)


ODS = spreadsheet()


def flat_ods() -> bytes:
    """The same as one XML document."""
    with zipfile.ZipFile(io.BytesIO(ODS)) as archive:
        return archive.read("content.xml")


def test_an_opendocument_spreadsheet_reads_as_on_the_screen() -> None:
    document = read_spreadsheet(ODS, "b.ods")
    assert document.text == (
        "Costs & more\n\nItem | Cost | Sum\nDesk | 250.00 € | 7\nLamp | 3 | 9\nLamp | 3 | 9\n\n"
        "Comment in row 6: Ask Ida first.\n\n"
    )
    finder = PlaceFinder(document)
    at = document.text.index("Desk")
    assert finder.place_of(at, at + 60) == "'Costs & more'!A5:C7"


def test_a_flat_opendocument_file_reads_the_same() -> None:
    assert read_spreadsheet(flat_ods(), "b").text == read_spreadsheet(ODS, "b.ods").text


@pytest.mark.parametrize(
    ("main", "links"),
    [
        (
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        ),
        (
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
    ],
)
def test_a_workbook_as_excel_writes_it(main: str, links: str) -> None:
    """Shared strings with rich text and reading aids, styles, dates from 1904, no addresses."""
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"

    def relations(**targets: str) -> str:
        inner = "".join(
            f'<Relationship Id="{kind}" Type="{links}/{kind}" Target="{target}"/>'
            for kind, target in targets.items()
        )
        return f'<Relationships xmlns="{packages}">{inner}</Relationships>'

    contents = {
        "_rels/.rels": relations(officeDocument="xl/book.xml"),
        "xl/_rels/book.xml.rels": relations(
            worksheet="worksheets/one.xml",
            chartsheet="chartsheets/two.xml",
            sharedStrings="/xl/strings.xml",
            styles="styles.xml",
        ),
        "xl/book.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><workbookPr date1904="1"/>'
        '<sheets><sheet name="Chart" r:id="chartsheet"/><sheet name="Pay" r:id="worksheet"/>'
        "</sheets></workbook>",
        "xl/strings.xml": f'<sst xmlns="{main}"><si><t>Name</t></si>'
        "<si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></si></sst>",
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><numFmts>'
        '<numFmt numFmtId="170" formatCode="yyyy\\-mm"/></numFmts><cellStyleXfs>'
        '<xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/>'
        "</cellXfs></styleSheet>",
        "xl/worksheets/one.xml": f'<worksheet xmlns="{main}"><sheetData>'
        '<row><c t="s"><v>0</v></c><c t="inlineStr"><is><r><t>Si</t></r><r><t>nce</t></r></is>'
        '</c></row><row r="5"><c t="s"><v>1</v></c><c s="1"><v>0</v></c>'
        '<c t="e"><v>#N/A</v></c>'
        '<c t="str"><f>A1&amp;"x"</f><v>Namex</v></c><c t="s"><v>99</v></c></row>'
        "</sheetData></worksheet>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in contents.items():
            archive.writestr(name, body)
    document = read_spreadsheet(stream.getvalue(), "pay.xlsx")
    assert document.text == "Pay\n\nName | Since\n東京 | 1904-01-01 | #N/A | Namex\n\n"
    assert [(page.label, page.columns) for page in document.pages] == [("Pay", "A:D")]
    assert [anchor.number for anchor in document.anchors] == [1, 5]


def test_a_stray_cell_in_the_last_corner_costs_nothing() -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "near", "far"
    document = read_spreadsheet(saved(book), "b.xlsx")
    assert document.text == "near\n\nfar\n\n"
    assert document.pages[0].columns == "A:XFD"


def test_a_reader_that_calamine_ends_costs_one_file(tmp_path: Path) -> None:
    for name, stray in (("bomb.xlsb", True), ("good.xlsb", False)):
        (tmp_path / name).write_bytes(xlsb("Budget", [["Desk", 1.0]], stray))
    deaths: list[WorkerCrashed] = []
    pool = ReaderPool(TOKENIZER, size=1, on_death=deaths.append)
    try:
        with pytest.raises(UnreadableDocument, match="ended the reader twice"):
            pool.read(bytes(tmp_path / "bomb.xlsb"))
        assert len(deaths) == 2
        assert pool.read(bytes(tmp_path / "good.xlsb")).passages[0].place == "Budget!A1:B1"
    finally:
        pool.close()


def test_what_only_calls_itself_a_spreadsheet_is_still_read() -> None:
    web = b"<html><body><table><tr><td>Desk</td><td>250</td></tr></table></body></html>"
    assert "Desk | 250" in read_spreadsheet(web, "export.xls").text
    assert "Desk\t250" in read_spreadsheet(b"Item\tCost\nDesk\t250\n", "export.xls").text
    assert "Budget" in read_spreadsheet(xls("Budget", [["Desk", 1.0]]), "b.xlsx").text


def parts(**contents: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BUDGET)) as old, zipfile.ZipFile(stream, "w", 8) as new:
        for name in old.namelist():
            short = Path(name).stem
            new.writestr(name, contents.get(short, old.read(name)))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "damaged"),
        (b"\x09\x08\x10\x00" + bytes(100), "very old Excel file"),
        (bytes(range(256)) * 40, "not a spreadsheet"),
        (BUDGET[: len(BUDGET) // 2], "damaged"),
        (parts(workbook=b"<a"), "damaged"),
        (parts(sheet1=b"<a>" * 20_000), "damaged"),
        (parts(theme1=bytes(60 << 20)), "outrageous size"),
        (parts(sheet1=b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaa">]><a>&a;</a>'), "XML entities"),
        (xls("Budget", [["Desk", 1.0]])[:1700], "damaged"),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read_spreadsheet(data, "b.xlsx")
    assert reason in caught.value.message


def test_a_data_set_is_refused_by_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_CELLS", 50)
    repeated = flat_ods().replace(b'rows-repeated="2"', b'rows-repeated="900000000"')
    for data in (workbook([[1, 2, 3]] * 20), repeated, xls("S", [[1.0] * 30] * 2)):
        with pytest.raises(UnreadableDocument, match="filled cells"):
            read_spreadsheet(data, "b")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    source=st.sampled_from([BUDGET, ODS]),
    where=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=12),
)
def test_a_damaged_file_is_read_or_refused(source: bytes, where: float, patch: bytes) -> None:
    at = int(where * len(source))
    with contextlib.suppress(UnreadableDocument):
        read_spreadsheet(source[:at] + patch + source[at + len(patch) :], "b")


@pytest.mark.parametrize("write", [xls, xlsb])
def test_damaged_binary_files_are_read_or_refused_in_a_confined_reader(
    write: Any, tmp_path: Path
) -> None:
    """Not here: some of them make calamine end the process it runs in."""
    draw = random.Random(7)
    source = write("Budget", [["Item", "Cost"], ["Desk", 1.0]])
    used = len(source.rstrip(b"\0"))
    pool = ReaderPool(TOKENIZER, size=1)
    try:
        for number in range(12):
            data = bytearray(source)
            for _ in range(draw.randint(1, 4)):
                data[draw.randrange(used)] = draw.randrange(256)
            path = tmp_path / f"{number}.xls"
            path.write_bytes(data)
            with contextlib.suppress(UnreadableDocument):
                pool.read(bytes(path))
        (tmp_path / "good.xls").write_bytes(source)
        assert pool.read(bytes(tmp_path / "good.xls")).passages
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("value", "number", "code", "expected"),
    [
        ("45356", 14, None, "2024-03-05"),
        ("45356.4375", 22, None, "2024-03-05 10:30"),
        ("0.5", 20, None, "12:00"),
        ("1.25", 46, None, "30:00"),
        ("0.256", 9, None, "26%"),
        ("1234.5", 4, None, "1234.50"),
        ("1234.5", 164, "[$€-407]#,##0.00", "€1234.50"),
        ("1234.5", 164, '#,##0.0" kr"', "1234.5 kr"),
        ("45356", 164, "[$-409]d\\ mmm\\ yyyy;@", "2024-03-05"),
        ("45356", 164, 'yyyy"年"m"月"', "2024-03-05"),
        ("3", 164, "General", "3"),
        ("0.30000000000000004", 0, None, "0.3"),
        ("-5", 14, None, "-5"),
        ("1e300", 14, None, "1e+300"),
        ("nan", 0, None, "nan"),
        ("#N/A", 2, None, "#N/A"),
    ],
)
def test_a_number_reads_in_its_format(
    value: str, number: int, code: str | None, expected: str
) -> None:
    assert shown(value, format_of_code(number, code)) == expected


@given(
    value=st.floats(), code=st.text(st.sampled_from('0#?.,%[]$hmsyd"\\_*;E+-/ AM@'), max_size=9)
)
def test_no_format_breaks_a_number(value: float, code: str) -> None:
    assert shown(repr(value), format_of_code(200, code))


@given(st.integers(0, 16_383))
def test_columns_count_in_letters(column: int) -> None:
    assert column_number(column_name(column) + "7") == column
