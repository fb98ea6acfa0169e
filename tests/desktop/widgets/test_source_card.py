from __future__ import annotations

from typing import Any

import pytest

from desktop.strings import places
from desktop.widgets.basics import ElidedLabel
from desktop.widgets.source_card import SourceCard
from tests.desktop.scripted_host import hit


@pytest.mark.parametrize(
    ("page", "where", "heading", "shown"),
    [
        (12, "", "4 Dosing › 4.2 Renal dosing", "Page 12 · 4.2 Renal dosing"),
        (3, "Slide 3", "How you can help", "Slide 3 · How you can help"),
        (1, "'Fuel 2025'!A1:D7", "Fuel 2025", "'Fuel 2025'!A1:D7"),
        (None, "lines 120–150", "", "lines 120–150"),
        (None, "", "", ""),
    ],
)
def test_a_place_is_said_once(page: int | None, where: str, heading: str, shown: str) -> None:
    assert places.place(page, where, heading) == shown


def test_a_card_says_place_library_and_the_header_of_its_rows(qtbot: Any) -> None:
    found = hit(1, "Budget.xlsx", 2, "", "Coffee | 55")
    found.place, found.header = "Budget!A5:F9", "Item | Amount"
    card = SourceCard(1, found, "Accounts")
    qtbot.addWidget(card)
    shown = [part.text() for part in card.findChildren(ElidedLabel)]
    assert "Budget!A5:F9 · Accounts" in shown
    assert "Item | Amount" in shown
    assert "Budget!A5:F9" in card.accessibleName()
