"""Where in a document a passage stands, in words."""

from __future__ import annotations

from desktop.strings import english


def place(page: int | None, where: str, heading: str) -> str:
    """ "Page 12 · 4.2 Renal dosing", "Slide 3", "Budget!A5:F9": one line, never twice the same.

    `where` is what the engine calls the place when a page number does not say it.
    """
    inner = heading.split(" › ")[-1] if heading else ""
    first = where or (english.PAGE.format(page=page) if page else "")
    if inner and inner.casefold() in first.casefold():
        inner = ""
    return " · ".join(part for part in (first, inner) if part)


def place_in_sentence(page: int | None, where: str) -> str:
    """The same inside a line of text: "page 12", "Slide 3"; empty for none."""
    return where or (english.PAGE_INSIDE.format(page=page) if page else "")
