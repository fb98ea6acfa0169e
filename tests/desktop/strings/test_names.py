from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.strings import names

ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT)
def test_one_line_hides_nothing_and_turns_nothing_round(text: str) -> None:
    shown = names.one_line(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not any(unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "RLI") for c in shown)
    shown.encode("utf-8")
    assert len(shown) <= 10 * names.NAME_LIMIT


def test_a_name_that_pretends_to_be_another_is_unmasked() -> None:
    assert names.one_line("invoice\u202efdp.exe") == "invoice\\u202efdp.exe"
    assert names.one_line("two\nlines\x1b[31m") == "two\\x0alines\\x1b[31m"
    assert names.one_line("caf\udce9") == "caf\\udce9"
    assert names.one_line("café Ünïcode 名前 שלום") == "café Ünïcode 名前 שלום"


def test_marks_do_not_pile_up() -> None:
    piled = "z" + "\u0335" * 200 + "y"
    assert names.one_line(piled) == "z" + "\u0335" * 4 + "y"


def test_a_long_name_is_capped() -> None:
    assert names.one_line("x" * 1_000_000) == "x" * names.NAME_LIMIT + "…"


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT)
def test_prose_keeps_every_offset(text: str) -> None:
    shown = names.prose(text)
    assert len(shown) == len(text)
    for before, after in zip(text, shown, strict=True):
        assert after in (before, "·", "\n")


def test_prose_breaks_a_line_that_would_freeze_the_window() -> None:
    shown = names.prose("y" * 1_000_000, 50_000)
    assert max(map(len, shown.split("\n"))) <= names.LINE_LIMIT + 1
    assert len(shown) < 51_000


def test_file_and_folder_of_a_path() -> None:
    assert names.file_name("/home/ada/Clinic/a b.pdf") == "a b.pdf"
    assert names.folder_of("/home/ada/Clinic/a b.pdf") == "/home/ada/Clinic"
    assert names.file_name("a.pdf") == "a.pdf"
    assert names.file_name("/home/ada/Clinic/") == "Clinic"
