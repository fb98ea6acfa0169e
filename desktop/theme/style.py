"""Tokens turned into what Qt understands: a palette for Fusion and a small style sheet.

Lists, tables and combo boxes are left to delegates: style sheets on their items break the
metrics of Fusion.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from desktop.theme.tokens import Tokens

_SHEET = """
QToolTip {{ color: {text}; background: {card}; border: 1px solid {line}; padding: 4px 6px; }}
QPushButton {{
    color: {text}; background: {card}; border: 1px solid {border}; border-radius: 7px;
    padding: 6px 14px; min-height: 20px;
}}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ background: {pressed}; }}
QPushButton:focus {{ border: 2px solid {accent}; padding: 5px 13px; }}
QPushButton:disabled {{ color: {disabled}; border-color: {line}; background: transparent; }}
QPushButton[look="primary"] {{
    color: {on_accent}; background: {accent}; border: 1px solid {accent}; font-weight: 600;
}}
QPushButton[look="primary"]:hover {{
    background: {accent_hover}; border-color: {accent_hover};
}}
QPushButton[look="primary"]:pressed {{ background: {accent_pressed}; }}
QPushButton[look="primary"]:focus {{ border: 2px solid {text}; padding: 5px 13px; }}
QPushButton[look="primary"]:disabled {{
    color: {disabled}; background: {hover}; border-color: {hover};
}}
QPushButton[look="danger"] {{ color: {danger}; border-color: {danger}; }}
QPushButton[look="link"] {{
    color: {accent}; background: transparent; border: none; border-radius: 0;
    border-bottom: 2px solid transparent; padding: 2px 0 0 0;
}}
QPushButton[look="link"]:hover, QPushButton[look="link"]:focus {{
    border-bottom-color: {accent};
}}
QPushButton[look="segment"] {{
    color: {muted}; background: transparent; border: 1px solid transparent; padding: 4px 10px;
}}
QPushButton[look="segment"]:hover {{ background: {hover}; }}
QPushButton[look="segment"]:checked {{ color: {text}; background: {selected}; }}
QPushButton[look="segment"]:focus {{ border: 2px solid {accent}; padding: 3px 9px; }}
QPushButton[look="chip"] {{
    color: {text}; background: {selected}; border: 1px solid transparent;
    border-radius: 8px; padding: 2px 8px; min-height: 20px;
}}
QPushButton[look="chip"]:hover {{ border-color: {accent}; }}
QPushButton[look="chip"]:focus {{ border-color: {accent}; }}
QPushButton[look="chip"][plain="true"] {{ color: {accent}; background: transparent; }}
QToolButton {{
    color: {text}; background: transparent; border: 2px solid transparent;
    border-radius: 7px; padding: 4px;
}}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed {{ background: {pressed}; }}
QToolButton:checked {{ background: {selected}; }}
QToolButton:focus {{ border-color: {accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit {{
    color: {text}; background: {card}; border: 1px solid {border}; border-radius: 7px;
    padding: 6px 9px; placeholder-text-color: {muted};
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 5px 8px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QTextBrowser, QTextEdit, QPlainTextEdit {{
    background: transparent; border: none; color: {text}; placeholder-text-color: {muted};
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QMenu {{
    background: {card}; color: {text}; border: 1px solid {line}; border-radius: 8px;
    padding: 5px;
}}
QMenu::item {{ padding: 6px 26px 6px 12px; border-radius: 5px; }}
QMenu::item:selected {{ background: {selected}; }}
QMenu::item:disabled {{ color: {disabled}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QScrollBar:vertical {{ background: transparent; width: 11px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 11px; margin: 0; }}
QScrollBar::handle {{
    background: {thumb}; border-radius: 4px; margin: 2px; min-height: 28px; min-width: 28px;
}}
QScrollBar::handle:hover {{ background: {border}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {line}; }}
QSplitter::handle:hover {{ background: {accent}; }}
QHeaderView {{ background: {page}; border: none; }}
QHeaderView::section {{
    background: {page}; color: {muted}; border: none; border-bottom: 1px solid {line};
    padding: 6px 10px; font-weight: 600;
}}
QHeaderView::up-arrow, QHeaderView::down-arrow {{
    width: 9px; height: 9px; subcontrol-origin: padding; subcontrol-position: center left;
}}
QTableView {{ background: {page}; border: none; }}
QProgressBar {{ background: {track}; border: none; border-radius: 3px; max-height: 6px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QRadioButton::indicator {{
    width: 14px; height: 14px; border: 1px solid {border}; border-radius: 8px;
    background: {card};
}}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {accent}; }}
QRadioButton::indicator:disabled {{ border-color: {line}; }}
QRadioButton {{ spacing: 8px; }}
QRadioButton:focus {{ color: {accent}; }}
QRadioButton:disabled {{ color: {disabled}; }}
QSpinBox {{
    color: {text}; background: {card}; border: 1px solid {border}; border-radius: 7px;
    padding: 5px 9px; selection-background-color: {accent}; selection-color: {on_accent};
}}
QSpinBox:focus {{ border: 2px solid {accent}; padding: 4px 8px; }}
QSpinBox:disabled {{ color: {disabled}; border-color: {line}; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0; border: none; }}
QSlider::groove:horizontal {{ height: 4px; background: {track}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
    background: {accent}; border: 1px solid {accent};
}}
QSlider::handle:horizontal:focus {{
    background: {card}; border: 2px solid {accent}; width: 12px;
}}
#side {{ background: {side}; border-right: 1px solid {line}; }}
#pane {{ background: {side}; }}
#page {{ background: {page}; }}
#card {{ background: {card}; border: 1px solid {line}; border-radius: 10px; }}
#line {{ background: {line}; border: none; }}
#quiet {{ background: {hover}; border-radius: 9px; }}
#problem {{ background: {danger_soft}; border: 1px solid {danger}; border-radius: 10px; }}
#caution {{ background: {warning_soft}; border: 1px solid {warning}; border-radius: 8px; }}
#composer {{ background: {card}; border: 1px solid {border}; border-radius: 12px; }}
#composer[focused="true"] {{ border-color: {accent}; }}
#bubble {{ background: {bubble}; border-radius: 12px; }}
QLabel[tone="muted"] {{ color: {muted}; }}
QLabel[tone="good"] {{ color: {good}; }}
QLabel[tone="warning"] {{ color: {warning}; }}
QLabel[tone="danger"] {{ color: {danger}; }}
QLabel[tone="accent"] {{ color: {accent}; }}
"""


def palette(t: Tokens) -> QPalette:
    """The Fusion palette of a scheme."""
    roles = QPalette.ColorRole
    result = QPalette()
    plain = {
        roles.Window: t.page,
        roles.WindowText: t.text,
        roles.Base: t.page,
        roles.AlternateBase: t.side,
        roles.Text: t.text,
        roles.PlaceholderText: t.muted,
        roles.Button: t.card,
        roles.ButtonText: t.text,
        roles.BrightText: t.danger,
        roles.ToolTipBase: t.card,
        roles.ToolTipText: t.text,
        roles.Highlight: t.accent,
        roles.HighlightedText: t.on_accent,
        roles.Link: t.accent,
        roles.LinkVisited: t.accent,
        roles.Accent: t.accent,
        roles.Light: t.hover,
        roles.Midlight: t.hover,
        roles.Mid: t.line,
        roles.Dark: t.border,
        roles.Shadow: t.shadow,
    }
    for role, colour in plain.items():
        result.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText, roles.HighlightedText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(disabled(t)))
    return result


def style_sheet(t: Tokens) -> str:
    """The style sheet of a scheme."""
    named = {name: getattr(t, name) for name in t.__dataclass_fields__}
    return _SHEET.format(**named, disabled=disabled(t), thumb=mix(t.border, t.page, 0.45))


def disabled(t: Tokens) -> str:
    """Text of controls that cannot be used now."""
    return mix(t.muted, t.page, 0.7)


def tint(t: Tokens, at: int, weight: float) -> str:
    """Background of a word that came from source `at` (from 0) with probability `weight`."""
    share = t.tint_least + (t.tint_most - t.tint_least) * min(1.0, max(0.0, weight))
    return mix(hue(t, at), t.page, share)


def hue(t: Tokens, at: int) -> str:
    """The colour of source `at`, from 0; there are six, then they begin again."""
    return t.hues[at % len(t.hues)]


def mix(over: str, under: str, share: float) -> str:
    """`over` laid on `under` with opacity `share`."""
    a, b = QColor(over), QColor(under)
    channels = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()), strict=True)
    return QColor(*(round(x * share + y * (1 - share)) for x, y in channels)).name()
