"""reStructuredText by docutils, told to open no file and to run nothing.

What stands in the file becomes the text, also within directives and roles that only Sphinx
knows: those are registered as plain containers before the parser meets them. Where docutils
fails or goes astray, the source is read as the text it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Directive, Parser, directives, roles
from docutils.parsers.rst.languages import en
from docutils.utils import new_document

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.text import clean, decode, read_text
from engine.documents.types import Document

_PARSE_AT_MOST_CHARACTERS = 2_000_000
_LONGEST_LINE_CHARACTERS = 10_000
_LONGEST_PARAGRAPH_CHARACTERS = 20_000
"""Inline markup takes quadratic time in a paragraph's length."""
_STEPS_A_LINE = 60
"""A line is looked at once for every block it is nested in; counted, not timed, so that every
reading gives the same text."""
_MOST_COMPLAINTS = 500
"""Each mark that nothing closes costs a look through its whole paragraph."""
_DIRECTIVE = re.compile(
    r"\.\.[ \t]+(?:\|[^|\n]{1,200}\|[ \t]+)?([a-zA-Z][\w:.+-]{0,60}?)[ \t]?::"
)
_ROLE = re.compile(r":([a-zA-Z][\w:.+-]{0,60}):`|`:([a-zA-Z][\w:.+-]{0,60}):(?!`)")
_TITLED_TARGET = re.compile(r"\A(.*\S)\s*<[^<>]*>\Z", re.DOTALL)
_MOST_NAMES = 200
_LITERAL = frozenset(
    """code-block sourcecode code highlight doctest testcode testoutput testsetup ipython
    productionlist graphviz mermaid plantuml digraph graph prompt command-output""".split()  # noqa: SIM905
)
_DROPPED = frozenset(
    """toctree index highlight only-html tabularcolumns currentmodule py:currentmodule
    automodule autosummary literalinclude sectnum contents raw include""".split()  # noqa: SIM905
)
_SETTINGS: dict[str, object] = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 6,
    "syntax_highlight": "none",
    "line_length_limit": _LONGEST_LINE_CHARACTERS,
}
_SKIPPED = (
    nodes.comment,
    nodes.substitution_definition,
    nodes.target,
    nodes.pending,
    nodes.raw,
    nodes.transition,
    nodes.meta,
)
_CODE = (nodes.literal_block, nodes.doctest_block, nodes.math_block)


class _Astray(Exception):
    """The parser took more steps than an honest document needs."""


def read_rst(data: bytes, name: str) -> Document:
    """The words of a document with headings, lists, tables and code.

    Raises:
        UnreadableDocument: not text, or more of it than can be indexed.
    """
    text = clean(decode(data))
    if not _is_bearable(text):
        return read_text(data, name)
    try:
        tree = _parse(text)
        writer = _Writer(tree)
        writer.visit(tree, 0)
    except (_Astray, RecursionError, ValueError, LookupError, AttributeError, TypeError):
        return read_text(data, name)
    if writer.builder.empty:
        return read_text(data, name)
    return writer.builder.document(writer.builder.heading())


def _is_bearable(text: str) -> bool:
    return (
        len(text) <= _PARSE_AT_MOST_CHARACTERS
        and max(map(len, text.split("\n"))) < _LONGEST_LINE_CHARACTERS
        and max(map(len, re.split(r"\n[ \t]*\n", text))) < _LONGEST_PARAGRAPH_CHARACTERS
    )


def _parse(text: str) -> nodes.document:
    """The tree of a source.

    Raises:
        _Astray: it takes too long.
    """
    _register(text)
    settings = get_default_settings(cast(Any, Parser))
    for key, value in _SETTINGS.items():
        setattr(settings, key, value)
    settings.warning_stream = io.StringIO()
    tree = new_document("", settings)
    # The state machine tells the document of every line it goes to.
    lines = _Count((text.count("\n") + 200) * _STEPS_A_LINE)
    cast(Any, tree).note_source = lines.more
    tree.reporter.attach_observer(_Count(_MOST_COMPLAINTS).more)
    Parser().parse(text, tree)
    return tree


