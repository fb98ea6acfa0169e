"""All words of the window stand in desktop/strings."""

from __future__ import annotations

import ast
from pathlib import Path

import desktop
from desktop.strings import english

SAYING = {
    "label",
    "button",
    "ElidedLabel",
    "setText",
    "setToolTip",
    "setAccessibleName",
    "set_text",
    "setAccessibleDescription",
    "setWindowTitle",
    "setPlaceholderText",
    "addAction",
    "say",
    "info",
    "Notice",
    "QCheckBox",
}
ROOT = Path(desktop.__file__).parent


def spoken_literals(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in SAYING:
            continue
        first = node.args[:1] if name != "icon_button" else node.args[1:2]
        for argument in first:
            value = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(value, str) and any(c.isalpha() for c in value):
                found.append(f"{path.name}:{node.lineno} {value!r}")
    return found


def test_no_page_or_widget_has_words_of_its_own() -> None:
    files = [
        p
        for part in ("pages", "widgets", "dialogs", "models")
        for p in (ROOT / part).rglob("*.py")
    ]
    files += [ROOT / "window.py", ROOT / "state.py"]
    assert len(files) > 20
    assert not [line for path in files for line in spoken_literals(path)]


def test_every_sentence_is_used() -> None:
    code = "\n".join(p.read_text("utf-8") for p in ROOT.rglob("*.py") if p.name != "english.py")
    named = [name for name in vars(english) if name.isupper()]
    assert len(named) > 100
    assert not [name for name in named if f"english.{name}" not in code]
