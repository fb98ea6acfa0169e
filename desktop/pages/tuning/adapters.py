"""The adapters at hand: what each is worth, which are in use, how strongly they work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QMenu,
    QSizePolicy,
    QSlider,
    QWidget,
)

from desktop.client import Call
from desktop.dialogs.confirm import confirm
from desktop.dialogs.naming import NamingDialog
from desktop.notices import Notice
from desktop.pages.tuning.lists import Card, Cards
from desktop.pages.tuning.step import Remarks
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    ElidedLabel,
    button,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.pulse import Pulse
from desktop.widgets.switch import Switch
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import AdapterCard, ExportedAdapter

_SCALE_STEP = 0.05
_SCALE_MOST = 2.0
_SETTLE_MS = 300
FORMATS = ("gguf", "safetensors", "ollama", "merged")
_SUFFIXES = {"gguf": ".gguf", "merged": ".gguf", "safetensors": "", "ollama": ""}


class AdapterView(Card):
    """The card of one adapter; updated in place, so that a slider can be held meanwhile."""

    switched = Signal(object, bool, bool)
    """The card, on or off, and whether the others stay on."""
    scaled = Signal(object, float)
    ask_wanted = Signal(str, object)
    """ "rename", "remove" or "export:<format>", and the card."""

    def __init__(self) -> None:
        super().__init__()
        self.card: AdapterCard | None = None
        self.on = Switch(english.ADAPTER_USE)
        self.on.toggled.connect(lambda on: self.switched.emit(self.card, on, False))
        self.mix = button(
            english.ADAPTER_MIX, lambda: self.switched.emit(self.card, True, True)
        )
        self.mix.setToolTip(english.ADAPTER_MIX_HINT)
        self.more = icon_button("ellipsis", english.ADAPTER_MORE, self._menu)
        self.tools.addWidget(self.mix)
        self.tools.addWidget(self.more)
        self.tools.addWidget(self.on)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(20)
        self._facts.setVerticalSpacing(8)
        self._values: list[ElidedLabel] = []
        for at, what in enumerate(english.ADAPTER_FACTS):
            value = ElidedLabel("")
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._values.append(value)
            name = label(what, 0.9, tone="muted")
            name.setToolTip(english.ADAPTER_FACT_HINTS[at])
            self._facts.addLayout(column(name, value, spacing=1), at // 4, at % 4)
            self._facts.setColumnStretch(at % 4, 1)
        self.body.addLayout(self._facts)
        self._remarks = Remarks()
        self.body.addWidget(self._remarks)
        self._build_scale()

    def _build_scale(self) -> None:
        self.scale = QSlider(Qt.Orientation.Horizontal)
        self.scale.setRange(0, round(_SCALE_MOST / _SCALE_STEP))
        self.scale.setPageStep(4)
        self.scale.setMinimumHeight(22)
        self.scale.setAccessibleName(english.ADAPTER_SCALE)
        self.scale.setToolTip(english.ADAPTER_SCALE_HINT)
        self.figure = label("", 0.97)
        self.figure.setMinimumWidth(44)
        self._scale_row = QWidget()
        line = row(label(english.ADAPTER_SCALE, 0.97, tone="muted"), spacing=12)
        line.addWidget(self.scale, 1)
        line.addWidget(self.figure)
        self._scale_row.setLayout(line)
        self._scale_row.hide()
        self.body.addWidget(self._scale_row)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(
            lambda: self.scaled.emit(self.card, self.scale.value() * _SCALE_STEP)
        )
        self.scale.valueChanged.connect(self._moved)

    def _moved(self, value: int) -> None:
        self._show_figure(value * _SCALE_STEP)
        self._settle.start()

    def _show_figure(self, scale: float) -> None:
        text = f"{100 * scale:.0f} %"
        self.figure.setText(text)
        self.scale.setAccessibleDescription(text)

    def show_row(self, card: AdapterCard) -> None:
        """Show it as it is."""
        self.card = card
        self.name.set_text(card.name)
        method = english.METHODS[card.method][0]
        task = english.TASKS.get(card.task, "")
        parts = [card.base_name, task, method, figures.size(card.size_bytes)]
        self.facts.set_text(" · ".join(part for part in parts if part))
        self.show_icon("wand-sparkles", "accent" if card.enabled else "muted")
        for shown, text in zip(self._values, fact_words(card), strict=True):
            shown.set_text(text or "–")
        self._remarks.say(remarks_of(card))
        with QSignalBlocker(self.on):
            self.on.setChecked(card.enabled)
        self.on.setEnabled(card.enabled or not card.problem)
        self.on.update()
        self._scale_row.setVisible(card.enabled and card.method == "lora")
        if not self._settle.isActive() and not self.scale.isSliderDown():
            with QSignalBlocker(self.scale):
                self.scale.setValue(round(card.scale / _SCALE_STEP))
            self._show_figure(card.scale)
        self.setAccessibleName(f"{self.name.text()}: {self.facts.text()}")

    def offer_mix(self, offered: bool) -> None:
        """Offer to put it on beside those that are on."""
        self.mix.setVisible(offered)

    def menu(self) -> QMenu:
        """What else can be done with it."""
        result = QMenu(self)
        result.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        result.addAction(english.ADAPTER_RENAME, lambda: self._ask("rename"))
        result.addSeparator()
        for name in FORMATS:
            action = result.addAction(
                english.ADAPTER_FORMATS[name], lambda name=name: self._ask(f"export:{name}")
            )
            fits = self.card is not None and (
                self.card.method == "lora" or name == "safetensors"
            )
            action.setEnabled(fits)
        if self.card is not None and self.card.source != "installation":
            result.addSeparator()
            result.addAction(english.ADAPTER_REMOVE, lambda: self._ask("remove"))
        return result

    def _menu(self) -> None:
        self.menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _ask(self, what: str) -> None:
        self.ask_wanted.emit(what, self.card)


class AdapterList(QWidget):
    """All adapters, and what is done with them."""

    def __init__(self, state: AppState, empty: QWidget) -> None:
        super().__init__()
        self._state = state
        self._busy: dict[Call, str] = {}
        self._pulse = Pulse()
        self.stop = icon_button("x", english.CANCEL, self._cancel, 15)
        self._line = QWidget()
        self._line.setLayout(row(self._pulse, self.stop))
        self._line.hide()
        self._cards = Cards(self._card, empty)
        layout = column(self._line, spacing=8)
        layout.addWidget(self._cards, 1)
        self.setLayout(layout)
        state.tunings.adapters_changed.connect(self._show)
        self._show()

    def cards(self) -> list[AdapterView]:
        """The cards on the page."""
        return self._cards.cards()

    def _card(self) -> AdapterView:
        view = AdapterView()
        view.switched.connect(self._switch)
        view.scaled.connect(self._scale)
        view.ask_wanted.connect(self._ask)
        return view

    def _show(self) -> None:
        tunings = self._state.tunings
        self._cards.set_rows(tunings.adapters)
        for view in self.cards():
            card = view.card
            mixed = card is not None and not card.enabled and not card.problem
            view.offer_mix(bool(mixed and card and tunings.mixed_with(card)))

    # --- doing ----------------------------------------------------------------------------

    def _switch(self, card: AdapterCard, on: bool, beside: bool) -> None:
        alone = on and not beside
        params = {"adapter": card.id, "on": on, "alone": alone, "scale": 1.0}
        self._state.tunings.ask("adapters.enable", params)

    def _scale(self, card: AdapterCard, scale: float) -> None:
        params = {"adapter": card.id, "on": True, "alone": False, "scale": round(scale, 2)}
        self._state.tunings.ask("adapters.enable", params)

    def _ask(self, what: str, card: AdapterCard) -> None:
        if what == "rename":
            self.rename(card)
        elif what == "remove":
            self.remove(card)
        else:
            self.choose_export(card, what.partition(":")[2])

    def rename(self, card: AdapterCard) -> None:
        """Ask for a new name."""
        tunings = self._state.tunings
        others = [other.name for other in tunings.adapters if other.id != card.id]
        NamingDialog(
            self.window(),
            english.ADAPTER_RENAME_TITLE,
            card.name,
            others,
            lambda name: tunings.ask("adapters.rename", {"adapter": card.id, "name": name}),
        ).open()

    def remove(self, card: AdapterCard) -> None:
        """Ask, then delete."""
        confirm(
            self.window(),
            english.ADAPTER_REMOVE_TITLE.format(name=names.one_line(card.name, 80)),
            english.ADAPTER_REMOVE_TEXT,
            english.REMOVE,
            lambda: self._state.tunings.ask("adapters.remove", {"adapter": card.id}),
        )

    def choose_export(self, card: AdapterCard, form: str) -> None:
        """Let the user say where it goes."""
        dialog = QFileDialog(self.window(), english.ADAPTER_FORMATS[form])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        suffix = _SUFFIXES[form]
        if suffix:
            dialog.setDefaultSuffix(suffix[1:])
        plain = "".join(c if c.isalnum() or c in " -_." else "-" for c in card.name)
        dialog.selectFile(f"{plain.strip(' .-')[:80]}{suffix}")
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.export(card, form, path))
        dialog.open()

    def export(self, card: AdapterCard, form: str, path: str) -> None:
        """Have the engine write it."""
        params = {"adapter": card.id, "format": form, "out": path}
        name = names.one_line(card.name, 80)
        call = self._long(
            "adapters.export", params, english.ADAPTER_EXPORTING.format(name=name)
        )
        call.succeeded.connect(self._exported)

    def _exported(self, made: ExportedAdapter) -> None:
        text = english.ADAPTER_EXPORTED.format(
            path=names.one_line(made.path), size=figures.size(made.size_bytes)
        )
        self._state.notices.post(Notice(text, "good"))

    def choose_import(self) -> None:
        """Let the user choose an adapter file."""
        dialog = QFileDialog(self.window(), english.ADAPTER_DIALOG)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(english.ADAPTER_FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take_path)
        dialog.open()

    def take_path(self, path: str) -> None:
        """Have the engine check an adapter and take it in; of peft's, the folder."""
        if os.path.basename(path) in ("adapter_config.json", "adapter_model.safetensors"):
            path = os.path.dirname(path)
        text = english.ADAPTER_CHECKING.format(name=names.file_name(path))
        call = self._long("adapters.import", {"path": path}, text)
        call.succeeded.connect(self._imported)

    def _imported(self, card: AdapterCard) -> None:
        text = english.ADAPTER_IMPORTED.format(
            name=names.one_line(card.name, 80), model=names.one_line(card.base_name, 80)
        )
        self._state.notices.post(Notice(text, "good"))
        self._state.tunings.refresh("adapters")

    def _long(self, method: str, params: dict[str, Any], text: str) -> Call:
        call = self._state.client.request(method, params)
        self._busy[call] = text
        call.failed.connect(self._failed)
        call.finished.connect(lambda: self._done(call))
        self._show_busy()
        return call

    def _failed(self, error: EngineError) -> None:
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)

    def _done(self, call: Call) -> None:
        self._busy.pop(call, None)
        self._show_busy()

    def _show_busy(self) -> None:
        waiting = list(self._busy.values())
        self._line.setVisible(bool(waiting))
        if waiting:
            self._pulse.say(waiting[0])

    def _cancel(self) -> None:
        for call in list(self._busy):
            call.cancel()