class _Count:
    """Ends the parsing when something happened too often."""

    def __init__(self, left: int) -> None:
        self._left = left

    def more(self, *_: object) -> None:
        """It happened once more."""
        self._left -= 1
        if self._left < 0:
            raise _Astray


class _AnyOptions(dict[str, object]):
    """Takes every option as it is written."""

    def __bool__(self) -> bool:
        return True

    def __missing__(self, key: str) -> object:
        return directives.unchanged


class _Container(Directive):
    """A directive of another program: its argument and its content are kept."""

    has_content: ClassVar[bool] = True
    optional_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True
    option_spec: ClassVar[Any] = _AnyOptions()

    def run(self) -> list[nodes.Node]:
        """The nodes that stand for it."""
        name = self.name.lower()
        if name in _DROPPED:
            return []
        argument = self.arguments[0] if self.arguments else ""
        if name in _LITERAL:
            content = "\n".join(self.content)
            return [nodes.literal_block(content, content)] if content else []
        container = nodes.container()
        if argument:
            inline, _ = self.state.inline_text(argument, self.lineno)
            container += nodes.paragraph(argument, "", *inline)
        self.state.nested_parse(self.content, self.content_offset, container)
        return [container]


def _role(
    name: str, rawtext: str, text: str, lineno: int, inliner: object, *_: object
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """A reference by what it shows: "title <target>" is "title", "~a.b" is "b"."""
    titled = _TITLED_TARGET.match(text)
    shown = titled.group(1) if titled else text.lstrip("!")
    if shown.startswith("~"):
        shown = shown[1:].rpartition(".")[2]
    return [nodes.inline(rawtext, shown)], []


def _register(text: str) -> None:
    """Make the names that docutils does not know harmless, before it meets them."""
    known = {*en.directives}
    names = {name.lower() for name in _DIRECTIVE.findall(text)}
    for name in sorted(names)[:_MOST_NAMES]:
        if name not in known or name in _LITERAL or name in _DROPPED:
            directives.register_directive(name, _Container)
    used = {first or second for first, second in _ROLE.findall(text)}
    for name in sorted(used)[:_MOST_NAMES]:
        if name.lower() not in en.roles:
            roles.register_local_role(name.lower(), cast(Any, _role))


class _Writer:
    """Fills a builder from a tree."""

    def __init__(self, tree: nodes.document) -> None:
        self.builder = DocumentBuilder()
        self._substitutions = {
            name.lower(): node.astext() for name, node in tree.substitution_defs.items()
        }

    def visit(self, node: nodes.Node, level: int) -> None:
        """Add a node and what is within it; `level` is the depth of its section."""
        if isinstance(node, _SKIPPED):
            return
        if isinstance(node, nodes.system_message):
            self._quote(node)
        elif isinstance(node, nodes.section):
            self._children(node, level + 1)
        elif isinstance(node, nodes.title):
            section = isinstance(node.parent, nodes.section)
            self.builder.add("heading" if section else "paragraph", self._words(node), level)
        elif isinstance(node, _CODE):
            self.builder.add("code", self._words(node))
        elif isinstance(node, (nodes.bullet_list, nodes.enumerated_list)):
            self._list(node, level)
        elif isinstance(node, (nodes.field_list, nodes.option_list, nodes.docinfo)):
            lines = (": ".join(self._parts(row)) for row in node.children)
            self.builder.add("list", "\n".join(lines))
        elif isinstance(node, nodes.definition_list_item):
            self._definition(node, level)
        elif isinstance(node, nodes.table):
            self._table(node)
        elif isinstance(node, nodes.line_block):
            self.builder.add("paragraph", "\n".join(self._lines(node)))
        elif isinstance(node, (nodes.footnote, nodes.citation)):
            self.builder.add("paragraph", " ".join(self._parts(node)))
        elif isinstance(node, nodes.image):
            self.builder.add("paragraph", str(node.get("alt", "")))
        elif isinstance(node, nodes.TextElement):
            self.builder.add("paragraph", self._words(node))
        else:
            self._children(node, level)

    def _children(self, node: nodes.Node, level: int) -> None:
        for child in node.children:
            self.visit(child, level)

    def _quote(self, message: nodes.system_message) -> None:
        """What the parser did not understand, without its complaint."""
        for child in message.children:
            source = child.astext() if isinstance(child, nodes.literal_block) else ""
            named = _DIRECTIVE.match(source)
            if source and not (named and named.group(1).lower() in _DROPPED):
                self.builder.add("code", source)

    def _words(self, node: nodes.Node) -> str:
        """The text of a node with its substitutions made."""
        if isinstance(node, nodes.substitution_reference):
            return self._substitutions.get(node.astext().lower(), node.astext())
        if isinstance(node, nodes.Text):
            return node.astext()
        if isinstance(node, nodes.image):
            return str(node.get("alt", ""))
        if isinstance(node, (nodes.system_message, *_SKIPPED)):
            return node.astext() if isinstance(node, nodes.target) else ""
        return "".join(self._words(child) for child in node.children)

    def _parts(self, row: nodes.Node) -> list[str]:
        """The words of each child, each on one line."""
        words = (self._flat(child) for child in row.children)
        return [" ".join(part.split()) for part in words if part.strip()]

    def _flat(self, node: nodes.Node) -> str:
        """All words of a node that may hold blocks."""
        if isinstance(node, (nodes.TextElement, nodes.Text)):
            return self._words(node)
        return " ".join(self._flat(child) for child in node.children)

    def _list(self, node: nodes.Element, level: int) -> None:
        """A list of short items as one block; of anything else as what stands in it."""
        lines = list(self._items(node, ""))
        if None in lines:
            for item in node.children:
                self._children(item, level)
        else:
            self.builder.add("list", "\n".join(line for line in lines if line))

    def _items(self, node: nodes.Element, indent: str) -> Iterator[str | None]:
        """A line an item; None for one that holds more than paragraphs and lists."""
        for number, item in enumerate(node.children, 1):
            mark = f"{number}." if isinstance(node, nodes.enumerated_list) else "-"
            for part in item.children:
                if isinstance(part, nodes.paragraph):
                    yield f"{indent}{mark} {' '.join(self._words(part).split())}"
                    mark = " " * len(mark)
                elif isinstance(part, (nodes.bullet_list, nodes.enumerated_list)):
                    yield from self._items(part, indent + "  ")
                elif not isinstance(part, (nodes.comment, nodes.target)):
                    yield None

    def _definition(self, item: nodes.Element, level: int) -> None:
        """A term with its meaning under it."""
        terms = [part for part in item.children if not isinstance(part, nodes.definition)]
        head = " : ".join(self._words(part) for part in terms)
        bodies = [
            part
            for meaning in item.children
            if isinstance(meaning, nodes.definition)
            for part in meaning.children
        ]
        if bodies and isinstance(bodies[0], nodes.paragraph):
            head += "\n" + self._words(bodies.pop(0))
        self.builder.add("paragraph", head)
        for part in bodies:
            self.visit(part, level)

    def _table(self, table: nodes.table) -> None:
        for title in table.findall(nodes.title):
            self.builder.add("paragraph", self._words(title))
        rows = [[self._flat(cell) for cell in row.children] for row in table.findall(nodes.row)]
        self.builder.table(rows, header=any(True for _ in table.findall(nodes.thead)))

    def _lines(self, block: nodes.Node) -> Iterator[str]:
        for line in block.children:
            if isinstance(line, nodes.line_block):
                yield from ("    " + inner for inner in self._lines(line))
            else:
                yield self._words(line)
