"""Spreadsheets of every kind, told apart by what is in the file and not by its name.

What programs call .xls is as often a web page or a text with tabs. The binary formats (.xls,
.xlsb) are read by calamine; this is the only module that imports it.
"""

from __future__ import annotations

import datetime
import io

import python_calamine as calamine

from engine.documents.archives import open_archive
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.html import read_html
from engine.documents.readers.numbers import plain
from engine.documents.readers.ods import read_ods
from engine.documents.readers.sheets import Cell, CellCount, Row, Sheet, add_sheet
from engine.documents.readers.text import read_text
from engine.documents.readers.xlsx import read_xlsx
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_EXCEL = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
_XML_2003 = b"urn:schemas-microsoft-com:office:spreadsheet"
_NOT_ONE = "This is not a spreadsheet, whatever its name says."


def read_spreadsheet(data: bytes, name: str) -> Document:
    """Every sheet with its rows.

    Raises:
        UnreadableDocument: no spreadsheet, damaged, protected, or too large.
    """
    if data.startswith(b"PK"):
        archive = open_archive(data)
        parts = archive.NameToInfo
        if "content.xml" in parts:
            return read_ods(data, name)
        if "xl/workbook.bin" in parts:
            return _read_binary(data)
        return read_xlsx(archive)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise UnreadableDocument("The file is protected by a password.")
        return _read_binary(data)
    if data.startswith(_OLD_EXCEL):
        raise UnreadableDocument("This is a very old Excel file. Save it as .xlsx.")
    return _read_disguised(data, name)


def _read_disguised(data: bytes, name: str) -> Document:
    """A web page or a text that a program exported under a spreadsheet's name."""
    head = data[:4096].lower()
    if b"opendocument" in head:
        return read_ods(data, name)
    if _XML_2003 in head:
        raise UnreadableDocument("This is an Excel 2003 XML file. Save it as .xlsx.")
    if b"<html" in head or b"<table" in head:
        return read_html(data, name)
    try:
        return read_text(data, name)
    except UnreadableDocument as error:
        raise UnreadableDocument(_NOT_ONE) from error


def _read_binary(data: bytes) -> Document:
    """A workbook by calamine.

    Raises:
        UnreadableDocument: calamine refuses it, or panics.
    """
    builder = DocumentBuilder("row")
    count = CellCount()
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            for number, name in enumerate(_worksheets(workbook), 1):
                found = workbook.get_sheet_by_name(name)
                add_sheet(builder, number, Sheet(name, _rows(found, count)))
    except calamine.PasswordError as error:
        raise UnreadableDocument("The file is protected by a password.") from error
    except (UnreadableDocument, MemoryError):
        raise
    except Exception as error:  # its own errors and, for a bad zip, bare ones of the system
        raise UnreadableDocument("The file is damaged.", details=str(error)) from error
    except BaseException as error:
        # A panic in Rust arrives as pyo3's PanicException, which is no Exception.
        if type(error).__name__ == "PanicException":
            raise UnreadableDocument("The file is damaged.", details=str(error)) from error
        raise
    return builder.document("")


def _worksheets(workbook: calamine.CalamineWorkbook) -> list[str]:
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def _rows(sheet: calamine.CalamineSheet, count: CellCount) -> list[Row]:
    if sheet.start is None:
        return []
    first_column = sheet.start[1]
    rows: list[Row] = []
    for number, values in enumerate(sheet.iter_rows(), 1):
        cells = [
            Cell(column, text, isinstance(value, str))
            for column, value in enumerate(values, first_column)
            if (text := _shown(value)).strip()
        ]
        count.add(len(cells))
        if cells:
            rows.append(Row(number, cells))
    return rows


def _shown(value: object) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return plain(float(value))
    if isinstance(value, datetime.datetime):
        at_midnight = value.time() == datetime.time()
        return value.date().isoformat() if at_midnight else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.time):
        return value.isoformat("minutes")
    return str(value)
