"""An answer as text for other programs: plain with numbered sources, or Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QTextBlock, QTextListFormat, QTextTable

from desktop.strings import english, names, places
from desktop.widgets.safe_text import SafeDocument, plain_document

if TYPE_CHECKING:
    from desktop.conversation import Turn
    from engine.work.api import PassageHit

_BULLET = "•"


def as_plain(turn: Turn) -> str:
    """The answer without its Markdown signs, and the sources it names."""
    document = SafeDocument()
    plain_document(document, turn.text)
    lines: list[str] = []
    done: set[int] = set()
    block = document.begin()
    while block.isValid():
        table = _table_of(document, block)
        if table is None:
            lines.append(_line(block))
        elif table.firstPosition() not in done:
            done.add(table.firstPosition())
            lines += [*_rows(table), ""]
        block = block.next()
    text = "\n".join(lines).strip()
    named = [f"[{number}] {', '.join(_described(hit))}" for number, hit in cited_sources(turn)]
    return "\n".join([text, "", english.SOURCES, *named]) if named else text


def as_markdown(turn: Turn) -> str:
    """The question, the answer as it was written, and the sources it names."""
    quoted = "\n".join(f"> {line}" for line in turn.question.splitlines())
    parts = [quoted, "", turn.text.strip()]
    named = cited_sources(turn)
    if named:
        parts += ["", f"**{english.SOURCES}**", ""]
    for number, hit in named:
        name, *rest = _described(hit)
        tail = f", {', '.join(rest)}" if rest else ""
        parts.append(f"- [{number}] `{name.replace('`', '')}`{tail}")
    return "\n".join(parts) + "\n"


def cited_sources(turn: Turn) -> list[tuple[int, PassageHit]]:
    """The sources that the answer refers to, by number."""
    if turn.report is None:
        return []
    numbers = {cite.n for cite in turn.report.citations}
    return [(n, hit) for n, hit in enumerate(turn.passages, start=1) if n in numbers]


def _described(hit: PassageHit) -> list[str]:
    parts = [names.file_name(hit.path), places.place_in_sentence(hit.page, hit.place)]
    heading = hit.heading.split(" › ")[-1]
    return [part for part in [*parts, names.one_line(heading)] if part]


def _line(block: QTextBlock) -> str:
    text = block.text().replace("\u2028", "\n")
    listed = block.textList()
    if listed is None:
        # A blank line after a paragraph, as Markdown had it.
        return f"{text}\n" if not _list_follows(block) else text
    indent = "  " * (listed.format().indent() - 1)
    numbered = listed.format().style() == QTextListFormat.Style.ListDecimal
    sign = f"{listed.itemNumber(block) + 1}." if numbered else _BULLET
    end = "" if _list_follows(block) else "\n"
    return f"{indent}{sign} {text}{end}"


def _list_follows(block: QTextBlock) -> bool:
    after = block.next()
    return block.textList() is not None and after.isValid() and after.textList() is not None


def _table_of(document: SafeDocument, block: QTextBlock) -> QTextTable | None:
    for frame in document.rootFrame().childFrames():
        inside = frame.firstPosition() <= block.position() <= frame.lastPosition()
        if isinstance(frame, QTextTable) and inside:
            return frame
    return None


def _rows(table: QTextTable) -> list[str]:
    """Cells with tabs between them, which spreadsheets take apart again."""
    return [
        "\t".join(
            table.cellAt(row, at).firstCursorPosition().block().text()
            for at in range(table.columns())
        )
        for row in range(table.rows())
    ]
