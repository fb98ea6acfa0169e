from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents import formats
from engine.documents.passages import HEADING_SEPARATOR, split
from engine.documents.places import PlaceFinder
from engine.documents.readers import grammars
from engine.documents.readers.code import LANGUAGES, read_code, read_latex, read_lines
from engine.documents.reading import load_tokenizer
from engine.documents.types import Document
from engine.errors import UnreadableDocument

FILL = "a long enough body to be found on its own " * 6

PYTHON = f'''"""What the module is for."""

import os  # not about the class

LIMIT = 3

# Reads a file.
# And closes it.
@cached
@traced
class Parser(Base):
    """Parses."""

    depth = 1

    def parse(self, text):
        """Parse {FILL}"""
        return text

    # Small ones stay together.
    def one(self): ...
    def two(self): ...


def main():
    print("{FILL}")
'''


def headed(document: Document) -> dict[str, str]:
    """Heading path → the text under it, as the splitter sees it."""
    found: dict[str, str] = {}
    path: list[str] = []
    for block in document.blocks:
        if block.kind == "heading":
            path = [*path[: block.level - 1], block.name]
        else:
            key = HEADING_SEPARATOR.join(name for name in path if name)
            found[key] = found.get(key, "") + document.text[block.start : block.end] + "\n"
    return found


def test_definitions_are_sections_with_what_stands_before_them() -> None:
    document = read_code(PYTHON.encode(), "parser.py")
    assert document.text == PYTHON
    found = headed(document)
    assert list(found) == ["", "class Parser", "class Parser › def parse", "def main"]
    assert found[""].startswith('"""What the module')
    assert "LIMIT = 3" in found[""]
    assert found["class Parser"].startswith(
        "# Reads a file.\n# And closes it.\n@cached\n@traced"
    )
    assert "def one" in found["class Parser"]
    assert "Small ones" in found["class Parser"]
    assert found["class Parser › def parse"].strip().startswith("def parse(self, text):\n")


def test_passages_are_cited_by_their_lines(starter: Path) -> None:
    tokenizer = load_tokenizer(starter / "all-MiniLM-L6-v2" / "tokenizer.json")
    passages = split(read_code(PYTHON.encode(), "parser.py"), tokenizer)
    assert [(p.heading, p.place) for p in passages] == [
        ("", "lines 1–5"),
        ("class Parser", "lines 7–14"),
        ("class Parser › def parse", "lines 16–18"),
        ("class Parser", "lines 20–22"),
        ("def main", "lines 25–26"),
    ]


