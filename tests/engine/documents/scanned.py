"""Scans made by the tests: pages drawn, turned, and bound into PDFs without any text."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

SIGN = "Bathing is forbidden\nbetween the two bridges\nwhen the red flag is up"


def drawn(text: str, size: tuple[int, int] = (900, 400)) -> Image.Image:
    """A picture of a few large lines: read in about a second."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(text.splitlines()):
        pen.text((60, 60 + 80 * row), line, fill="black", font_size=44)
    return image


def page_of_pdf(path: Path, number: int, dpi: int = 150) -> tuple[Image.Image, str]:
    """A page of a PDF as a picture, and the text the PDF has for it."""
    with pdfium.PdfDocument(path) as pdf:
        page = pdf[number - 1]
        drawing = page.render(scale=dpi / 72)  # pyright: ignore[reportArgumentType]
        image = drawing.to_pil().convert("RGB")
        textpage = page.get_textpage()
        text = textpage.get_text_bounded()
        textpage.close()
        page.close()
    return image, text


def save_pdf(path: Path, images: list[Image.Image]) -> None:
    """A PDF whose pages are these pictures."""
    images[0].save(path, "PDF", save_all=True, append_images=images[1:], resolution=100)


def words_recovered(text: str, found: str) -> float:
    """The share of the words of `text` that are also in `found`."""
    wanted, got = (Counter(re.findall(r"\w{2,}", one.lower())) for one in (text, found))
    return sum((wanted & got).values()) / max(1, sum(wanted.values()))
