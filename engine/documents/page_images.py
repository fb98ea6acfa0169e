"""Pages as pixels, for OCR and for the viewer: a PDF's are drawn, a picture's decoded."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from PIL import Image

from engine.documents.formats import PDF, format_of
from engine.documents.pictures import decode, open_picture
from engine.errors import UnreadableDocument

SCAN_DOTS_PER_INCH = 200
MAX_SIDE_PX = 3_400
"""A3 at 200 dots an inch; a larger page is drawn smaller."""
_POINTS_PER_INCH = 72


def page_pixels(data: bytes, name: str, number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Page `number` (from 1) of a PDF or picture, height × width × 3, blue first.

    Raises:
        UnreadableDocument: there is no such page, or it cannot be drawn.
    """
    if format_of(name) is PDF:
        image = _drawn(data, number)
    else:
        with open_picture(data) as picture:
            image = decode(picture, number - 1, (MAX_SIDE_PX, MAX_SIDE_PX))
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def _drawn(data: bytes, number: int) -> Image.Image:
    from engine.documents.readers.pdf import open_pdf

    with open_pdf(data) as pdf:
        if not 1 <= number <= len(pdf):
            raise UnreadableDocument("The PDF has no such page.")
        page = pdf[number - 1]
        scale = MAX_SIDE_PX / max(1.0, *page.get_size())
        image = draw(page, min(scale, SCAN_DOTS_PER_INCH / _POINTS_PER_INCH), MAX_SIDE_PX**2)
        page.close()
    return image


def draw(page: object, scale: float, most_pixels: int) -> Image.Image:
    """A page of an open PDF as RGB, at `scale` pixels a point or what `most_pixels` allows."""
    shown = cast(Any, page)
    width, height = shown.get_size()
    scale = min(scale, (most_pixels / max(1.0, width * height)) ** 0.5)
    return cast(Image.Image, shown.render(scale=scale).to_pil().convert("RGB"))


def frame(data: bytes, number: int, width_px: int) -> Image.Image:
    """Frame `number` (from 1) of a picture for the viewer, at most `width_px` wide.

    Raises:
        UnreadableDocument: it is damaged.
    """
    with open_picture(data) as picture:
        return decode(picture, number - 1, (width_px, MAX_SIDE_PX))
