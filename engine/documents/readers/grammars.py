"""Where definitions begin and end in source code, found by tree-sitter's grammars.

Only this module imports tree-sitter (https://tree-sitter.github.io). Rows count from 0.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple, cast

from tree_sitter import Language, Node, Parser, Tree

PARSE_AT_MOST_S = 5.0
"""A grammar that lost its way in strange text can take minutes; it is read as text then."""
_MAX_NAME_CHARACTERS = 100
_SLICE_BYTES = 1 << 16
_DECLARATOR_STEPS = 20


class Definition(NamedTuple):
    """Rows `first` to `last` define `name`: "def parse", "class Parser"."""

    first: int
    last: int
    name: str


class Outline(NamedTuple):
    """The definitions of a file, and the comments (first row, last row) between them."""

    definitions: list[Definition]
    comments: list[tuple[int, int]]


@dataclass(frozen=True)
class Grammar:
    """A language: where its grammar comes from, and which of its nodes define something.

    `kinds` maps a node's type to the word before its name, `wrappers` names nodes that hold a
    definition with what stands before it (decorators, a template's parameters), `notes` what
    stands before a definition without belonging to its node.
    """

    module: str
    kinds: dict[str, str]
    wrappers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ("comment",)
    function: str = "language"


_C_KINDS = {
    "function_definition": "",
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
}
_JAVASCRIPT_KINDS = {
    "function_declaration": "function",
    "generator_function_declaration": "function*",
    "class_declaration": "class",
    "method_definition": "",
    "variable_declarator": "",
}
_TYPESCRIPT_KINDS = {
    **_JAVASCRIPT_KINDS,
    "abstract_class_declaration": "abstract class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "internal_module": "namespace",
    "module": "module",
}
_CLASS_LIKE = {
    "class_declaration": "class",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "method_declaration": "",
}
GRAMMARS: dict[str, Grammar] = {
    "bash": Grammar("bash", {"function_definition": "function"}),
    "c": Grammar("c", _C_KINDS),
    "cpp": Grammar(
        "cpp",
        {**_C_KINDS, "class_specifier": "class", "namespace_definition": "namespace"},
        ("template_declaration",),
    ),
    "csharp": Grammar(
        "c_sharp",
        {
            **_CLASS_LIKE,
            "struct_declaration": "struct",
            "record_declaration": "record",
            "constructor_declaration": "",
            "property_declaration": "",
            "namespace_declaration": "namespace",
        },
    ),
    "go": Grammar(
        "go",
        {"function_declaration": "func", "method_declaration": "func", "type_spec": "type"},
    ),
    "java": Grammar(
        "java",
        {
            **_CLASS_LIKE,
            "record_declaration": "record",
            "annotation_type_declaration": "@interface",
            "constructor_declaration": "",
        },
        notes=("line_comment", "block_comment"),
    ),
    "javascript": Grammar("javascript", _JAVASCRIPT_KINDS, ("export_statement",)),
    "php": Grammar(
        "php",
        {
            **_CLASS_LIKE,
            "function_definition": "function",
            "method_declaration": "function",
            "trait_declaration": "trait",
            "namespace_definition": "namespace",
        },
        function="language_php",
    ),
    "python": Grammar(
        "python",
        {"function_definition": "def", "class_definition": "class"},
        ("decorated_definition",),
    ),
    "ruby": Grammar(
        "ruby",
        {
            "method": "def",
            "singleton_method": "def self.",
            "class": "class",
            "module": "module",
        },
    ),
    "rust": Grammar(
        "rust",
        {
            "function_item": "fn",
            "struct_item": "struct",
            "enum_item": "enum",
            "union_item": "union",
            "trait_item": "trait",
            "impl_item": "impl",
            "mod_item": "mod",
            "macro_definition": "macro",
        },
        notes=("line_comment", "block_comment", "attribute_item"),
    ),
    "typescript": Grammar(
        "typescript", _TYPESCRIPT_KINDS, ("export_statement",), function="language_typescript"
    ),
    "tsx": Grammar(
        "typescript", _TYPESCRIPT_KINDS, ("export_statement",), function="language_tsx"
    ),
}


@dataclass
class _Clock:
    """Stops a parser that takes too long."""

    ends: float = field(default_factory=lambda: time.monotonic() + PARSE_AT_MOST_S)

    def parsing(self, offset: int, error: bool) -> bool:
        """Whether to stop."""
        return time.monotonic() > self.ends


def outline(text: str, language: str) -> Outline | None:
    """The definitions in `text`, by rows; None where no grammar made sense of it in time.

    Args:
        text: source whose lines end in line feeds alone.
        language: a key of `GRAMMARS`.
    """
    parser = _load(language)
    if parser is None:
        return None
    source = text.encode("utf-8", "replace")
    clock = _Clock()
    try:
        tree = parser.parse(
            lambda offset, _: source[offset : offset + _SLICE_BYTES],
            progress_callback=clock.parsing,
        )
        return _found(tree, GRAMMARS[language], clock)
    except (ValueError, TimeoutError):  # the clock stopped it
        parser.reset()
        return None


@cache
def _load(language: str) -> Parser | None:
    """A parser for a language; None where its grammar does not load."""
    grammar = GRAMMARS[language]
    try:
        module = importlib.import_module(f"tree_sitter_{grammar.module}")
        capsule = cast(object, getattr(module, grammar.function)())
        return Parser(Language(capsule))
    except (ImportError, AttributeError, ValueError):
        return None


def _found(tree: Tree, grammar: Grammar, clock: _Clock) -> Outline:
    """What a tree holds of what `grammar` names.

    Raises:
        TimeoutError: it took too long.
    """
    outer: dict[int, int] = {}
    definitions: list[Definition] = []
    notes: list[tuple[int, int]] = []
    for node in _nodes(tree, clock):
        kind = node.type
        if kind in grammar.notes:
            notes.append((node.start_point.row, _last_row(node)))
        elif kind in grammar.wrappers:
            first_byte, row = _wrapped(node)
            outer.setdefault(first_byte, outer.get(node.start_byte, row))
        elif kind in grammar.kinds and (name := _name(node, grammar.kinds[kind])):
            first = outer.get(node.start_byte, node.start_point.row)
            definitions.append(Definition(first, _last_row(node), name))
    return Outline(sorted(definitions, key=lambda one: (one.first, -one.last)), notes)


def _nodes(tree: Tree, clock: _Clock) -> Iterator[Node]:
    """Every named node in order. A query would take quadratic time in what is no code.

    Raises:
        TimeoutError: the clock ran out.
    """
    cursor = tree.walk()
    steps = 0
    while True:
        node = cursor.node
        if node is not None and node.is_named:
            yield node
        steps += 1
        if steps % 1000 == 0 and clock.parsing(0, False):
            raise TimeoutError
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _wrapped(wrapper: Node) -> tuple[int, int]:
    """(first byte of the definition within, first row of what stands around it)."""
    inner = (
        wrapper.child_by_field_name("definition")
        or wrapper.child_by_field_name("declaration")
        or (wrapper.named_children[-1] if wrapper.named_children else wrapper)
    )
    return inner.start_byte, wrapper.start_point.row


def _last_row(node: Node) -> int:
    end = node.end_point
    return end.row - 1 if end.column == 0 and end.row > node.start_point.row else end.row


def _name(node: Node, word: str) -> str:
    """What a definition is called; "" for what defines nothing by itself."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        if value is None or value.type not in ("arrow_function", "function_expression"):
            return ""
        word = "function"
    if node.type.endswith("_specifier") and node.child_by_field_name("body") is None:
        return ""  # "struct boat *b" names a type, it does not define it
    if node.type == "impl_item":
        trait = _text(node.child_by_field_name("trait"))
        kind = _text(node.child_by_field_name("type"))
        name = f"{trait} for {kind}" if trait else kind
    else:
        name = _text(node.child_by_field_name("name") or _declared(node))
    receiver = _text(node.child_by_field_name("receiver"))
    if not name:
        return ""
    between = "" if word.endswith(".") else " "
    return f"{word}{between}{receiver + ' ' if receiver else ''}{name}".strip()


def _declared(node: Node) -> Node | None:
    """The name at the end of C's declarators: *(*name)(…)."""
    declarator = node.child_by_field_name("declarator")
    for _ in range(_DECLARATOR_STEPS):
        inner = declarator.child_by_field_name("declarator") if declarator else None
        if inner is None:
            break
        declarator = inner
    return declarator


def _text(node: Node | None) -> str:
    raw = node.text if node is not None else None
    return " ".join((raw or b"").decode("utf-8", "replace").split())[:_MAX_NAME_CHARACTERS]
