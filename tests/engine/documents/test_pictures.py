from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.documents.pictures import MAX_FRAMES, decode, frame_count, open_picture
from engine.errors import UnreadableDocument


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, with no more data than its head."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checked = name + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(30_000, 30_000), (200_000, 1_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_too_large_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    data = png_header(*size)
    with pytest.raises(UnreadableDocument, match="more than 100 million"), open_picture(data):
        pass


def test_an_icon_is_not_searched() -> None:
    data = saved(Image.new("RGB", (64, 64)), "PNG")
    with pytest.raises(UnreadableDocument, match="64 × 64 pixels"), open_picture(data):
        pass


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"\0" * 999]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="not a picture"), open_picture(data):
        pass


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
@pytest.mark.parametrize("keep", [1.0, 0.6, 0.2])
def test_a_picture_cut_short_is_read_or_refused(kind: str, keep: float) -> None:
    data = saved(Image.effect_noise((300, 300), 50).convert("RGB"), kind)
    data = data[: int(len(data) * keep)]
    try:
        with open_picture(data) as image:
            shown = decode(image, 0, (200, 200))
    except UnreadableDocument:
        assert keep < 1
    else:
        assert shown.mode == "RGB"
        assert max(shown.size) <= 200


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    data = saved(Image.new(mode, (300, 300)), "TIFF")
    with open_picture(data) as image:
        assert decode(image, 0, (500, 500)).mode == "RGB"


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    shades = np.full((300, 300), 60_000, np.uint16)
    shades[:100] = 500
    with open_picture(saved(Image.fromarray(shades), "PNG")) as image:
        shown = decode(image, 0, (300, 300))
    assert shown.getpixel((10, 10)) == (0, 0, 0)
    assert shown.getpixel((10, 250)) == (255, 255, 255)


def test_what_is_transparent_is_paper() -> None:
    with open_picture(saved(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG")) as image:
        assert decode(image, 0, (300, 300)).getpixel((5, 5)) == (255, 255, 255)


def test_a_photograph_is_turned_as_the_camera_noted() -> None:
    shot = Image.new("RGB", (400, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    with open_picture(saved(shot, "JPEG", exif=exif)) as image:
        assert decode(image, 0, (900, 900)).size == (200, 400)


def test_each_frame_of_a_tiff_is_a_page_and_an_animation_is_one() -> None:
    frames = [Image.new("RGB", (300, 300), (n, n, n)) for n in (0, 90, 180)]
    more = {"save_all": True, "append_images": frames[1:]}
    with open_picture(saved(frames[0], "TIFF", **more)) as image:
        assert frame_count(image) == 3
        assert decode(image, 2, (300, 300)).getpixel((0, 0)) == (180, 180, 180)
        with pytest.raises(UnreadableDocument):
            decode(image, 7, (300, 300))
    with open_picture(saved(frames[0], "GIF", **more)) as image:
        assert frame_count(image) == 1


def test_the_pages_of_a_tiff_are_bounded() -> None:
    frame = Image.new("1", (300, 200))
    data = saved(frame, "TIFF", save_all=True, append_images=[frame] * (MAX_FRAMES + 5))
    with open_picture(data) as image:
        assert frame_count(image) == MAX_FRAMES


def test_a_later_frame_that_is_a_bomb_is_refused() -> None:
    small, large = Image.new("1", (300, 300)), Image.new("1", (11_000, 10_000))
    data = saved(small, "TIFF", save_all=True, append_images=[large], compression="group4")
    with open_picture(data) as image, pytest.raises(UnreadableDocument, match="million pixels"):
        decode(image, 1, (300, 300))
