"""The composition root: makes the parts, shows the window, then starts the engine."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Sequence

from PySide6.QtCore import QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from desktop.alerts import Alerts, bring_to_front
from desktop.client import EngineClient
from desktop.memory import Memory
from desktop.notices import Notices
from desktop.preferences import Preferences
from desktop.single import Single
from desktop.state import AppState
from desktop.strings import english
from desktop.theme import theme
from desktop.watchdog import Watchdog
from desktop.window import MainWindow
from engine.paths import Home, default_home

LOG_BYTES = 1_000_000
LOGS_KEPT = 3


class App:
    """Everything that lives as long as the window. `close` ends all of it.

    Args:
        home: the user's data folder.
        host_command: another command line for the engine host, for tests.
        host_environment: variables for the engine host, on top of the usual ones.
    """

    def __init__(
        self,
        application: QApplication,
        home: Home,
        host_command: Sequence[str] | None = None,
        host_environment: dict[str, str] | None = None,
    ) -> None:
        self.home = home
        self.preferences = Preferences(home)
        theme.start(application, self.preferences.theme)  # type: ignore[arg-type]
        self.notices = Notices()
        self.client = EngineClient(host_command, host_environment)
        self.state = AppState(self.client, self.notices)
        self.memory = Memory(home, self.preferences.window, None)
        self.window = MainWindow(self.state, self.notices, self.preferences, self.memory, home)
        self.alerts = Alerts(
            self.window, self.client, self.state, lambda: self.preferences.notify
        )
        self.watchdog: Watchdog | None = None
        self._closed = False

    def show(self) -> None:
        """Show the window; the engine starts as soon as it has been painted."""
        self.window.show()
        QTimer.singleShot(0, self.window, self._begin)

    def _begin(self) -> None:
        self.watchdog = Watchdog(parent=self.window)
        self.client.start()

    def leave(self) -> None:
        """The window was closed: end the engine while the event loop goes on."""
        self.client.leave()

    def close(self) -> None:
        """End the engine and free the window. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.window.close()
        self.client.close()
        if self.watchdog is not None:
            self.watchdog.stop()
        self.window.deleteLater()
        self.memory.flush()
        self.memory.deleteLater()
        self.state.deleteLater()
        self.client.deleteLater()


def run(arguments: Sequence[str]) -> int:
    """Run the desktop until its window is closed; return the exit status."""
    home = default_home()
    _start_logs(home)
    application = QApplication([english.APP, *arguments])
    application.setApplicationName(english.APP)
    application.setDesktopFileName("whetstone")
    translator = QTranslator(application)
    path = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(QLocale.Language.English), "qtbase", "_", path):
        application.installTranslator(translator)
    single = Single(home)
    if not single.claim(os.environ.get("XDG_ACTIVATION_TOKEN", "")):
        return 0
    app = App(application, home)

    def wished(token: str) -> None:
        if token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token
        bring_to_front(app.window)

    single.wished.connect(wished)
    # The window goes at once; the process ends when the engine has ended in good order.
    application.setQuitOnLastWindowClosed(False)
    app.window.closed.connect(single.deafen)
    app.window.closed.connect(app.leave)
    app.client.left.connect(application.quit)
    app.show()
    # A Ctrl-C in the terminal closes the window in good order; Python sees signals only
    # when it runs, which this timer makes it do.
    signal.signal(signal.SIGINT, lambda *_: app.window.close())
    signal.signal(signal.SIGTERM, lambda *_: app.window.close())
    pulse = QTimer()
    pulse.start(500)
    pulse.timeout.connect(lambda: None)
    status = application.exec()
    app.close()
    single.close()
    return status


def _start_logs(home: Home) -> None:
    """Log to the home; a home that cannot be written is said by the engine, not here."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.ERROR)
    try:
        home.logs.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                home.logs / "desktop.log",
                maxBytes=LOG_BYTES,
                backupCount=LOGS_KEPT,
                encoding="utf-8",
            )
        )
    except OSError:
        pass
    form = "%(asctime)s %(name)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=handlers)
