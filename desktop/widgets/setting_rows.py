"""What the settings are made of: cards, and rows with a control at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QWidget

from desktop.widgets.basics import BOLD, card, column, label, row


def section(title: str, *parts: QWidget | QBoxLayout) -> QFrame:
    """A card with a heading and what belongs under it."""
    result = card()
    layout = column(spacing=14, margins=(20, 16, 20, 18))
    if title:
        layout.addWidget(label(title, 1.08, BOLD))
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    result.setLayout(layout)
    return result


def setting(title: str, text: str, control: QWidget | None = None) -> QWidget:
    """One setting: its name and what it means at the left, the control at the right."""
    words = column(label(title, wrap=True), spacing=2)
    if text:
        words.addWidget(label(text, 0.92, tone="muted", wrap=True))
    layout = row(spacing=20)
    layout.addLayout(words, 1)
    if control is not None:
        layout.addWidget(
            control, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
    result = QWidget()
    result.setLayout(layout)
    return result
