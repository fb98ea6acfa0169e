"""PySide6 6.12.0 on Python 3.11 loses a reference to None with every call that returns
nothing, and after normal use the interpreter dies. The version bound keeps it out; this
notices if it comes back."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from 3.12 on")
def test_void_calls_keep_their_reference_to_none(qapp: Any) -> None:
    shown = QLabel()
    shown.setText("warm")
    before = sys.getrefcount(None)
    for _ in range(5_000):
        shown.setText("x")
    lost = before - sys.getrefcount(None)
    assert lost < 500
