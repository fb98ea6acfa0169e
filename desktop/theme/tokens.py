"""The colours of the two schemes, named by what they are for.

Every text colour keeps the WCAG AA contrast (4.5:1) on every surface it is drawn on, every
control border and icon keeps 3:1; `tests/desktop/theme/test_tokens.py` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """One scheme. Values are `#rrggbb`."""

    dark: bool
    page: str
    """Background of the page itself."""
    side: str
    """Background of the sidebar and the panes at the side."""
    card: str
    """Background of cards and inputs."""
    hover: str
    """Background under the pointer, and of quiet buttons and pills."""
    pressed: str
    selected: str
    """Background of the chosen row."""
    line: str
    """Hairlines between areas; decoration only."""
    border: str
    """Borders that show where a control is."""
    text: str
    muted: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    bubble: str
    """Background of a question."""
    mark: str
    """Background of highlighted evidence."""
    mark_line: str
    good: str
    warning: str
    danger: str
    warning_soft: str
    danger_soft: str
    track: str
    """The empty part of a progress bar."""
    shadow: str
    hues: tuple[str, ...]
    """One for each source of an answer: its mark as it is, its words laid over the page."""
    tint_least: float
    tint_most: float
    """How strongly a hue is laid over the page, for a word that hardly came from the source
    and for one that surely did."""


LIGHT = Tokens(
    dark=False,
    page="#ffffff",
    side="#f4f5f8",
    card="#ffffff",
    hover="#e8ebf1",
    pressed="#dce0e8",
    selected="#dee7fb",
    line="#dfe2e9",
    border="#848b99",
    text="#1a1d23",
    muted="#555d6b",
    accent="#2456c6",
    accent_hover="#1d49ad",
    accent_pressed="#183d92",
    on_accent="#ffffff",
    bubble="#e9effd",
    mark="#ffedb0",
    mark_line="#d9a200",
    good="#176c3f",
    warning="#855300",
    danger="#b3251e",
    warning_soft="#fff5df",
    danger_soft="#fdeceb",
    track="#e3e6ed",
    shadow="#0b1020",
    hues=("#2a6fdb", "#c05a00", "#1b8754", "#8a46cf", "#0a8294", "#c62f78"),
    tint_least=0.07,
    tint_most=0.24,
)

DARK = Tokens(
    dark=True,
    page="#1e2024",
    side="#17181b",
    card="#25272c",
    hover="#2c2f36",
    pressed="#363a42",
    selected="#27365c",
    line="#33363d",
    border="#7b828f",
    text="#e9ebef",
    muted="#a6adb9",
    accent="#8ab0ff",
    accent_hover="#a3c1ff",
    accent_pressed="#bcd2ff",
    on_accent="#0d1a35",
    bubble="#26324e",
    mark="#5a470d",
    mark_line="#d8ab3c",
    good="#63c794",
    warning="#f0b958",
    danger="#ff9b90",
    warning_soft="#352c1a",
    danger_soft="#3b2322",
    track="#33363d",
    shadow="#000000",
    hues=("#6aa2ff", "#f0954a", "#4cc38a", "#b98cff", "#3fc1d3", "#f27eb0"),
    tint_least=0.1,
    tint_most=0.25,
)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
