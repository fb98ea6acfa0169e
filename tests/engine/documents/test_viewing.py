from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.documents.reading import read_document
from engine.documents.scans import Scan, ScanLine, ScanPage, store_scan
from engine.documents.viewing import Viewer
from engine.errors import UnreadableDocument
from engine.paths import sample_dir
from tests.engine.documents.scanned import SIGN, drawn, save_pdf

HANDBOOK = sample_dir() / "station-handbook.pdf"
LINES = tuple(
    ScanLine(line, (0.06, 0.15 + 0.2 * row, 0.6, 0.28 + 0.2 * row), "line" if row else "block")
    for row, line in enumerate(SIGN.splitlines())
)


def picture(view: dict) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(view["png_base64"])))


def ink(view: dict, box: dict[str, float]) -> float:
    """The share of dark pixels in a box of the page."""
    image = np.asarray(picture(view).convert("L"))
    high, wide = image.shape
    part = image[
        int(box["y0"] * high) : int(box["y1"] * high) + 1,
        int(box["x0"] * wide) : int(box["x1"] * wide) + 1,
    ]
    return float((part < 128).mean())


def test_a_place_in_a_pdf_is_drawn_and_boxed() -> None:
    text = read_document(str(HANDBOOK)).text
    start = text.index("Helmets are worn")
    view = Viewer().view(str(HANDBOOK), start, start + 60, None, 700)
    assert (view["kind"], view["page"], view["pages"]) == ("page", 3, 4)
    assert picture(view).width == pytest.approx(700, abs=1)
    assert len(view["boxes"]) in (1, 2)
    assert all(ink(view, box) > 0.05 for box in view["boxes"])


def test_a_second_click_extracts_nothing_and_a_change_does(tmp_path: Path) -> None:
    path = tmp_path / "handbook.pdf"
    path.write_bytes(HANDBOOK.read_bytes())
    viewer = Viewer()
    for page in (1, 2, 3):
        assert viewer.view(str(path), 0, 0, page, 200)["page"] == page
    assert viewer.extractions == 1
    os.utime(path, (1, 1))
    viewer.view(str(path), 0, 0, 1, 200)
    assert viewer.extractions == 2


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    viewer = Viewer()
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(f"Note {number}.")
        viewer.view(str(tmp_path / f"{number}.txt"), 0, 4, None, 200)
    assert viewer.extractions == 20
    viewer.view(str(tmp_path / "19.txt"), 0, 4, None, 200)
    assert viewer.extractions == 20
    viewer.view(str(tmp_path / "0.txt"), 0, 4, None, 200)
    assert viewer.extractions == 21


@pytest.mark.parametrize("name", ["sign.png", "sign.pdf", "sign.tif"])
def test_a_place_on_a_scan_is_boxed_from_what_ocr_found(tmp_path: Path, name: str) -> None:
    path, scan = tmp_path / name, tmp_path / "scan.json"
    image = drawn(SIGN)
    save_pdf(path, [image]) if name.endswith("pdf") else image.save(path)
    viewer = Viewer()
    before = viewer.view(str(path), 0, 0, None, 900, scan)
    assert (before["kind"], before["boxes"]) == ("page", [])

    store_scan(scan, Scan({1: ScanPage(LINES)}))
    text = read_document(str(path), Scan({1: ScanPage(LINES)})).text
    start = text.index("between")
    view = viewer.view(
        str(path), start, start + len("between the two bridges"), None, 900, scan
    )
    (box,) = view["boxes"]
    assert box == {"x0": 0.06, "y0": 0.35, "x1": pytest.approx(0.6), "y1": pytest.approx(0.48)}
    assert ink(view, box) > 0.05
    assert (view["page"], view["pages"]) == (1, 1)


def test_a_page_scanned_on_its_side_is_shown_upright(tmp_path: Path) -> None:
    path, scan = tmp_path / "sign.png", tmp_path / "scan.json"
    drawn(SIGN).rotate(90, expand=True).save(path)
    page = ScanPage(LINES, turns=3)
    store_scan(scan, Scan({1: page}))
    view = Viewer().view(str(path), 0, 20, None, 400, scan)
    assert picture(view).width > picture(view).height
    (box,) = view["boxes"]
    assert ink(view, box) > 0.05
    assert ink(view, {"x0": 0.7, "y0": 0.7, "x1": 1, "y1": 1}) == 0


def test_a_place_in_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("fruit,price\napple,3\npear,4\nplum,5\n")
    text = read_document(str(path)).text
    start = text.index("pear")
    view = Viewer().view(str(path), start, start + 4, None, 200)
    assert view["kind"] == "text"
    assert view["text"][view["mark_start"] : view["mark_end"]] == "pear"
    assert "row" in view["place"]


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="not there"):
        Viewer().view(str(tmp_path / "gone.pdf"), 0, 0, None, 200)


@pytest.mark.parametrize("span", [(0, 0), (10**9, 10**9 + 5), (-5, 3), (50, 10)])
def test_a_place_that_is_none_shows_the_document(span: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some words to look at.")
    for path in (HANDBOOK, tmp_path / "a.txt"):
        view = Viewer().view(str(path), *span, None, 200)
        assert view["kind"] in ("page", "text")
