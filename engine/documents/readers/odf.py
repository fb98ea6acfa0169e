"""What the OpenDocument formats share (ISO/IEC 26300): the package, names, paragraphs."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from engine.documents.archives import open_archive, read_part
from engine.documents.xml import Element, iterate
from engine.errors import UnreadableDocument

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_URN = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = {
    f"{_URN}office:1.0": "office",
    f"{_URN}text:1.0": "text",
    f"{_URN}table:1.0": "table",
    f"{_URN}drawing:1.0": "draw",
    f"{_URN}presentation:1.0": "presentation",
    f"{_URN}style:1.0": "style",
    f"{_URN}manifest:1.0": "manifest",
    f"{_URN}svg-compatible:1.0": "svg",
    "http://purl.org/dc/elements/1.1/": "dc",
}
_NAMES = {prefix: space for space, prefix in _SPACES.items()}
_ASIDE = frozenset({"text:note", "text:ruby-text", "office:annotation", "text:tracked-changes"})
"""Inside a paragraph but not of it; what they hold is read on its own."""
_MOST_SPACES = 100


@dataclass(frozen=True)
class OpenDocument:
    """The XML of a document's content and the title in its properties."""

    content: bytes
    title: str


def open_document(data: bytes, what: str) -> OpenDocument:
    """The content of a package, or of a flat file, which is one XML document.

    Args:
        data: the file.
        what: what its name says it is ("an OpenDocument text").

    Raises:
        UnreadableDocument: it is something else, protected, damaged, or a bomb.
    """
    if data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        if b"opendocument" not in data[:4096]:
            raise UnreadableDocument(f"This is not {what}, whatever its name says.")
        return OpenDocument(data, _title(data))
    if data.startswith(_OLE):
        raise UnreadableDocument(
            "This is a Microsoft Office file under another name. Save it in a newer format."
        )
    if not data.startswith(b"PK"):
        raise UnreadableDocument(f"This is not {what}, whatever its name says.")
    archive = open_archive(data)
    for event, element in iterate(read_part(archive, "META-INF/manifest.xml") or b"<none/>"):
        if event == "start" and local(element) == "manifest:encryption-data":
            raise UnreadableDocument("The file is protected by a password.")
    content = read_part(archive, "content.xml")
    if content is None:
        raise UnreadableDocument(f"This is not {what}, whatever its name says.")
    try:
        title = _title(read_part(archive, "meta.xml") or b"<none/>")
    except UnreadableDocument:
        title = ""  # properties are no reason to refuse a document
    return OpenDocument(content, title)


def _title(data: bytes) -> str:
    for event, element in iterate(data):
        tag = local(element)
        if event == "end" and tag == "dc:title":
            return (element.text or "").strip()
        if event == "start" and tag == "office:body":
            break
    return ""


def local(element: Element) -> str:
    """The tag with its usual prefix ("text:p"); "" for anything unknown."""
    return _short(element.tag)


@functools.lru_cache(maxsize=2048)
def _short(tag: object) -> str:
    space, _, name = str(tag)[1:].rpartition("}")
    prefix = _SPACES.get(space)
    return f"{prefix}:{name}" if prefix else ""


def value(element: Element, name: str) -> str:
    """The attribute with this prefixed name ("table:name"), else ""."""
    prefix, _, bare = name.partition(":")
    return str(element.get(f"{{{_NAMES[prefix]}}}{bare}") or "")


def repeated(element: Element, name: str) -> int:
    """How often a cell or row stands there, at least once."""
    digits = value(element, name)
    return max(1, int(digits)) if digits.isdigit() and len(digits) < 10 else 1


def paragraph(element: Element) -> str:
    """The words of a text:p or text:h, with its spaces, tabs and line breaks."""
    return "".join(_runs(element)).strip()


def _runs(root: Element) -> Iterator[str]:
    """Text in order, without recursion; notes, comments and drawings are stepped over."""
    stack: list[Element | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = local(node)
        inside = node is root or not (tag in _ASIDE or tag.startswith(("draw:", "svg:")))
        if node is not root and node.tail:
            stack.append(_single(node.tail))
        if tag == "text:s":
            yield " " * min(repeated(node, "text:c"), _MOST_SPACES)
        elif tag == "text:tab":
            yield "\t"
        elif tag == "text:line-break":
            yield "\n"
        elif inside:
            stack.extend(reversed(list(node)))
            if node.text:
                stack.append(_single(node.text))


def _single(text: str) -> str:
    """White space in the XML counts as one space (part 3, section 6.1.2)."""
    words = " ".join(text.split())
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and words else ""
    return f"{before}{words}{after}"
