"""Text of unknown origin in Qt's text widgets, without letting it reach for anything.

`setMarkdown` and `setHtml` read any local path an image names: a FIFO hangs the window and
`/dev/zero` kills it. The document here loads nothing, HTML in Markdown stays text, and a
link is only ever handed to the one who shows the text.
"""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QFont,
    QImage,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)

from desktop import theme
from desktop.strings import names

CITE = "cite"
_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`)", re.DOTALL)
_MARK = re.compile(r"\[(\d{1,2})\]")
_IMAGE = QTextDocument.ResourceType.ImageResource.value
ANSWER_LIMIT = 100_000
_FEATURES = (
    QTextDocument.MarkdownFeature.MarkdownDialectGitHub
    | QTextDocument.MarkdownFeature.MarkdownNoHTML
)


class SafeDocument(QTextDocument):
    """A document that never loads an image, a style sheet or a page."""

    def loadResource(self, kind: int, name: QUrl) -> Any:
        # Not None: without a picture Qt goes on to read the name as a local file itself.
        return QImage(1, 1, QImage.Format.Format_ARGB32) if kind == _IMAGE else None


def show_markdown(document: QTextDocument, text: str, sources: int) -> None:
    """Fill `document` with an answer; marks [1] to [`sources`] become citation links.

    The marks are escaped before Markdown sees them (it would take "[1]: x" for a link
    definition and swallow it) and made links afterwards, in the finished document.
    """
    document.setMarkdown(escape_marks(names.prose(text, ANSWER_LIMIT)), _FEATURES)
    _set_rhythm(document)
    _link_marks(document, sources)


def plain_document(document: QTextDocument, text: str) -> None:
    """Fill `document` with an answer for taking its words out again, not for showing."""
    document.setMarkdown(escape_marks(names.prose(text, ANSWER_LIMIT)), _FEATURES)


def escape_marks(text: str) -> str:
    """Citation marks and images as literal text, outside of code."""
    parts = _CODE.split(text)
    parts[::2] = [_MARK.sub(r"\\[\1\\]", part.replace("![", r"!\[")) for part in parts[::2]]
    return "".join(parts)


def _set_rhythm(document: QTextDocument) -> None:
    """Line height and space between blocks that read well; tables in our own colours."""
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        shape = QTextBlockFormat()
        in_table = cursor.currentTable() is not None
        height = 100 if in_table else 122
        shape.setLineHeight(height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        listed = block.textList() is not None
        shape.setTopMargin(0)
        shape.setBottomMargin(0 if in_table else 4 if listed else 9)
        level = block.blockFormat().headingLevel()
        cursor.mergeBlockFormat(shape)
        if level:
            cursor.movePosition(
                QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor
            )
            large = QTextCharFormat()
            large.setFont(theme.font({1: 1.3, 2: 1.18}.get(level, 1.06), QFont.Weight.DemiBold))
            cursor.mergeCharFormat(large)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _dress_table(frame)
    cursor.endEditBlock()


def _dress_table(table: QTextTable) -> None:
    shape = table.format()
    shape.setBorder(1)
    shape.setBorderCollapse(True)
    shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    shape.setBorderBrush(theme.colour("line"))
    shape.setCellPadding(7)
    shape.setCellSpacing(0)
    shape.setTopMargin(4)
    shape.setBottomMargin(0)
    shape.setWidth(QTextLength())
    table.setFormat(shape)
    for at in range(table.columns()):
        cell = table.cellAt(0, at)
        head = cell.format()
        head.setBackground(theme.colour("side"))
        cell.setFormat(head)


def _link_marks(document: QTextDocument, sources: int) -> None:
    look = QTextCharFormat()
    look.setForeground(theme.colour("accent"))
    look.setFontWeight(QFont.Weight.DemiBold)
    look.setAnchor(True)
    cursor = QTextCursor(document)
    # One edit: otherwise every link lays out its whole paragraph again.
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        for match in _MARK.finditer(block.text()):
            number = int(match.group(1))
            if not 1 <= number <= sources:
                continue
            # Qt counts UTF-16 units, Python code points.
            before = len(block.text()[: match.start()].encode("utf-16-le")) // 2
            cursor.setPosition(block.position() + before + 1)
            if cursor.charFormat().fontFixedPitch() or cursor.charFormat().isAnchor():
                continue
            cursor.setPosition(block.position() + before)
            length = len(match.group())
            cursor.setPosition(
                block.position() + before + length, QTextCursor.MoveMode.KeepAnchor
            )
            look.setAnchorHref(f"{CITE}:{number}")
            cursor.mergeCharFormat(look)
        block = block.next()
    cursor.endEditBlock()


def cited_number(url: QUrl) -> int | None:
    """The source number of one of our own links, None for every other link."""
    if url.scheme() != CITE or not url.path().isdigit():
        return None
    return int(url.path())
