"""XML that cannot hurt: no DTD, no entities, no network, bounded depth.

lxml told not to resolve entities still reads their declarations; a document that has any
is refused outright, since office formats and honest data never do.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.errors import UnreadableDocument

_etree: Any = importlib.import_module("lxml.etree")  # lxml ships no types
Element = Any
"""An lxml element."""

_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_HEAD_BYTES = 1 << 20


def refuse_declarations(data: bytes) -> None:
    """Refuse XML with a document type: entity bombs and external entities live there.

    Raises:
        UnreadableDocument: a DOCTYPE or ENTITY declaration stands near the beginning.
    """
    # In UTF-16 the letters are parted by zeros.
    if _DECLARATION.search(data[:_HEAD_BYTES].replace(b"\0", b"")):
        raise UnreadableDocument(
            "The file declares XML entities, which could be used to attack this computer."
        )


def iterate(data: bytes, ends_of: Sequence[str] | None = None) -> Iterator[tuple[str, Element]]:
    """("start" | "end", element) for every element of `data`, in order.

    The caller clears what it has used, so that memory stays flat.

    Args:
        data: the XML.
        ends_of: only "end", and only for these tags ("{namespace}name"): far fewer events.

    Raises:
        UnreadableDocument: declarations, damage, or nesting deeper than 256 elements.
    """
    refuse_declarations(data)
    events = _etree.iterparse(
        io.BytesIO(data),
        events=("start", "end") if ends_of is None else ("end",),
        tag=ends_of,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from events
    except _etree.XMLSyntaxError as error:
        raise UnreadableDocument("The file is damaged.", details=str(error)) from error