SAMPLES = {
    "x.sh": ("# Says it.\nsay() {\n  echo '%s'\n}\n", ["function say"]),
    "x.c": (
        "struct boat *find(int n);\nstruct boat {\n  // %s\n  int n;\n};\n\n"
        "/* Finds. */\nstatic struct boat *find(int n)\n{\n  // %s\n  return 0;\n}\n",
        ["struct boat", "find"],
    ),
    "x.hpp": (
        "namespace sea {\n\ntemplate <class T>\nclass Boat {\n  // %s\n  void sail() {\n"
        "    // %s\n  }\n};\n}\n",
        ["namespace sea", "namespace sea › class Boat", "namespace sea › class Boat › sail"],
    ),
    "x.cs": (
        "namespace Sea {\n  class Boat {\n    // %s\n    [Fast]\n    public void Sail() {\n"
        "      // %s\n    }\n  }\n}\n",
        ["namespace Sea › class Boat", "namespace Sea › class Boat › Sail"],
    ),
    "x.go": (
        "package sea\n\n// Sail goes.\nfunc (b *Boat) Sail() {\n\t// %s\n}\n\n"
        "type Boat struct {\n\t// %s\n\tn int\n}\n",
        ["func (b *Boat) Sail", "type Boat"],
    ),
    "x.java": (
        "/** A boat. */\n@Fast\nclass Boat {\n  // %s\n\n  /** Sails. */\n  void sail() {\n"
        "    // %s\n  }\n}\n",
        ["class Boat", "class Boat › sail"],
    ),
    "x.js": (
        "/** A boat. */\nexport class Boat {\n  // %s\n  sail() {\n    // %s\n  }\n}\n"
        "const dive = async (x) => {\n  // %s\n};\n",
        ["class Boat", "class Boat › sail", "function dive"],
    ),
    "x.php": (
        "<?php\n/** A boat. */\nclass Boat {\n  // %s\n  public function sail() {\n"
        "    // %s\n  }\n}\n",
        ["class Boat", "class Boat › function sail"],
    ),
    "x.rb": (
        "module Sea\n  # A boat.\n  class Boat\n    # %s\n    def self.sail\n      # %s\n"
        "    end\n  end\nend\n",
        ["module Sea › class Boat", "module Sea › class Boat › def self.sail"],
    ),
    "x.rs": (
        "/// A boat.\n#[derive(Debug)]\nstruct Boat {\n  // %s\n  n: u8,\n}\n\n"
        "impl Sail for Boat {\n  /// Goes.\n  fn go(&self) {\n    // %s\n  }\n}\n",
        ["struct Boat", "impl Sail for Boat › fn go"],
    ),
    "x.ts": (
        "/** A boat. */\nexport interface Boat {\n  // %s\n  n: number;\n}\n\n@fast()\n"
        "export class Ship {\n  // %s\n  sail(): void {\n    // %s\n  }\n}\n",
        ["interface Boat", "class Ship", "class Ship › sail"],
    ),
    "x.tsx": (
        "export function Boat() {\n  // %s\n  return <p>boat</p>;\n}\n",
        ["function Boat"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_every_language_has_its_sections(name: str) -> None:
    template, wanted = SAMPLES[name]
    document = read_code(template.replace("%s", FILL).encode(), name)
    found = headed(document)
    assert [path for path in wanted if path not in found] == [], list(found)
    for words in ("A boat.", "Sail goes.", "Finds.", "Goes."):
        if words in template:
            # What is said about a definition stands with it and not before it.
            assert words not in found.get("", "")


def test_each_grammar_loads_and_each_suffix_has_one() -> None:
    assert set(LANGUAGES.values()) == set(grammars.GRAMMARS)
    assert {suffix for suffix, form in formats.FORMATS.items() if form == formats.CODE} == set(
        LANGUAGES
    )
    for language in grammars.GRAMMARS:
        assert grammars.outline("x", language) is not None


def test_a_grammar_that_takes_too_long_is_left_for_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grammars, "PARSE_AT_MOST_S", 0.0)
    document = read_code((PYTHON * 300).encode(), "x.py")
    assert document.text == PYTHON * 300
    assert {block.kind for block in document.blocks} == {"code"}
    assert len(document.anchors) == len((PYTHON * 300).split("\n"))
    monkeypatch.undo()
    assert headed(read_code(PYTHON.encode(), "x.py")).keys() > {"def main"}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("x.py", "(" * 100_000),
        ("x.js", "function f(){" * 30_000),
        ("x.go", "func(" * 50_000),
        ("x.cpp", "template<class T> struct A{" * 20_000),
        ("x.sh", "$(" * 50_000),
    ],
)
def test_bottomless_code_is_read(name: str, source: str) -> None:
    assert read_code(source.encode(), name).text == source


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableDocument):
        read_code(b"\x47\x00\x01\x02\x10" * 200, "stream.ts")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_line_of_torn_code_is_kept_in_order(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    source = SAMPLES[name][0].replace("%s", FILL)
    start = data.draw(st.integers(0, len(source)))
    torn = source[:start] + data.draw(st.text(max_size=6)) + source[start + 9 :] + source
    document = read_code(torn.encode("utf-8", "replace"), name)
    blocks = [block for block in document.blocks if block.kind == "code"]
    assert all(a.end <= b.start for a, b in pairwise(blocks))
    words = [w for b in blocks for w in document.text[b.start : b.end].split()]
    assert words == document.text.split()


def test_logs_and_settings_are_cited_by_line() -> None:
    document = read_lines(b"a: 1\nb: 2\n\nc: 3\r\nd: 4\n", "x.yaml")
    start = document.text.index("c: 3")
    assert PlaceFinder(document).place_of(start, start + 4) == "line 4"
    assert PlaceFinder(document).place_of(0, 9) == "lines 1–2"


def test_latex_has_its_sections() -> None:
    source = b"\\documentclass{article}\nIntro.\n\\section{Boats \\emph{and} oars}\nText.\n"
    document = read_latex(source, "x.tex")
    names = [(b.level, b.name) for b in document.blocks if b.kind == "heading"]
    assert names == [(2, "Boats and oars")]
    assert document.text == source.decode()


def test_our_own_code_is_found_by_its_names() -> None:
    path = Path(grammars.__file__)
    found = headed(read_code(path.read_bytes(), path.name))
    assert "def outline" in found
    assert "return _found(tree" in found["def outline"]
