"""Finding and reading text in a picture: PP-OCRv6 by RapidOCR on ONNX Runtime.

The only module that imports them, and only when a page is to be read. The models come with
RapidOCR's wheel and are named by their paths: without one it would look for it on the
network.

A page is found first (one pass of the detector), then read line by line, so that whoever
waits for the cores gets them within a second.

PP-OCR: Du et al. 2020, arXiv 2009.09941; differentiable binarization: arXiv 1911.08947.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.documents.layout import reading_order
from engine.documents.readers.text import clean
from engine.documents.scans import Rectangle, ScanLine, ScanPage
from engine.errors import ModelUnavailable

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
"""Height × width × 3, blue first, as OpenCV has it."""

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
MAX_LINES = 1_000
MIN_SCORE = 0.5
"""Mean probability of a line's characters below which it is a stain, not text."""
_DETECT_SHARE, _DETECT_LEAST_PX, _DETECT_MOST_PX = 0.55, 960, 1920
"""The detector sees a page of 200 dots an inch at about 110: as many words found as at full
size, in a third of the time and memory."""
_PARTABLE, _GUTTER_HEIGHTS, _GUTTER_LINES, _INK = 6.0, 0.7, 5, 48.0
"""A line this many times longer than high is looked at for a gutter: this many heights wide,
beside this many other lines, and with no grey that differs by more from the paper's."""
_SAMPLE_LINES = 4
_DOUBTFUL = 0.75
_CLEARLY_BETTER = 0.1
_SIDEWAYS = 1.5


def model_files() -> tuple[Path, Path]:
    """The detector's and the recogniser's file, as RapidOCR's wheel brought them.

    Raises:
        ModelUnavailable: the wheel is missing or incomplete.
    """
    found = importlib.util.find_spec("rapidocr")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        paths = Path(place) / "models" / DETECTOR, Path(place) / "models" / RECOGNISER
        if all(path.is_file() for path in paths):
            return paths
    raise ModelUnavailable(
        "The models that read scanned pages are missing.",
        hint="Install Whetstone again; all else works meanwhile.",
        details=f"{DETECTOR} and {RECOGNISER} under {places}",
    )


def _session(path: Path, threads: int) -> Any:
    """A model on ONNX Runtime, with threads that sleep while they wait.

    RapidOCR's own sessions spin: on a machine that has other work too they took 1.6 times
    the processor time, and up to four times as long.
    """
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # pages differ in size: the arena only grows
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class TextReader:
    """Detector and recogniser, loaded once.

    Args:
        threads: cores to use.

    Raises:
        ModelUnavailable: the models are missing or cannot be loaded.
    """

    def __init__(self, threads: int) -> None:
        detector, recogniser = model_files()
        parameters = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECT_MOST_PX,
            "Rec.rec_batch_num": 1,  # lines differ in length: together they cost more
        }
        try:
            from rapidocr import RapidOCR

            self._engine: Any = RapidOCR(params=parameters)
            for part, path in (("Det", detector), ("Rec", recogniser)):
                config = self._engine.cfg[part]
                config._set_flag("allow_objects", True)
                config.session = _session(path, threads)
        except Exception as error:
            raise ModelUnavailable(
                "The models that read scanned pages could not be loaded.",
                hint="Install Whetstone again; all else works meanwhile.",
                details=f"{type(error).__name__}: {error}",
            ) from error

    def find(self, pixels: Pixels) -> Quads:
        """Corners of the lines of text, (lines, 4, 2), clockwise from top left, in pixels."""
        import cv2

        longest = max(pixels.shape[:2])
        most = min(_DETECT_MOST_PX, max(_DETECT_LEAST_PX, int(longest * _DETECT_SHARE)))
        scale = min(2.0, most / longest)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small: Any = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)
        found = self._engine(small, use_det=True, use_rec=False, use_cls=False)
        boxes = getattr(found, "boxes", None)
        if boxes is None or len(boxes) == 0:
            return np.zeros((0, 4, 2), np.float32)
        quads = np.asarray(boxes, np.float32)[:MAX_LINES] / np.float32(scale)
        return np.concatenate([self._parted(pixels, quad, quads) for quad in quads])

    def read(self, pixels: Pixels, quad: Quad) -> tuple[str, float]:
        """The text in a line's corners, and how sure of it the model is (0 to 1)."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        crop: Any = get_rotate_crop_image(pixels, quad.copy())
        return self.read_crop(crop)

    def _parted(self, pixels: Pixels, quad: Quad, others: Quads) -> Quads:
        """One line, or the lines of two columns that the detector took for one.

        It is parted where it has a white gap in which many other lines end or begin.
        """
        from rapidocr.utils.process_img import get_rotate_crop_image

        along, down = (float(np.linalg.norm(quad[i] - quad[0])) for i in (1, 3))
        if along < _PARTABLE * down or len(others) < _GUTTER_LINES:
            return quad[None]
        crop: Any = get_rotate_crop_image(pixels, quad.copy())
        left, width = float(quad[0, 0]), float(quad[1, 0] - quad[0, 0])
        starts, ends = others[:, :, 0].min(1), others[:, :, 0].max(1)
        edges = [0.0]
        for first, last in white_gaps(crop, _GUTTER_HEIGHTS * crop.shape[0]):
            x0, x1 = left + first * width, left + last * width
            beside = (np.abs(ends - x0) < down) | (np.abs(starts - x1) < down)
            across = (starts < x0 - down) & (ends > x1 + down)
            if beside.sum() >= _GUTTER_LINES and beside.sum() > across.sum():
                margin = (last - first) / 4
                edges += [first + margin, last - margin]
        edges.append(1.0)
        top, bottom = quad[1] - quad[0], quad[2] - quad[3]
        parts = [
            [quad[0] + a * top, quad[0] + b * top, quad[3] + b * bottom, quad[3] + a * bottom]
            for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]
        return np.asarray(parts, np.float32)

    def read_crop(self, crop: Pixels) -> tuple[str, float]:
        """The text of one upright line."""
        if min(crop.shape[:2]) < 3:
            return "", 0.0
        found = self._engine.recognize_txt([np.ascontiguousarray(crop)])
        text = " ".join(clean(str(found.txts[0])).split())
        return text, float(found.scores[0]) if text else 0.0


Quad = np.ndarray[Any, np.dtype[np.float32]]
Quads = np.ndarray[Any, np.dtype[np.float32]]


@dataclass
class PageReading:
    """One page in work: turned upright, its lines found, some of them read.

    `turns` counts the quarter turns counter-clockwise that made it upright.
    """

    pixels: Pixels
    quads: Quads
    turns: int
    texts: dict[int, tuple[str, float]] = field(default_factory=dict[int, tuple[str, float]])

    @property
    def left(self) -> int:
        """Lines still to be read."""
        return len(self.quads) - len(self.texts)

    def read_for(self, reader: TextReader, seconds: float) -> None:
        """Read lines until about `seconds` have passed, one at least."""
        stop = time.monotonic() + seconds
        for index in range(len(self.quads)):
            if index not in self.texts:
                self.texts[index] = reader.read(self.pixels, self.quads[index])
                if time.monotonic() >= stop:
                    return

    def page(self) -> ScanPage:
        """What was read, in reading order, with boxes on the upright page."""
        kept = [
            index
            for index in range(len(self.quads))
            if index in self.texts and self.texts[index][1] >= MIN_SCORE
        ]
        height, width = self.pixels.shape[:2]
        straight = straightened(self.quads[kept])
        rectangles = [
            (float(x0), float(y0), float(x1), float(y1))
            for (x0, y0), (x1, y1) in zip(straight.min(1), straight.max(1), strict=True)
        ]
        lines: list[ScanLine] = []
        for ordered in reading_order(rectangles):
            index = kept[ordered.index]
            box = _fractions(self.quads[index], width, height)
            lines.append(ScanLine(self.texts[index][0], box, ordered.joint))
        return ScanPage(tuple(lines), turns=self.turns)


def white_gaps(crop: Pixels, least_px: float) -> list[tuple[float, float]]:
    """Stretches of a line without ink, in fractions of its width; its two ends are none."""
    grey = crop.mean(axis=2)
    inked = (np.abs(grey - np.median(grey)) > _INK).sum(axis=0) >= 2
    columns = np.flatnonzero(inked)
    if len(columns) < 2:
        return []
    width = crop.shape[1]
    return [
        (float(columns[at] + 1) / width, float(columns[at + 1]) / width)
        for at in np.flatnonzero(np.diff(columns) > least_px)
    ]


def look(reader: TextReader, pixels: Pixels) -> PageReading:
    """Find a page's lines; a page that lies on its side or its head is turned first."""
    quads = reader.find(pixels)
    if len(quads) < 2:
        return PageReading(pixels, quads, 0)
    if _mostly_tall(quads):
        # A quarter turn makes the lines level; which of the two, their text decides.
        turned_pixels = np.ascontiguousarray(np.rot90(pixels))
        return _upright(reader, turned_pixels, reader.find(turned_pixels), 1)
    return _upright(reader, pixels, quads, 0)


