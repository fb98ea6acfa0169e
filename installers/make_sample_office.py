"""Writes the spreadsheet, the slides and the mail of resources/sample/ (our own writing).

Run by hand when their text changes; the files it writes are committed. The output does not
depend on the clock. The place, the people and every number in the sample are invented.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pptx
import xlsxwriter
from pptx.util import Pt

SAMPLE = Path(__file__).resolve().parent.parent / "resources" / "sample"
FIXED = datetime.datetime(2025, 11, 3, 9, 0, 0)

Row = list[str | int | float]

FUEL: list[Row] = [
    ["Month", "Diesel used (litres)", "Petrol for the boats (litres)", "Hours of generator"],
    ["April 2025", 310, 145, 62],
    ["May 2025", 265, 390, 51],
    ["June 2025", 120, 415, 23],
    ["July 2025", 95, 440, 18],
    ["August 2025", 180, 360, 34],
    ["September 2025", 342, 175, 69],
]
FOOD: list[Row] = [
    ["Item", "Unit", "Amount for 2026", "Price a unit (kroner)", "Supplier"],
    ["Flour", "kg", 180, 18.5, "Hamnes Samvirkelag"],
    ["Dried peas", "kg", 40, 32, "Hamnes Samvirkelag"],
    ["Coffee", "kg", 55, 164, "Brenneriet Nord"],
    ["Tinned fish balls", "tin", 96, 29.9, "Vesterhav Hermetikk"],
    ["Powdered milk", "kg", 24, 88, "Hamnes Samvirkelag"],
    ["Chocolate for the night watch", "bar", 240, 21, "Brenneriet Nord"],
]

SLIDES: list[tuple[str, list[str], str]] = [
    (
        "Open day on Skarv Island",
        ["Saturday 6 June 2026", "Boats from Hamnes at 09:00 and 11:30, back at 16:00"],
        "Welcome everyone at the jetty. Boots through the footbath first.",
    ),
    (
        "What we count",
        [
            "Puffin burrows: with an endoscope, in the last week of June",
            "Kittiwakes: from photographs taken at the same three ledges since 1979",
            "Storm petrels: at night, by answering calls played from a loudspeaker",
        ],
        "Mention that the ledges are marked with brass bolts number 4, 7 and 11.",
    ),
    (
        "How you can help",
        [
            "Tell us about ringed birds: the number and where you saw it",
            "Keep dogs on the mainland",
            "Adopt a burrow for 350 kroner a year",
        ],
        "Adoption forms lie beside the coffee.",
    ),
]

MAIL = """Dear all,

the harbour office has told me that the pier in Hamnes is closed for repairs from 9 to 20 March
2026. During these days the work boat lands at Breivika, four kilometres further north, and the
crossing takes 55 minutes instead of 40.

Please have freight at Breivika by eight in the morning; there is no crane, so nothing heavier
than 60 kg. The diesel delivery planned for 12 March is moved to 24 March. The list of what is
waiting to be shipped is attached.

Best wishes,
Ingrid Solbakken
Station leader
"""
FREIGHT = """item;weight (kg);owner
Freezer compressor;48;laboratory
Solar panel, two pieces;44;workshop
Sacks of cement;250;workshop
Sample bottles, box of 200;17;laboratory
"""


def write_workbook(path: Path) -> None:
    """Two sheets with header rows."""
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties(
            {"title": "Fuel and food", "author": "Skarv Island Field Station", "created": FIXED}
        )
        bold = workbook.add_format({"bold": True})
        for name, rows in (("Fuel 2025", FUEL), ("Food order 2026", FOOD)):
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row, bold if number == 0 else None)
            sheet.set_column(0, len(rows[0]) - 1, 26)
    fix_times(path)


def write_slides(path: Path) -> None:
    """Three slides with speaker's notes."""
    deck = pptx.Presentation()
    core = deck.core_properties
    core.title, core.author = "Open day on Skarv Island", "Skarv Island Field Station"
    core.created = core.modified = FIXED
    for title, points, notes in SLIDES:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        frame = slide.placeholders[1].text_frame
        frame.text = points[0]
        for point in points[1:]:
            frame.add_paragraph().text = point
        for paragraph in frame.paragraphs:
            paragraph.font.size = Pt(24)
        slide.notes_slide.notes_text_frame.text = notes
    stream = io.BytesIO()
    deck.save(stream)
    path.write_bytes(stream.getvalue())
    fix_times(path)


def write_mail(path: Path) -> None:
    """A mail with an attached table."""
    mail = EmailMessage()
    mail["From"] = "Ingrid Solbakken <ingrid@skarv-island.example>"
    mail["To"] = "Everyone at the station <station@skarv-island.example>"
    mail["Subject"] = "Pier in Hamnes closed in March"
    mail["Date"] = datetime.datetime(2026, 2, 17, 8, 12, tzinfo=datetime.UTC)
    mail["Message-ID"] = "<pier-2026@skarv-island.example>"
    mail.set_content(MAIL)
    mail.add_attachment(FREIGHT.encode(), "text", "csv", filename="freight-waiting.csv")
    mail.set_boundary("skarv-island-mail-boundary")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(mail.as_bytes())


def fix_times(path: Path) -> None:
    """Give every member of a zip file the same date, so that the bytes do not change."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, FIXED.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


def main() -> None:
    """Write all three files."""
    write_workbook(SAMPLE / "fuel-and-food.xlsx")
    write_slides(SAMPLE / "open-day-talk.pptx")
    write_mail(SAMPLE / "mail" / "pier-closed.eml")


if __name__ == "__main__":
    main()
