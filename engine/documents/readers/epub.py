"""EPUB books (EPUB 3.3, https://www.w3.org/TR/epub-33/, and EPUB 2): chapters in reading order.

The package, the table of contents and the chapters all go through the HTML parser, which
reads damaged ones too and knows neither entities nor external files.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

from selectolax.lexbor import LexborNode

from engine.documents.archives import open_archive, read_part
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.html import add_page, decode_page, elements
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_CHAPTER_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
_CHAPTER_SUFFIXES = (".xhtml", ".html", ".htm")
_ABOUT = ("title", "creator", "contributor", "publisher", "date", "subject", "description")
_HEADING_TAG = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)
_PLACE_LEVELS = 2
"""Entries of the contents down to this level are places; deeper ones name what follows."""
_MAX_ENTRIES = 5_000
# Obfuscated fonts are no protection of the text.
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True)
class _Item:
    """A file of the book."""

    path: str
    media_type: str
    properties: str


@dataclass(frozen=True)
class _Entry:
    """A line of the table of contents: its titles from the outermost to its own."""

    path: str
    fragment: str
    titles: tuple[str, ...]


@dataclass
class _Package:
    """What the OPF file says."""

    folder: str
    about: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    items: dict[str, _Item] = field(default_factory=dict[str, _Item])
    spine: list[str] = field(default_factory=list[str])

    def chapters(self) -> list[_Item]:
        """The pages of the book in reading order; its table of contents is none."""
        named = [self.items[one] for one in self.spine if one in self.items]
        return [
            item
            for item in named or self.items.values()
            if "nav" not in item.properties.split() and _is_page(item)
        ]


def read_epub(data: bytes, name: str) -> Document:
    """A book's chapters, each a place called what the table of contents calls it.

    Raises:
        UnreadableDocument: not a book, damaged, protected against copying, or a bomb.
    """
    if not data.startswith(b"PK"):
        raise UnreadableDocument("This is not an EPUB book, whatever its name says.")
    archive = open_archive(data)
    package = _package(archive)
    chapters = package.chapters()
    _refuse_protected(archive, {item.path for item in chapters})
    entries = _contents(archive, package)
    builder = DocumentBuilder()
    _add_about(builder, package)
    walk = _Chapters(builder, entries)
    failure = UnreadableDocument("The book has no chapters that can be read.")
    read = 0
    for item in chapters:
        try:
            source = read_part(archive, item.path)
            page = decode_page(source) if source else ""
        except UnreadableDocument as error:  # a damaged chapter does not cost the others
            failure = error
            continue
        if page:
            walk.add(item.path, page)
            read += 1
    if not read:
        raise failure
    return builder.document(" ".join(package.about.get("title", [])[:1]) or builder.heading())


class _Chapters:
    """Adds chapter after chapter, each from its place in the table of contents on."""

    def __init__(self, builder: DocumentBuilder, entries: list[_Entry]) -> None:
        self._builder = builder
        self._entries: dict[str, list[_Entry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.path, []).append(entry)
        self._number = 1
        self._files = 0
        self._label = ""

    def add(self, path: str, page: str) -> None:
        """Add the file at `path` of the archive, whose source is `page`."""
        self._files += 1
        here = self._entries.get(path, [])
        whole = next((entry for entry in here if not entry.fragment), None)
        if whole is not None:
            self._label = _label(whole)
        self._begin(self._label or f"Section {self._files}")
        headed = _HEADING_TAG.search(page) is not None
        marks: dict[str, Callable[[], None]] = {}
        for entry in here:
            if not entry.fragment or entry.fragment in marks:
                continue
            if len(entry.titles) <= _PLACE_LEVELS:
                marks[entry.fragment] = partial(self._arrive, entry)
            elif not headed:
                level = len(entry.titles)
                marks[entry.fragment] = partial(self._builder.name, entry.titles[-1], level)
        if whole is not None and not headed:
            self._builder.name(whole.titles[-1])
        add_page(self._builder, page, marks)

    def _arrive(self, entry: _Entry) -> None:
        self._label = _label(entry)
        self._begin(self._label)

    def _begin(self, label: str) -> None:
        self._number += 1
        self._builder.page(self._number, label)


def _label(entry: _Entry) -> str:
    return " › ".join(entry.titles[:_PLACE_LEVELS])


def _add_about(builder: DocumentBuilder, package: _Package) -> None:
    lines = [
        f"{key.capitalize()}: {', '.join(package.about[key])}"
        for key in _ABOUT
        if package.about.get(key)
    ]
    builder.page(1, "About this book")
    builder.add("paragraph", "\n".join(lines))


def _package(archive: zipfile.ZipFile) -> _Package:
    """The package document named by the container, or the first one there is.

    Raises:
        UnreadableDocument: there is none.
    """
    path = ""
    container = read_part(archive, "META-INF/container.xml")
    for node in elements(decode_page(container)) if container else ():
        if _local(node.tag) == "rootfile":
            path = path or unquote(node.attributes.get("full-path") or "")
    names = archive.namelist()
    if path not in names:
        path = next((name for name in names if name.lower().endswith(".opf")), "")
    source = read_part(archive, path) if path else None
    if not source:
        raise UnreadableDocument("This is not an EPUB book, whatever its name says.")
    package = _Package(posixpath.dirname(path))
    for node in elements(decode_page(source)):
        tag, attributes = _local(node.tag), node.attributes
        if tag == "item":
            package.items[attributes.get("id") or ""] = _Item(
                _resolve(package.folder, attributes.get("href") or ""),
                (attributes.get("media-type") or "").lower(),
                attributes.get("properties") or "",
            )
        elif tag == "itemref":
            package.spine.append(attributes.get("idref") or "")
        elif tag in _ABOUT and (node.tag or "").startswith("dc:"):
            words = " ".join(node.text().split())
            if words:
                package.about.setdefault(tag, []).append(words[:2000])
    return package


def _contents(archive: zipfile.ZipFile, package: _Package) -> list[_Entry]:
    """The table of contents: EPUB 3's navigation document, or else EPUB 2's NCX."""
    items = package.items.values()
    files = [(item, _from_navigation) for item in items if "nav" in item.properties.split()]
    files += [(item, _from_ncx) for item in items if "dtbncx" in item.media_type]
    for item, read in files:
        source = read_part(archive, item.path)
        entries = read(decode_page(source), posixpath.dirname(item.path)) if source else []
        if entries:
            return entries[:_MAX_ENTRIES]
    return []


def _from_navigation(markup: str, folder: str) -> list[_Entry]:
    entries: list[_Entry] = []
    titles: list[str] = []
    for node in elements(markup):
        if node.tag not in ("a", "span") or not _within_contents(node):
            continue
        if node.tag == "span" and node.parent is not None and node.parent.tag != "li":
            continue
        titles = [*titles[: _ancestors(node, "ol") - 1], " ".join(node.text().split())]
        target = node.attributes.get("href")
        if target:
            entries.append(_entry(folder, target, titles))
    return entries


def _within_contents(node: LexborNode) -> bool:
    """Whether it stands in the table of contents, and not in a list of pages or pictures."""
    parent = node.parent
    while parent is not None and parent.tag != "nav":
        parent = parent.parent
    return parent is not None and "toc" in (parent.attributes.get("epub:type") or "toc")


def _from_ncx(markup: str, folder: str) -> list[_Entry]:
    entries: list[_Entry] = []
    titles: list[str] = []
    for node in elements(markup):
        level = _ancestors(node, "navpoint") if _local(node.tag) in ("text", "content") else 0
        if not level:
            continue
        if _local(node.tag) == "text":
            titles = [*titles[: level - 1], " ".join(node.text().split())]
        elif node.attributes.get("src"):
            entries.append(_entry(folder, node.attributes["src"] or "", titles))
    return entries


def _entry(folder: str, target: str, titles: list[str]) -> _Entry:
    path, _, fragment = target.partition("#")
    return _Entry(
        _resolve(folder, path), unquote(fragment), tuple(filter(None, titles)) or ("…",)
    )


def _ancestors(node: LexborNode, tag: str) -> int:
    count, parent = 0, node.parent
    while parent is not None:
        count += _local(parent.tag) == tag
        parent = parent.parent
    return count


def _refuse_protected(archive: zipfile.ZipFile, chapters: set[str]) -> None:
    """Refuse a book whose text is encrypted; obfuscated fonts do not matter.

    Raises:
        UnreadableDocument: a chapter is encrypted.
    """
    source = read_part(archive, "META-INF/encryption.xml")
    method = ""
    for node in elements(decode_page(source)) if source else ():
        tag, attributes = _local(node.tag), node.attributes
        if tag == "encryptionmethod":
            method = attributes.get("algorithm") or ""
        hidden = tag == "cipherreference" and method not in _FONT_ALGORITHMS
        if hidden and _resolve("", attributes.get("uri") or "") in chapters:
            raise UnreadableDocument(
                "The book is protected against copying (DRM), so its text cannot be read."
            )


def _is_page(item: _Item) -> bool:
    return item.media_type in _CHAPTER_TYPES or (
        not item.media_type and item.path.lower().endswith(_CHAPTER_SUFFIXES)
    )


def _resolve(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(target))).lstrip("/")


def _local(tag: str | None) -> str:
    """A tag without its namespace's prefix."""
    return (tag or "").rpartition(":")[2]
