"""The one line at the top of the window that says what just happened."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from desktop import theme
from desktop.notices import Notice, Notices
from desktop.strings import english, names
from desktop.widgets.basics import ElidedLabel, button, card, icon_button, row

SHOWN_MS = 7000
_ICONS = {
    "info": ("info", "accent"),
    "good": ("circle-check", "good"),
    "warning": ("triangle-alert", "warning"),
    "danger": ("circle-alert", "danger"),
}


class NoticeBar(QFrame):
    """Shows the latest notice; a lasting one stays until it is dismissed."""

    def __init__(self, notices: Notices) -> None:
        super().__init__()
        self._notice: Notice | None = None
        self._icon = QLabel()
        self._icon.setFixedSize(18, 18)
        self._text = ElidedLabel()
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._action = button(english.DISMISS, self._act, "link")
        self._details = button(english.COPY_DETAILS, self._copy, "link")
        self._dismiss = icon_button("x", english.DISMISS, self.hide, 16)
        parts = (self._icon, self._text, self._action, self._details, self._dismiss)
        surface = card("quiet")
        surface.setLayout(row(*parts, spacing=10, margins=(14, 5, 8, 5)))
        self.setLayout(row(surface, margins=(12, 10, 12, 0)))
        self.setAccessibleName(english.STATUS_LINE)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        theme.follow(self, self._paint_icon)
        notices.posted.connect(self.show_notice)
        self.hide()

    def text(self) -> str:
        """The line shown."""
        return self._text.text() if self._notice is not None and not self.isHidden() else ""

    def show_notice(self, notice: Notice) -> None:
        """Replace what is shown."""
        self._notice = notice
        self._text.set_text(notice.text)
        self._details.setVisible(bool(notice.details))
        self._action.setVisible(notice.action is not None)
        if notice.action is not None:
            self._action.setText(notice.action[0])
            self._action.setAccessibleName(notice.action[0])
        self._paint_icon()
        self.show()
        announce(self, notice.text)
        if notice.lasting:
            self._timer.stop()
        else:
            self._timer.start()

    def _paint_icon(self) -> None:
        if self._notice is not None:
            name, role = _ICONS[self._notice.tone]
            self._icon.setPixmap(
                theme.pixmap(name, role, 18, max(2.0, self.devicePixelRatioF()))
            )

    def _act(self) -> None:
        if self._notice is not None and self._notice.action is not None:
            self.hide()
            self._notice.action[1]()

    def _copy(self) -> None:
        if self._notice is not None:
            QGuiApplication.clipboard().setText(self._notice.details)
            self._details.setText(english.DETAILS_COPIED)
            QTimer.singleShot(2000, self, lambda: self._details.setText(english.COPY_DETAILS))


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say `text`."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, names.one_line(text)))