def fact_words(card: AdapterCard) -> list[str]:
    """The figures of an adapter, in the order of `english.ADAPTER_FACTS`."""
    before, after = card.metrics.get("heldout_before"), card.metrics.get("heldout_loss")
    loss = ""
    if isinstance(before, float) and isinstance(after, float):
        loss = f"{before:.2f} → {after:.2f}"
    exact = card.metrics.get("heldout_exact")
    parity = f"{100 * card.parity.top1:.1f} %" if card.parity is not None else ""
    return [
        names.one_line(card.dataset_name, 60),
        loss,
        f"{100 * exact:.0f} %" if isinstance(exact, (int, float)) else "",
        parity,
    ]


def remarks_of(card: AdapterCard) -> list[tuple[str, str]]:
    """What is to be known of an adapter, as (sentence, tone)."""
    result: list[tuple[str, str]] = []
    if card.problem:
        result.append((names.one_line(card.problem, 300), "danger"))
    if card.proof == "failed":
        result.append((english.PROOF_FAILED, "danger"))
    elif card.proof == "proven":
        result.append((english.PROOF_PROVEN, "good"))
    else:
        result.append((english.PROOF_NONE, "warning"))
    if card.stale:
        stale = english.ADAPTER_STALE.format(why=names.one_line(card.stale, 200))
        result.append((stale, "warning"))
    return result
