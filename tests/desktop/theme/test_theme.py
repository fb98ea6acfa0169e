from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from desktop import theme
from desktop.theme.tokens import DARK, LIGHT
from engine.paths import resources_dir
from tests.desktop.conftest import free_deleted

DESKTOP = Path(theme.__file__).parent.parent


def test_switching_is_live_and_reaches_palette_sheet_and_icons(
    qapp: QApplication, qtbot: Any
) -> None:
    theme.theme.start(qapp, "light")
    shown = QToolButton()
    qtbot.addWidget(shown)
    theme.set_icon(shown, "copy")
    light = shown.icon().pixmap(18, 18).toImage()
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.page

    part = QWidget()
    qtbot.addWidget(part)
    theme.theme.dress(part)
    assert LIGHT.accent in part.styleSheet()

    theme.theme.choose("dark")
    theme.theme.finish()

    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.page
    assert DARK.accent in part.styleSheet()
    assert shown.icon().pixmap(18, 18).toImage() != light
    theme.theme.choose("light")
    theme.theme.finish()
    assert shown.icon().pixmap(18, 18).toImage() == light


def test_a_follower_ends_with_its_owner(qapp: QApplication) -> None:
    calls: list[str] = []
    owner = QToolButton()
    theme.follow(owner, lambda: calls.append("dressed"))
    assert calls == ["dressed"]
    owner.deleteLater()
    del owner
    free_deleted()
    other = theme.theme.tokens is LIGHT
    theme.theme.choose("dark" if other else "light")
    theme.theme.finish()
    assert calls == ["dressed"]


def test_what_is_seen_is_dressed_first_and_nothing_is_painted_before(
    qapp: QApplication, qtbot: Any
) -> None:
    theme.theme.start(qapp, "light")
    seen, hidden = QWidget(), QWidget()
    for part in (hidden, seen):
        qtbot.addWidget(part)
        theme.theme.dress(part)
    order: list[str] = []
    theme.follow(hidden, lambda: order.append("hidden"))
    theme.follow(seen, lambda: order.append("seen"))
    seen.show()
    order.clear()
    theme.theme.choose("dark")
    assert order == []
    assert not seen.updatesEnabled()
    qtbot.waitUntil(lambda: "hidden" in order, timeout=5_000)
    assert order == ["seen", "hidden"]
    assert seen.updatesEnabled()
    assert DARK.accent in seen.styleSheet()
    assert DARK.accent in hidden.styleSheet()
    theme.theme.choose("light")
    theme.theme.finish()


def test_every_icon_named_in_the_code_is_bundled_with_its_licence() -> None:
    have = {path.stem for path in (resources_dir() / "icons").glob("*.svg")}
    code = "\n".join(path.read_text("utf-8") for path in DESKTOP.rglob("*.py"))
    calls = r"(?:icon_button|pixmap|theme\.icon|Reassurance|set_picture)\(\s*\"([a-z0-9-]+)\""
    named = set(re.findall(calls, code))
    named |= set(re.findall(r"icon=\"([a-z0-9-]+)\"", code))
    named |= set(re.findall(r"set_(?:label_)?icon\(\s*[\w.]+,\s*\"([a-z0-9-]+)\"", code))
    assert len(named) > 20
    assert named <= have
    licence = (resources_dir() / "icons" / "LICENSE-lucide.txt").read_text("utf-8")
    assert "ISC License" in licence


def test_every_bundled_icon_draws_something_crisp(qapp: QApplication) -> None:
    for path in (resources_dir() / "icons").glob("*.svg"):
        for scale in (1.0, 2.0):
            picture = theme.pixmap(path.stem, "text", 18, scale)
            assert picture.width() == round(18 * scale)
            image = picture.toImage()
            seen = any(
                image.pixelColor(x, y).alpha() > 100
                for x in range(image.width())
                for y in range(image.height())
            )
            assert seen, path.stem


def test_no_font_is_smaller_than_legible(qapp: QApplication) -> None:
    for scale in (0.1, 0.88, 1.0, 2.0):
        assert theme.font(scale).pointSizeF() >= theme.SMALLEST_POINTS
