"""HTML by lexbor (selectolax), which parses like a browser and keeps text at any depth."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.text import decode
from engine.documents.types import BlockKind, Document

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})")
_DROPPED = frozenset(
    """script style noscript template svg math iframe object embed canvas audio video head
    select button input textarea""".split()  # noqa: SIM905 - a list of tags reads better so
)
_BLOCKS = frozenset(
    """p div section article main aside header footer nav address blockquote figure figcaption
    ul ol li dl dt dd table tr form fieldset details summary hr center body html pre
    h1 h2 h3 h4 h5 h6""".split()  # noqa: SIM905
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")


def read_html(data: bytes, name: str) -> Document:
    """The visible text of a page with headings, lists, tables and code.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    parser = LexborHTMLParser(_decode(data))
    walk = _Walk()
    root = parser.body or parser.root
    if root is not None:
        walk.visit(root)
    walk.flush()
    titles = parser.css("title")
    title = _SPACE.sub(" ", titles[0].text()).strip() if titles else ""
    return walk.builder.document(title or walk.builder.heading())


def _decode(data: bytes) -> str:
    """HTML says its own encoding; otherwise it is text like any other."""
    declared = _META_CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data)


class _Walk:
    """Visits nodes in order without recursion: pages nest as deep as they like."""

    def __init__(self) -> None:
        self.builder = DocumentBuilder()
        self._line: list[str] = []
        self._kind: BlockKind = "paragraph"
        self._level = 0

    def flush(self) -> None:
        """End the block that is being collected."""
        text = "".join(self._line)
        if self._kind != "code":
            text = "\n".join(
                line for part in text.split("\n") if (line := _SPACE.sub(" ", part).strip())
            )
        self.builder.add(self._kind, text, self._level)
        self._line, self._kind, self._level = [], "paragraph", 0

    def visit(self, root: LexborNode) -> None:
        """Collect everything visible under `root`."""
        stack: list[LexborNode | str] = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                self._leave(node)
                continue
            tag = node.tag or ""
            if tag == "-text":
                self._line.append(self._words(node.text_content or ""))
                continue
            if tag in _DROPPED or tag.startswith(("-", "!")) or _hidden(node):
                continue
            if not self._enter(node, tag):
                continue
            stack.append(tag)
            children: list[LexborNode] = []
            child = node.first_child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))

    def _words(self, text: str) -> str:
        return text if self._kind == "code" else _SPACE.sub(" ", text)

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Start a node; False when it was taken whole."""
        if tag == "br":
            self._line.append("\n")
            return False
        if tag == "table" and not node.css("table table, p, h1, h2, h3, ul, ol, pre"):
            self.flush()
            self.builder.add("table", _table(node))
            return False
        if tag in ("td", "th"):
            self._line.append(" ")
        elif tag in _BLOCKS:
            if tag == "li" and self._kind == "list":
                self._line.append("\n- ")
                return True
            self.flush()
            if tag in _HEADINGS:
                self._kind, self._level = "heading", _HEADINGS[tag]
            elif tag == "pre":
                self._kind = "code"
            elif tag in ("ul", "ol"):
                self._kind = "list"
        return True

    def _leave(self, tag: str) -> None:
        if tag in _BLOCKS and not (tag == "li" and self._kind == "list"):
            self.flush()


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or "display:none" in (
        (attributes.get("style") or "").replace(" ", "").lower()
    )


def _table(node: LexborNode) -> str:
    rows: list[str] = []
    for row in node.css("tr"):
        cells = [
            _SPACE.sub(" ", cell.text(separator=" ")).strip() for cell in row.css("td, th")
        ]
        rows.append(" | ".join(cells))
    caption = node.css("caption")
    head = [_SPACE.sub(" ", caption[0].text()).strip()] if caption else []
    return "\n".join(head + rows)
