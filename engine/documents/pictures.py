"""Pictures by Pillow: opened without being decoded, then one frame at a time.

A picture's header says how large it becomes, so that a small file that unfolds to gigabytes
is refused before a pixel of it is made.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from PIL import Image, ImageOps

from engine.errors import UnreadableDocument

MAX_PIXELS = 100_000_000
"""A larger picture is no page: A3 at 600 dots an inch has 70 million."""
MIN_PIXELS = 40_000
"""A smaller one is an icon."""
MAX_FRAMES = 500
_KINDS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "MPO")
_ANIMATED = frozenset({"GIF", "WEBP", "PNG"})
"""Frames of these are an animation, not pages: the first stands for it."""


@contextmanager
def open_picture(data: bytes) -> Generator[Image.Image]:
    """The picture in `data`; nothing of it is decoded yet.

    Raises:
        UnreadableDocument: it is none of the kinds above, damaged, or larger than is read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our own limit is lower than Pillow's warning
        try:
            image = Image.open(io.BytesIO(data), formats=_KINDS)
        except Image.DecompressionBombError as error:
            raise UnreadableDocument(_too_large(), details=str(error)) from error
        except Exception as error:
            raise UnreadableDocument(
                "This is not a picture that can be read, or it is damaged.",
                details=f"{type(error).__name__}: {error}",
            ) from error
        with image:
            check_size(image)
            yield image


def check_size(image: Image.Image) -> None:
    """Refuse a frame that is an icon or a bomb.

    Raises:
        UnreadableDocument: it has too few or too many pixels.
    """
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableDocument(_too_large(), details=f"{width} × {height}")
    if width * height < MIN_PIXELS:
        raise UnreadableDocument(
            f"A small picture of {width} × {height} pixels; it was not searched for text."
        )


def frame_count(image: Image.Image) -> int:
    """Pages in the picture: the frames of a TIFF, one otherwise."""
    if image.format in _ANIMATED:
        return 1
    try:
        return max(1, min(MAX_FRAMES, int(getattr(image, "n_frames", 1))))
    except Exception:  # a TIFF whose chain of frames is broken still has its first
        return 1


def decode(image: Image.Image, frame: int, most_px: tuple[int, int]) -> Image.Image:
    """Frame `frame` (from 0) as RGB, upright as the camera noted, within `most_px`.

    Raises:
        UnreadableDocument: the frame is damaged, too large or missing.
    """
    try:
        if frame:
            image.seek(frame)
            check_size(image)
        image.draft(
            "RGB", (max(most_px), max(most_px))
        )  # a JPEG is decoded at a fraction of its size
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            paper = Image.new("RGBA", upright.size, "white")
            paper.alpha_composite(upright.convert("RGBA"))
            upright = paper
        upright = _eight_bits(upright).convert("RGB")
        upright.thumbnail(most_px, Image.Resampling.LANCZOS)
        return upright
    except (UnreadableDocument, MemoryError):
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The picture is damaged.", details=f"{type(error).__name__}: {error}"
        ) from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen-bit grey squeezed into eight; Pillow's own conversion would clip it."""
    if not image.mode.startswith(("I", "F")):
        return image
    low, high = image.convert("F").getextrema()
    low, high = float(str(low)), float(str(high))
    scale = 255.0 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _too_large() -> str:
    return f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels."
