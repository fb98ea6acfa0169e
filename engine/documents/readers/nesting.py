"""Keeps a page's tags from nesting without bound, before an HTML parser sees them.

An HTML5 parser asks at most start tags whether some element is open further up, so a page
that nests n deep costs it n² steps (https://html.spec.whatwg.org/#has-an-element-in-scope).
Pages that people write nest some dozens deep. Here one linear pass drops the tags, never
the text, below a depth that no honest page reaches.
"""

from __future__ import annotations

import re

MAX_DEPTH = 500
MAX_FORMATTING = 64
"""Formatting elements left open are opened again in every block that follows."""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)(?:[^<>]*(>))?")
_NEVER_OPEN = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)
# An old page leaves these open, and the next of its kind closes it.
_CLOSES_ITSELF = frozenset(
    "p li dt dd tr td th option rt rp thead tbody tfoot colgroup".split()  # noqa: SIM905
)
_FORMATTING = frozenset(
    "a b big code em font i nobr s small strike strong tt u".split()  # noqa: SIM905
)
_INLINE = _FORMATTING | {"abbr", "span", "sub", "sup"}


def bounded_depth(page: str) -> str:
    """`page`, without the tags that would open an element below `MAX_DEPTH`.

    A dropped tag of a block becomes a line break, so that words on both sides stay apart.
    """
    if page.count("<") <= MAX_DEPTH:
        return page
    stack = _Stack()
    for tag in _TAG.finditer(page):
        stack.see(tag)
    if not stack.dropped:
        return page
    parts: list[str] = []
    position = 0
    for start, end, replacement in stack.dropped:
        parts += (page[position:start], replacement)
        position = end
    parts.append(page[position:])
    return "".join(parts)


class _Stack:
    """The elements that are open, roughly as a parser would have them."""

    def __init__(self) -> None:
        self.dropped: list[tuple[int, int, str]] = []
        """Start, end and replacement of each tag to leave out."""
        self._open: list[str] = []
        self._counts: dict[str, int] = {}
        self._formatting: dict[str, int] = {}
        self._below: dict[str, int] = {}
        """Dropped start tags whose end tags are still to come."""

    def see(self, tag: re.Match[str]) -> None:
        """Take the next tag of the page."""
        name = tag.group(2).lower()
        if name in _NEVER_OPEN:
            return
        if tag.group(1):
            self._end(tag, name)
        else:
            self._start(tag, name)

    def _start(self, tag: re.Match[str], name: str) -> None:
        if name in _CLOSES_ITSELF:
            above = len(self._open)
            while above and self._open[above - 1] in _INLINE:
                above -= 1
            if above and self._open[above - 1] == name:
                while len(self._open) >= above:
                    self._pop()
        formatting = name in _FORMATTING
        full = formatting and sum(self._formatting.values()) >= MAX_FORMATTING
        if full or len(self._open) >= MAX_DEPTH:
            self._below[name] = self._below.get(name, 0) + 1
            self._drop(tag, name)
            return
        if formatting:
            self._formatting[name] = self._formatting.get(name, 0) + 1
        self._open.append(name)
        self._counts[name] = self._counts.get(name, 0) + 1

    def _end(self, tag: re.Match[str], name: str) -> None:
        if self._below.get(name):
            self._below[name] -= 1
            self._drop(tag, name)
            return
        if self._formatting.get(name):
            self._formatting[name] -= 1
        if self._counts.get(name):
            while self._pop() != name:
                pass

    def _pop(self) -> str:
        name = self._open.pop()
        self._counts[name] -= 1
        return name

    def _drop(self, tag: re.Match[str], name: str) -> None:
        void = "<wbr" if name in _INLINE else "<br"
        # A tag with "<" in a quoted attribute ends elsewhere: it is renamed, not cut out.
        self.dropped.append((*tag.span(), void + ">" if tag.group(3) else void))
