"""The bundled lucide icons, recoloured for the scheme in use and crisp at any scale.

`QIcon.fromTheme` is null on a desktop without an icon theme, so the icons are our own.
"""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap, QScreen
from PySide6.QtSvg import QSvgRenderer

from engine.paths import resources_dir


@cache
def _svg(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size_px: int, scale: float) -> QPixmap:
    """Icon `name` in `colour`, `size_px` logical pixels wide on a screen of `scale`."""
    text = _svg(name).replace("currentColor", colour)
    # Thin strokes carry the look at 16 to 20 px; large icons keep lucide's own weight.
    text = text.replace('stroke-width="2"', 'stroke-width="1.75"') if size_px < 32 else text
    renderer = QSvgRenderer(QByteArray(text.encode()))
    image = QPixmap(round(size_px * scale), round(size_px * scale))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(scale)
    return image


def _screens() -> list[QScreen]:
    return QGuiApplication.screens()


@lru_cache(maxsize=512)
def icon(name: str, colour: str, disabled: str, size_px: int = 18) -> QIcon:
    """A `QIcon` with a picture for every screen there is, and for one plugged in later."""
    result = QIcon()
    for scale in sorted({2.0, *(screen.devicePixelRatio() for screen in _screens())}):
        result.addPixmap(pixmap(name, colour, size_px, scale))
        result.addPixmap(pixmap(name, disabled, size_px, scale), QIcon.Mode.Disabled)
    return result
