from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.documents.formats import MAX_FILE_BYTES, classify, suffix_of
from engine.errors import UnreadableDocument


def about(size: int = 10, mode: int = stat.S_IFREG) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, 0, 0, size, 0, 0, 0))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"a.PDF", "PDF"),
        (b"a.docx", "Word"),
        (b"a.htm", "HTML"),
        (b"README.md", "Markdown"),
        (b"deck.pptx", "PowerPoint"),
        (b"budget.xlsx", "Spreadsheet"),
        (b"budget.ODS", "Spreadsheet"),
        (b"old.xls", "Spreadsheet"),
        (b"letter.odt", "OpenDocument text"),
        (b"talk.odp", "OpenDocument slides"),
        (b"letter.rtf", "RTF"),
        (b"notes", "Text"),
        (b".hidden.txt", "Text"),
        (b".profile", "Text"),
        (b"latin1-\xe9\xff.txt", "Text"),
        ("RTL\u202etxt.exe".encode(), "Text"),
    ],
)
def test_the_kind_follows_the_name(name: bytes, kind: str) -> None:
    assert classify(b"/folder/" + name, about()) == kind


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (b"a.txt", about(0)),
        (b"a.txt", about(MAX_FILE_BYTES + 1)),
        (b"pipe.txt", about(mode=stat.S_IFIFO)),
        (b"photo.HEIC", about()),
        (b"~$report.docx", about()),
        (b".env", about()),
        (b"secrets.env", about()),
        (b"id_rsa", about()),
    ],
)
def test_what_is_not_read_has_a_reason(name: bytes, found: os.stat_result) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        classify(b"/folder/" + name, found)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("name", "save_as"), [(b"old.doc", ".docx"), (b"old.ppt", ".pptx"), (b"show.PPS", ".pptx")]
)
def test_an_old_binary_format_says_what_to_save_it_as(name: bytes, save_as: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        classify(b"/folder/" + name, about())
    assert f"save it as {save_as}" in caught.value.message


def test_suffixes() -> None:
    assert [suffix_of(n) for n in ("A.TXT", ".env", "x.tar.gz", "none", "t.md ")] == [
        ".txt", "", ".gz", "", ".md",
    ]  # fmt: skip


def test_a_hundred_thousand_names_are_judged_without_opening(tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path / "never-made.pdf")
    assert classify(missing, about()) == "PDF"
