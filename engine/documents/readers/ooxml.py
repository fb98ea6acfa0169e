"""What the Office Open XML formats share: the package, its relations and its title.

ECMA-376 part 2 (open packaging conventions); names of both the transitional and the strict
form are understood.
"""

from __future__ import annotations

import functools
import posixpath
import zipfile
from dataclasses import dataclass

from engine.documents.archives import open_archive, read_part
from engine.documents.xml import Element, iterate
from engine.errors import UnreadableDocument

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_SPACES = {
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "s",
    "http://purl.oclc.org/ooxml/spreadsheetml/main": "s",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/drawingml/2006/chart": "c",
    "http://purl.oclc.org/ooxml/drawingml/chart": "c",
    "http://schemas.microsoft.com/office/drawing/2014/chartex": "cx",
    "http://schemas.openxmlformats.org/drawingml/2006/diagram": "dgm",
    "http://purl.oclc.org/ooxml/drawingml/diagram": "dgm",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.microsoft.com/office/powerpoint/2018/8/main": "p188",
}
_RELATION_IDS = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}",
)


@dataclass(frozen=True)
class Relation:
    """A part that another part names; `kind` is the last word of the relation's type."""

    id: str
    kind: str
    target: str


def open_package(data: bytes, what: str, old_suffix: str, new_suffix: str) -> zipfile.ZipFile:
    """The zip of an office document.

    Args:
        data: the file.
        what: what its name says it is ("a PowerPoint presentation").
        old_suffix: the binary format such files are sometimes renamed from (".ppt").
        new_suffix: what to save it as (".pptx").

    Raises:
        UnreadableDocument: it is something else, protected, damaged, or a bomb.
    """
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise UnreadableDocument("The file is protected by a password.")
        raise UnreadableDocument(
            f"This is an old {old_suffix} file under a new name. Save it as {new_suffix}."
        )
    if not data.startswith(b"PK"):
        raise UnreadableDocument(f"This is not {what}, whatever its name says.")
    return open_archive(data)


def core_title(archive: zipfile.ZipFile) -> str:
    """The title in the document's properties; "" when there is none to be read."""
    try:
        core = read_part(archive, "docProps/core.xml")
        for event, element in iterate(core or b"<none/>"):
            if event == "end" and element.tag == _DC_TITLE:
                return (element.text or "").strip()
    except UnreadableDocument:
        pass  # properties are no reason to refuse a document
    return ""


def relations(archive: zipfile.ZipFile, part: str) -> list[Relation]:
    """What `part` names, with targets inside the package as full part names.

    Raises:
        UnreadableDocument: the list is damaged.
    """
    folder, name = posixpath.split(part)
    data = read_part(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    found: list[Relation] = []
    for event, element in iterate(data or b"<none/>"):
        if event != "start" or element.get("TargetMode") == "External":
            continue
        target = str(element.get("Target") or "")
        if not target:
            continue
        full = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        kind = str(element.get("Type") or "").rpartition("/")[2]
        found.append(Relation(str(element.get("Id") or ""), kind, full))
    return found


def local(element: Element) -> str:
    """The tag with a short, fixed prefix ("a:t"); "" for anything unknown."""
    return _short(element.tag)


@functools.lru_cache(maxsize=2048)
def _short(tag: object) -> str:
    space, _, name = str(tag)[1:].rpartition("}")
    prefix = _SPACES.get(space)
    return f"{prefix}:{name}" if prefix else ""


def relation_id(element: Element, name: str) -> str:
    """The attribute r:`name`."""
    for space in _RELATION_IDS:
        value = element.get(space + name)
        if value:
            return str(value)
    return ""