def _upright(reader: TextReader, pixels: Pixels, quads: Quads, turns: int) -> PageReading:
    """Read a few long lines; when they make no sense, try the page upside down."""
    reading = PageReading(pixels, quads, turns)
    widths = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    sample = [int(index) for index in np.argsort(-widths)[:_SAMPLE_LINES]]
    for index in sample:
        reading.texts[index] = reader.read(pixels, quads[index])
    score = _mean([reading.texts[index][1] for index in sample])
    if not sample or score >= _DOUBTFUL:
        return reading
    over = np.ascontiguousarray(np.rot90(pixels, 2))
    flipped = reader.find(over)
    widths = np.linalg.norm(flipped[:, 1] - flipped[:, 0], axis=1)
    tried = PageReading(over, flipped, (turns + 2) % 4)
    for index in (int(index) for index in np.argsort(-widths)[:_SAMPLE_LINES]):
        tried.texts[index] = reader.read(over, flipped[index])
    better = _mean([score for _, score in tried.texts.values()])
    return tried if better > score + _CLEARLY_BETTER else reading


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _mostly_tall(quads: Quads) -> bool:
    """True when most of the text runs up or down the page."""
    along = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    down = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    tall = down > _SIDEWAYS * along
    return bool(down[tall].sum() > 2 * along[~tall].sum())


def straightened(quads: Quads) -> Quads:
    """The corners after the page's slant, as its longer lines show it, is taken out."""
    if len(quads) == 0:
        return quads.reshape(0, 4, 2)
    along = quads[:, 1] - quads[:, 0]
    length = np.linalg.norm(along, axis=1)
    long = length >= np.median(length)
    slant = float(np.median(np.arctan2(along[long, 1], along[long, 0])))
    if abs(slant) > 0.35:  # not a slant but a page of text in all directions
        return quads
    cosine, sine = np.cos(-slant), np.sin(-slant)
    turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
    return quads @ turn


def _fractions(quad: Quad, width: int, height: int) -> Rectangle:
    low, high = quad.min(0), quad.max(0)
    edges = low[0] / width, low[1] / height, high[0] / width, high[1] / height
    x0, y0, x1, y1 = (min(1.0, max(0.0, float(edge))) for edge in edges)
    return x0, y0, x1, y1
