"""Writes the PDF and DOCX files of resources/sample/ (our own writing, Apache-2.0).

Run by hand when the sample's text changes; the files it writes are committed. It needs
`reportlab` and `python-docx`, which are no dependencies of the product. The output does not
depend on the clock. The other sample files are edited directly.

The place, the people and every number in the sample are invented.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
from make_sample_office import FIXED, SAMPLE, fix_times
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import (
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

Piece = str | list[list[str]]
"""'# heading', '## subheading', '---' (new page), '- item', a paragraph, or table rows."""

HANDBOOK: list[Piece] = [
    "# Station handbook",
    "Skarv Island Field Station, edition 2025. Everyone who stays on the island reads this "
    "handbook before the crossing and signs the list in the boathouse.",
    "## 1. Where we are",
    "Skarv Island lies eleven kilometres off the coast. It is 2.4 km long and 900 m wide, and "
    "its highest point, Vardhaug, stands 71 m above the sea. The station was founded in 1968 in "
    "the former lighthouse keeper's house, and was extended with a laboratory in 2004. Up to "
    "fourteen people can live here at the same time between April and September. In winter two "
    "wardens stay on the island and everyone else leaves before the October storms.",
    "The nearest hospital and the nearest shop are both on the mainland, in Hamnes. In good "
    "weather the crossing takes 40 minutes with the work boat. In bad weather there is no "
    "crossing at all: plan for up to five days in which nobody comes and nobody leaves.",
    "## 2. Arriving",
    "Visitors report to the station leader in the kitchen on arrival. Boots and outdoor clothing "
    "are washed in the footbath by the jetty before anything is carried up to the houses, so "
    "that neither seeds nor avian influenza come ashore with us. Food is kept in the metal "
    "cupboards only, because of mice. Dogs and other pets are not allowed on the island.",
    "Each visitor gets a bunk, a dry bag, a handheld radio and a place on the cleaning rota. "
    "Quiet hours are from 22:00 to 06:00, also in June, when it does not get dark.",
    "---",
    "# 3. Power, water and heating",
    "## 3.1 Electricity",
    "Solar panels on the laboratory roof charge a battery bank of 28 kWh. The diesel generator "
    "starts by itself when the bank falls below 35 percent and stops again at 80 percent. It is "
    "serviced every 250 running hours by the warden, who notes the work in the blue log book "
    "beside it. Hair dryers, kettles and electric heaters are not to be connected to the "
    "laboratory circuit, because a single kettle has twice tripped the freezers.",
    "## 3.2 Water",
    "Drinking water comes from a rainwater tank of 12,000 litres behind the workshop, through a "
    "filter and an ultraviolet lamp. The filter cartridge is changed on the first Monday of every "
    "month. When the level falls below one quarter, showers are limited to two minutes. Water "
    "from the well at the old farm is salty and is used for washing boats only.",
    "## 3.3 Heating",
    "Houses are heated with wood. The stove in the common room must not be left burning "
    "overnight. Carbon monoxide alarms hang in every bedroom and are tested each Sunday.",
    "## 3.4 What uses how much",
    [
        ["Consumer", "Power (W)", "Hours a day", "Note"],
        ["Sample freezers (2)", "340", "24", "never switched off"],
        ["Laboratory computers", "180", "9", "off at night"],
        ["Water pump and UV lamp", "95", "5", "automatic"],
        ["Lighting, all houses", "120", "6", "LED since 2019"],
        ["Weather station and radio", "22", "24", "own battery"],
    ],
    "---",
    "# 4. Safety",
    "## 4.1 The buddy rule",
    "Nobody works alone on the cliffs, in a boat or after dark. Two people who go out write their "
    "names, their route and the time they will be back on the board in the hall. When a party is "
    "45 minutes late and does not answer the radio, the station leader starts a search.",
    "## 4.2 Radio",
    "Handheld radios stay on channel 12 and are carried switched on. Channel 16 is for distress "
    "calls only. Batteries are changed every morning, whatever the display says. The coast guard "
    "is reached from the base radio in the hall; the call sign of the station is Skarv Base.",
    "## 4.3 Cliffs and weather",
    "Cliff work stops when the wind reaches 12 metres per second on the Vardhaug mast or when "
    "the rock is wet. Helmets are worn below every cliff during the breeding season, because "
    "birds and goats loosen stones. Ropes are retired after five years even if they were never "
    "used.",
    "## 4.4 First aid",
    "The large first aid kit hangs in the hall, with a defibrillator beside it. Small kits are in "
    "both boats and in the northern hide. Antibiotics and strong painkillers are locked in the "
    "leader's office and given only after a call to the doctor on duty in Hamnes.",
    "---",
    "# 5. Living beside the birds",
    "## 5.1 Distances",
    "Keep at least 20 metres away from puffin burrows and at least 50 metres away from cormorant "
    "nests. The ground above burrows is hollow: leave the marked path and you will break "
    "through, and the chick below will be lost. Great skuas defend their nests by diving at "
    "heads; a stick held upright above your head is all the protection you need.",
    "## 5.2 Closed areas",
    "The northern colony is closed to everyone but the monitoring team from 15 April to 31 July. "
    "The seal beach on the east side is closed from 1 September to 15 November, when the grey "
    "seals have their pups. Drones are flown only with written permission from the station "
    "leader and never within 150 metres of a colony.",
    "## 5.3 Dead and sick birds",
    "Do not touch dead or sick birds with bare hands. Report them to the station leader with the "
    "place and the time. The monitoring team collects them in gloves and masks and sends "
    "samples to the veterinary laboratory.",
]

MONITORING: list[Piece] = [
    "# Seabird monitoring 2025",
    "Annual report of the Skarv Island Field Station. Written by Ingrid Moen and Tomas Albrecht, "
    "October 2025.",
    "## Summary",
    "Puffins had their best year since 2011: 4,310 occupied burrows were found, nine percent more "
    "than in 2024. Kittiwakes went on falling and reached 612 nests, the lowest count since the "
    "series began in 1974. Common guillemots were stable. Breeding started early, after a mild "
    "April, and a storm on 18 June cost many low-lying cormorant nests.",
    "## Methods",
    "Burrows were counted on 48 fixed plots of 30 square metres each, between 2 and 11 June, with "
    "an endoscope where the entrance gave no answer. Nests of kittiwakes and cormorants were "
    "counted from the boat and from photographs, twice, by two people who did not know each "
    "other's figures. Where they differed by more than five percent a third count was made. "
    "Guillemots were counted as individuals on the ledges between 08:00 and 12:00.",
    "---",
    "# Results",
    "## Numbers",
    [
        ["Species", "Unit", "2023", "2024", "2025", "Change 2024–25"],
        ["Atlantic puffin", "burrows", "3,880", "3,954", "4,310", "+9%"],
        ["Black-legged kittiwake", "nests", "741", "688", "612", "-11%"],
        ["Common guillemot", "individuals", "2,105", "2,140", "2,131", "0%"],
        ["Razorbill", "individuals", "466", "471", "498", "+6%"],
        ["European shag", "nests", "203", "219", "174", "-21%"],
        ["Great skua", "territories", "17", "12", "13", "+8%"],
    ],
    "## Breeding success",
    "Puffins raised 0.71 chicks a burrow, against 0.58 in 2024. Kittiwakes raised 0.32 chicks a "
    "nest, which is too few to keep the colony at its size: about 0.8 would be needed. Shags "
    "raised 1.4 chicks a nest in the upper colony and none at all in the lower one after the "
    "storm of 18 June.",
    "## Food",
    "Puffins brought mostly sandeels: 83 percent of the 1,126 fish seen in bills. The mean length "
    "of the sandeels was 94 mm, the longest since measurements began, and the first fish were "
    "brought on 24 May. Kittiwake pellets held more squid and fewer fish than before.",
    "---",
    "# Discussion",
    "## Why puffins did well",
    "The spring bloom came eleven days earlier than the mean of the last decade, and sandeels "
    "were large when the chicks hatched. Feeding watches showed that adults were away for 74 "
    "minutes a trip, against 102 minutes in 2024. We take short trips and long fish as signs of "
    "food close to the island.",
    "## Why kittiwakes did not",
    "Adult survival, estimated from 311 colour-ringed birds, was 0.79, against 0.85 in the years "
    "before 2015. Predation by great skuas was seen 26 times. Avian influenza was found in three "
    "of 19 dead birds in July, all of them kittiwakes. No other species tested positive.",
    "## Costs",
    "Field work took 214 person-days. The budget of 486,000 kroner was kept; the endoscope, which "
    "broke in the first week, was repaired at the maker's expense.",
    "---",
    "# Recommendations for 2026",
    "- Keep the 48 puffin plots and add six on the southern slope, where burrows have spread.",
    "- Count shags before 10 June, so that a storm does not hide what was there.",
    "- Fit 20 kittiwakes with GPS loggers to learn where they feed in July.",
    "- Test every dead kittiwake for influenza, and stop ringing in a colony once one is positive.",
    "## Thanks",
    "We thank the wardens, Eline Strand and Jakob Ness, who kept the boats running, and the 23 "
    "volunteers who counted, carried and cooked.",
]

SAMPLES: list[Piece] = [
    "# Handling and storing samples",
    "Laboratory protocol L-07, version 4, valid from 1 March 2025. Responsible: Priya Nair.",
    "## 1. Labels",
    "Every tube carries a label with the sample number, the species code, the date and the "
    "initials of the collector. Sample numbers have the form SK-YY-NNNN, for example SK-25-0417. "
    "Labels are written with the alcohol-proof pen, never with a ballpoint. A tube without a "
    "label is thrown away, whatever was in it.",
    "## 2. From the field to the freezer",
    "Blood is kept on ice and reaches the laboratory within four hours. It is spun for ten "
    "minutes at 3,000 revolutions a minute, and the plasma is frozen at once. Feathers are kept "
    "dry in paper envelopes at room temperature. Swabs for influenza go into transport medium and "
    "are frozen at minus 80 degrees.",
    "## 3. Temperatures",
    [
        ["Material", "Store at", "Keep for", "Freezer"],
        ["Plasma", "-80 °C", "10 years", "A, shelves 1-3"],
        ["Influenza swabs", "-80 °C", "2 years", "A, shelf 4"],
        ["Fish and pellets", "-20 °C", "5 years", "B"],
        ["Feathers", "room temperature", "unlimited", "cabinet 2"],
        ["Eggshells", "room temperature", "unlimited", "cabinet 3"],
    ],
    "---",
    "# 4. When a freezer fails",
    "The alarm sounds in the hall and sends a message to the warden when freezer A is warmer than "
    "minus 65 degrees. Do not open the door: a full freezer stays cold for about nine hours. Move "
    "the samples to the spare freezer in the workshop when the repair will take longer than six "
    "hours. Dry ice for one transport is kept in the boathouse from May to August.",
    "## 5. Sending samples",
    "Samples leave the island on Tuesdays with the supply boat, in the yellow box, with the form "
    "UN 3373 in the outer pocket. The courier in Hamnes collects the box at 15:30. Write the "
    "number of the consignment into the sample register on the same day.",
    "## 6. Waste",
    "Needles go into the yellow container, gloves and tubes into the autoclave bag. The autoclave "
    "runs on Fridays at 121 degrees for 20 minutes. Ethanol is collected in the brown bottle and "
    "goes back to the mainland; it is never poured into the sink.",
]

BOATS: list[Piece] = [
    "# Boat operations",
    "Rules for everyone who drives, boards or launches a boat of the station. Valid from April "
    "2025. Responsible: Jakob Ness, warden.",
    "## The boats",
    [
        ["Boat", "Type", "Length", "Engine", "People"],
        ["Terna", "aluminium work boat", "9.2 m", "2 x 150 hp", "10"],
        ["Lunde", "rigid inflatable", "6.1 m", "90 hp", "6"],
        ["Alke", "rowing boat", "4.3 m", "none", "3"],
    ],
    "Terna makes the crossing to Hamnes and carries freight. Lunde is for counting along the "
    "cliffs. Alke stays in the bay and is the only boat that visitors may take out by themselves, "
    "with a life jacket and never beyond the yellow buoy.",
    "## Who may drive",
    "Drivers hold a boating licence and the station's own permit, which needs ten hours with a "
    "warden and is renewed every second year. Whoever drives has the last word on whether a trip "
    "takes place.",
    "## Limits",
    "Terna does not leave when the significant wave height is above 2.0 metres or the wind above "
    "14 metres per second. Lunde stays ashore from 1.0 metre and 9 metres per second. Survival "
    "suits are worn from October to April and whenever the water is colder than 8 degrees.",
    "## Fuel",
    "Petrol is stored in the red shed, at most 400 litres. Every litre taken is written on the "
    "list by the door. The reserve of 60 litres in the locked cabinet is for rescue only.",
    "## Before and after each trip",
    "- Tell Skarv Base the number of people, the destination and the time of return.",
    "- Check fuel, radio, flares, bilge pump and the kill cord.",
    "- After the trip, rinse the engine with fresh water from the farm well for five minutes.",
    "- Note running hours and anything odd in the boat's own log.",
]

GRANT: list[Piece] = [
    "# Progress report: Sandeels and seabirds in a warming sea",
    "To the Northern Coasts Foundation, project NCF-2217. Reporting period: 1 January to 31 "
    "October 2025.",
    "## Aim",
    "The project asks whether earlier spring blooms bring larger sandeels to the waters around "
    "Skarv Island, and which seabirds profit from it. It runs for three years, from 2024 to 2026, "
    "with a grant of 2.85 million kroner.",
    "## What was done",
    "Trawl samples were taken on 16 days at four stations. 2,940 sandeels were measured and the "
    "ear stones of 410 of them were read for age. The moored sensor at station 3 recorded "
    "temperature and chlorophyll every ten minutes; it was lost in the storm of 18 June and found "
    "by a fisherman on 2 July, with all its data.",
    "## Results so far",
    [
        ["Measure", "2024", "2025"],
        ["Peak of the bloom", "7 May", "22 April"],
        ["Mean sea temperature in May", "7.1 °C", "8.3 °C"],
        ["Sandeels per trawl hour", "118", "196"],
        ["Mean length, one-year-old fish", "87 mm", "96 mm"],
    ],
    "Sandeels were more abundant and longer in 2025. Puffin chicks were heavier at fledging (286 "
    "grams against 259 grams), whereas kittiwakes did not profit. One paper has been submitted.",
    "## Money",
    "Of the 950,000 kroner for 2025, 871,500 were spent by the end of October. The largest item "
    "was boat time. We ask to move 40,000 kroner from travel to the replacement of the mooring.",
    "## Next year",
    "The doctoral student, Lea Hoffmann, will spend May to July 2026 on the island. The final "
    "report is due on 31 March 2027.",
]


def write_pdf(path: Path, title: str, pieces: list[Piece]) -> None:
    """Lay the pieces out on A4 pages with page numbers."""
    styles = getSampleStyleSheet()
    story: list[Any] = []
    for piece in pieces:
        if isinstance(piece, list):
            table = Table(piece, hAlign="LEFT")
            table.setStyle(
                TableStyle(
                    [
                        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                        ("FONTSIZE", (0, 0), (-1, -1), 9),
                    ]
                )
            )
            story += [table, Spacer(1, 5 * mm)]
        elif piece == "---":
            story.append(PageBreak())
        elif piece.startswith("## "):
            story.append(Paragraph(piece[3:], styles["Heading2"]))
        elif piece.startswith("# "):
            story.append(Paragraph(piece[2:], styles["Heading1"]))
        elif piece.startswith("- "):
            story.append(Paragraph(piece[2:], styles["BodyText"], bulletText="•"))
        else:
            story += [Paragraph(piece, styles["BodyText"]), Spacer(1, 2 * mm)]

    def footer(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(25 * mm, 12 * mm, title)
        canvas.drawRightString(185 * mm, 12 * mm, f"page {document.page}")

    SimpleDocTemplate(
        str(path),
        pagesize=A4,
        title=title,
        author="Skarv Island Field Station",
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        invariant=1,
    ).build(story, onFirstPage=footer, onLaterPages=footer)


def write_docx(path: Path, title: str, pieces: list[Piece]) -> None:
    """Write the pieces with Word's own heading, list and table styles."""
    document = docx.Document()
    core = document.core_properties
    core.title, core.author = title, "Skarv Island Field Station"
    core.created = core.modified = FIXED
    for piece in pieces:
        if isinstance(piece, list):
            table = document.add_table(rows=0, cols=len(piece[0]), style="Table Grid")
            for row in piece:
                cells = table.add_row().cells
                for cell, value in zip(cells, row, strict=True):
                    cell.text = value
            document.add_paragraph()
        elif piece.startswith("## "):
            document.add_heading(piece[3:], 2)
        elif piece.startswith("# "):
            document.add_heading(piece[2:], 1)
        elif piece.startswith("- "):
            document.add_paragraph(piece[2:], style="List Bullet")
        else:
            document.add_paragraph(piece)
    document.save(str(path))
    fix_times(path)


def main() -> None:
    """Write all five files."""
    SAMPLE.mkdir(parents=True, exist_ok=True)
    write_pdf(SAMPLE / "station-handbook.pdf", "Station handbook", HANDBOOK)
    write_pdf(SAMPLE / "seabird-monitoring-2025.pdf", "Seabird monitoring 2025", MONITORING)
    write_pdf(SAMPLE / "protocol-samples.pdf", "Handling and storing samples", SAMPLES)
    write_docx(SAMPLE / "boat-operations.docx", "Boat operations", BOATS)
    write_docx(SAMPLE / "reports" / "grant-report-2025.docx", "Progress report", GRANT)


if __name__ == "__main__":
    main()
