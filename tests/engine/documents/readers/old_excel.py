"""Writes the binary Excel formats, which no library we use can write.

.xls: BIFF8 records ([MS-XLS]) in one stream of a compound file ([MS-CFB]).
.xlsb: the same idea as zipped parts ([MS-XLSB]).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
Value = str | float


def xls(sheet: str, rows: Sequence[Sequence[Value]], first_row: int = 0) -> bytes:
    """A workbook of one sheet."""

    def record(number: int, body: bytes) -> bytes:
        return struct.pack("<HH", number, len(body)) + body

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 1996, 0, 6))

    name = sheet.encode("utf-16-le")
    bounds = struct.pack("<BBBB", 0, 0, len(sheet), 1) + name
    head_size = 20 + 4 + 4 + len(bounds) + 4
    globals_ = (
        begin(5) + record(0x0085, struct.pack("<I", head_size) + bounds) + record(10, b"")
    )
    cells = b""
    for row, values in enumerate(rows, first_row):
        for column, value in enumerate(values):
            where = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                cells += record(0x0204, where + text)
            else:
                cells += record(0x0203, where + struct.pack("<d", value))
    width = max(map(len, rows), default=0)
    size = struct.pack("<IIHHH", first_row, first_row + len(rows), 0, width, 0)
    stream = globals_ + begin(0x10) + record(0x0200, size) + cells + record(10, b"")
    assert globals_[head_size:] == b""
    return _compound("Workbook", stream)


def _compound(name: str, stream: bytes) -> bytes:
    """A compound file: header, one sector of allocation table, directory, the stream."""
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // SECTOR)
    assert sectors + 2 <= SECTOR // 4
    table = [FAT, END, *range(3, 2 + sectors), END]
    table += [FREE] * (SECTOR // 4 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)

    def entry(called: str, kind: int, child: int, start: int, size: int) -> bytes:
        raw = called.encode("utf-16-le") + b"\0\0" if called else b""
        links = struct.pack("<HBBIII", len(raw), kind, 1, FREE, FREE, child)
        return raw.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    directory = entry("Root Entry", 5, 1, END, 0) + entry(name, 2, FREE, 2, len(stream))
    directory += entry("", 0, FREE, 0, 0) * 2
    body = stream.ljust(sectors * SECTOR, b"\0")
    return header + struct.pack(f"<{SECTOR // 4}I", *table) + directory + body


def xlsb(sheet: str, rows: Sequence[Sequence[Value]], stray: bool = False) -> bytes:
    """A workbook of one sheet; with a stray cell in the last row and column if asked."""

    def record(number: int, body: bytes = b"") -> bytes:
        kind = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
        size = (
            bytes([len(body)])
            if len(body) < 128
            else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        )
        return kind + size + body

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    book = record(131) + record(143)
    book += record(156, struct.pack("<II", 0, 1) + text("rId1") + text(sheet))
    book += record(144) + record(132)
    width = max(map(len, rows), default=1)
    cells = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1))
    cells += record(145)
    for row, values in enumerate(rows):
        cells += record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))
        for column, value in enumerate(values):
            where = struct.pack("<II", column, 0)
            if isinstance(value, str):
                cells += record(6, where + text(value))
            else:
                cells += record(5, where + struct.pack("<d", value))
    if stray:
        cells += record(0, struct.pack("<IIHBBBI", 1_048_575, 0, 300, 0, 0, 0, 0))
        cells += record(5, struct.pack("<IId", 16_383, 0, 1.0))
    cells += record(146) + record(130)
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/worksheets/sheet1.bin", cells)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
            f'Type="{kind}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        )
    return made.getvalue()
