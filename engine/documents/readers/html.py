"""HTML by lexbor (selectolax), which parses like a browser and keeps text at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.nesting import bounded_depth
from engine.documents.readers.text import decode, decode_as
from engine.documents.types import BlockKind, Document

_CHARSET = re.compile(
    rb"""<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,200}?encoding)\s*=\s*[\"']?\s*"""
    rb"([a-zA-Z0-9_:.-]{2,40})",
    re.IGNORECASE,
)
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
_ANY_HEADING = ", ".join(_HEADINGS)
_IN_LAYOUT = ", ".join(f"table {tag}" for tag in ("table", "pre", *_HEADINGS))
_WRITING = "p, ul, ol"
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_XHTML = re.compile(r"\s*<\?xml|[^<]*(?:<![^>]*>\s*)?<html[^>]{0,500}xmlns=", re.IGNORECASE)
_CLOSED_AT_ONCE = re.compile(r"<([a-zA-Z][\w:.-]*)([^<>]*)/>")
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)


def read_html(data: bytes, name: str) -> Document:
    """The visible text of a page with headings, lists, tables and code.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    builder = DocumentBuilder()
    title = add_page(builder, decode_page(data))
    return builder.document(title or builder.heading())


def add_page(
    builder: DocumentBuilder, page: str, marks: Mapping[str, Callable[[], None]] | None = None
) -> str:
    """Add the visible text of a page; its title is given back.

    Args:
        builder: what the blocks are added to.
        page: the source.
        marks: element id → what is called when the reading arrives there.
    """
    parser = _parse(page)
    root = parser.body or parser.root
    if root is not None:
        walk = _Walk(builder, marks or {})
        walk.visit(root)
        walk.flush()
    titles = parser.css("title")
    return _SPACE.sub(" ", titles[0].text()).strip() if titles else ""


def elements(markup: str) -> Iterator[LexborNode]:
    """Every element of a page or a small XML file, damaged or not, in order."""
    root = _parse(markup).root
    if root is not None:
        yield from root.traverse(include_text=False)


def _parse(page: str) -> LexborHTMLParser:
    if _XHTML.match(page[:1000]):
        # To an HTML parser <title/> is an opening tag that nothing ever closes.
        page = _CLOSED_AT_ONCE.sub(_closed, page)
    return LexborHTMLParser(bounded_depth(page))


def decode_page(data: bytes) -> str:
    """HTML says its own encoding; otherwise it is text like any other.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        text = decode_as(data, declared.group(1).decode("ascii"))
        if text is not None:
            return text
    return decode(data)


def _closed(tag: re.Match[str]) -> str:
    name, attributes = tag.groups()
    return tag.group() if name.lower() in _VOID else f"<{name}{attributes}></{name}>"


class _Walk:
    """Visits nodes in order without recursion: pages nest as deep as they like."""

    def __init__(
        self, builder: DocumentBuilder, marks: Mapping[str, Callable[[], None]]
    ) -> None:
        self._builder = builder
        self._marks = marks
        self._layout: set[int] = set()
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
        self._builder.add(self._kind, text, self._level)
        self._line, self._kind, self._level = [], "paragraph", 0

    def visit(self, root: LexborNode) -> None:
        """Collect everything visible under `root`."""
        self._layout = _layout_tables(root)
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
            if self._marks:
                self._arrive(node)
            if not self._enter(node, tag):
                continue
            stack.append(tag)
            children: list[LexborNode] = []
            child = node.first_child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))

    def _arrive(self, node: LexborNode) -> None:
        mark = self._marks.get(node.attributes.get("id") or "")
        if mark is not None:
            if "".join(self._line).strip():
                self.flush()
            mark()

    def _words(self, text: str) -> str:
        return text if self._kind == "code" else _SPACE.sub(" ", text)

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Start a node; False when it was taken whole."""
        if tag == "br":
            self._line.append("\n")
            return False
        if tag == "ruby" and not node.css_first("p, div, li, table"):
            self._line.append(_ruby(node))
            return False
        if tag == "table" and node.mem_id not in self._layout and _has_cells(node):
            self.flush()
            _add_table(self._builder, node)
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
    """Not shown, or the number of a printed page in the middle of a sentence."""
    attributes = node.attributes
    if not attributes:
        return False
    if attributes.get("epub:type") == "pagebreak" or attributes.get("role") == "doc-pagebreak":
        return True
    return "hidden" in attributes or "display:none" in (
        (attributes.get("style") or "").replace(" ", "").lower()
    )


def _layout_tables(root: LexborNode) -> set[int]:
    """Ids of the tables that hold what no table of data does: they lay out the page."""
    found: set[int] = set()
    for inner in root.css(_IN_LAYOUT):
        node = inner.parent
        while node is not None and node.tag != "table":
            node = node.parent
        if node is not None:
            found.add(node.mem_id)
    return found


def _has_cells(table: LexborNode) -> bool:
    """Whether a table names its cells, or has nothing in them but words."""
    return bool(table.css_first("th")) or not table.css_first(_WRITING)


def _add_table(builder: DocumentBuilder, table: LexborNode) -> None:
    caption = table.css_first("caption")
    if caption is not None:
        builder.add("paragraph", _SPACE.sub(" ", caption.text()).strip())
    rows = table.css("tr")
    header = bool(rows) and (
        bool(table.css_first("thead th, thead td"))
        or bool(rows[0].css_first("th") and not rows[0].css_first("td"))
    )
    cells = ([cell.text(separator=" ") for cell in row.css("td, th")] for row in rows)
    builder.table(cells, header=header)


def _ruby(node: LexborNode) -> str:
    """A word with its reading after it, so that the word stays whole: 山路（やまみち）."""
    base: list[str] = []
    readings: list[str] = []
    stack = [(node, base)]
    while stack:
        one, into = stack.pop()
        tag = one.tag or ""
        if tag == "-text":
            into.append(_SPACE.sub("", one.text_content or ""))
        elif tag != "rp":
            child = one.last_child
            while child is not None:
                stack.append((child, readings if child.tag in ("rt", "rtc") else into))
                child = child.prev
    reading = "".join(readings)
    return "".join(base) + (f"（{reading}）" if reading else "")
