"""Starts the window as `python -m desktop` does, says when it was painted, and closes it.

Nothing in the product is changed for the measurement: the event loop's start is wrapped so
that a filter sees the first paint event of a top-level window.
"""

from __future__ import annotations

import runpy
import time

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

MARK = "painted at "


class _FirstPaint(QObject):
    """Prints the clock at the first paint of a window, then ends the application."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Paint
            and isinstance(watched, QWidget)
            and watched.isWindow()
        ):
            print(f"{MARK}{time.monotonic()}", flush=True)
            application = QApplication.instance()
            assert application is not None
            application.removeEventFilter(self)
            watched.close()
            application.quit()
        return False


def main() -> None:
    """Run the window until its first paint."""
    run = QApplication.exec
    watcher = _FirstPaint()

    def watched_run(*_: object) -> int:
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(watcher)
        return run()

    QApplication.exec = watched_run  # type: ignore[method-assign]
    runpy.run_module("desktop", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
