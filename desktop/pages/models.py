"""The models at hand: what each is, whether it fits here, which one answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.client import Call
from desktop.dialogs.confirm import confirm
from desktop.dialogs.gpu_layers import GpuLayersDialog
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    card,
    centred,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import ModelCard

_WIDTH_PX = 860


class ModelsPage(QFrame):
    """Cards, one a model; a GGUF may be dropped anywhere on the window."""

    file_wanted = Signal()

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self._adding: dict[Call, str] = {}
        self._shown: list[ModelCard] = []
        self._build()
        state.models_changed.connect(self._show)
        self._show()

    def _build(self) -> None:
        self.add = button(english.ADD_MODEL, self.file_wanted.emit, "primary", "plus")
        head = row(label(english.MODELS_TITLE, 1.5, BOLD), None, self.add)
        about = label(english.MODELS_TEXT, tone="muted", wrap=True)
        self._pulse = Pulse()
        self._stop = icon_button("x", english.CANCEL, self._cancel, 15)
        self._busy = QWidget()
        self._busy.setLayout(row(self._pulse, self._stop))
        self._busy.hide()
        self._cards = QVBoxLayout()
        self._cards.setSpacing(12)
        inner = QWidget()
        body = column(spacing=6, margins=(28, 20, 28, 28))
        body.addLayout(head)
        body.addWidget(about)
        body.addSpacing(8)
        body.addWidget(self._busy)
        body.addLayout(self._cards)
        body.addStretch(1)
        inner.setLayout(body)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(centred(inner, _WIDTH_PX))
        self.setLayout(column(scroll))

    def cards(self) -> list[ModelView]:
        """The cards on the page."""
        found = [self._cards.itemAt(i).widget() for i in range(self._cards.count())]
        return [view for view in found if isinstance(view, ModelView)]

    def _show(self) -> None:
        models = self._state.models
        if models == self._shown and self._cards.count():
            return
        self._shown = list(models)
        clear_layout(self._cards)
        if not models:
            self._cards.addWidget(label(english.MODELS_NONE, tone="muted"))
        for model in models:
            view = ModelView(model)
            view.use.connect(self.use)
            view.remove.connect(self._remove)
            view.adjust.connect(self._adjust)
            self._cards.addWidget(view)

    # --- doing ----------------------------------------------------------------------------

    def add_file(self, path: str) -> None:
        """Have the engine check a GGUF file and take it in."""
        name = names.file_name(os.fspath(path))
        call = self._state.client.request("models.add", {"path": path})
        self._adding[call] = name
        call.succeeded.connect(self._added)
        call.failed.connect(self._add_failed)
        call.finished.connect(lambda: self._done(call))
        self._show_busy()

    def _added(self, model: ModelCard) -> None:
        name = names.one_line(model.name, 80)
        self._state.notices.info(english.MODEL_ADDED.format(name=name))
        self._state.refresh("models")

    def _add_failed(self, error: EngineError) -> None:
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)

    def _done(self, call: Call) -> None:
        self._adding.pop(call, None)
        self._show_busy()

    def _show_busy(self) -> None:
        waiting = list(self._adding.values())
        self._busy.setVisible(bool(waiting))
        if waiting:
            self._pulse.say(english.MODEL_ADDING.format(name=waiting[0]))

    def _cancel(self) -> None:
        for call in list(self._adding):
            call.cancel()

    def use(self, model_id: str) -> None:
        """Answer with this model from now on."""
        self._ask("models.default", {"model": model_id})

    def _remove(self, model: ModelCard) -> None:
        title = english.MODEL_REMOVE_TITLE.format(name=names.one_line(model.name, 80))
        confirm(
            self.window(),
            title,
            english.MODEL_REMOVE_TEXT,
            english.REMOVE,
            lambda: self._ask("models.remove", {"model": model.id}),
        )

    def _adjust(self, model: ModelCard) -> None:
        dialog = GpuLayersDialog(
            self.window(),
            model,
            lambda layers: self._ask(
                "models.gpu_layers", {"model": model.id, "layers": layers}
            ),
        )
        dialog.open()

    def _ask(self, method: str, params: dict[str, object]) -> None:
        call = self._state.client.request(method, params)
        call.failed.connect(self._state.notices.error)
        call.succeeded.connect(lambda answer: self._state.refresh("models"))


class ModelView(QFrame):
    """The card of one model."""

    use = Signal(str)
    remove = Signal(object)
    adjust = Signal(object)

    def __init__(self, model: ModelCard) -> None:
        super().__init__()
        self.setObjectName("card")
        self.model = model
        self.setAccessibleName(names.one_line(model.name))
        picture = QLabel()
        picture.setFixedSize(24, 24)
        theme.set_label_icon(picture, "cpu", "accent" if model.default else "muted", 22)
        name = ElidedLabel(model.name, 1.12, BOLD, mode=Qt.TextElideMode.ElideMiddle)
        name.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        head = row(picture, name, spacing=10)
        if model.default:
            head.addWidget(_badge(english.MODEL_DEFAULT))
        else:
            self.make_default = button(
                english.MODEL_MAKE_DEFAULT, lambda: self.use.emit(model.id)
            )
            head.addWidget(self.make_default)
        if model.source == "added":
            gone = icon_button("trash-2", english.MODEL_REMOVE, lambda: self.remove.emit(model))
            head.addWidget(gone)
        layout = column(spacing=12, margins=(18, 14, 14, 16))
        layout.addLayout(head)
        layout.addLayout(self._facts())
        layout.addWidget(self._fit())
        if not model.chat_template:
            layout.addWidget(label(english.MODEL_NO_TEMPLATE, 0.95, tone="warning", wrap=True))
        self.setLayout(layout)

    def _facts(self) -> QGridLayout:
        model = self.model
        context = english.MODEL_CONTEXT_VALUE.format(
            used=f"{model.context_used:,}", whole=f"{model.context:,}"
        )
        unknown = english.MODEL_UNKNOWN
        facts = (
            (english.MODEL_ARCHITECTURE, model.architecture),
            (english.MODEL_PARAMETERS, figures.parameters(model.parameters)),
            (english.MODEL_QUANTIZATION, model.quantization),
            (english.MODEL_SIZE, figures.size(model.size_bytes)),
            (english.MODEL_CONTEXT, context),
            (english.MODEL_LICENSE, model.license),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(10)
        for at, (what, value) in enumerate(facts):
            shown = ElidedLabel(value or unknown)
            shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            cell = column(label(what, 0.9, tone="muted"), shown, spacing=1)
            grid.addLayout(cell, at // 3, at % 3)
            grid.setColumnStretch(at % 3, 1)
        return grid

    def _fit(self) -> QWidget:
        model = self.model
        picture = QLabel()
        icon, tone = ("circle-check", "good") if model.fits else ("triangle-alert", "warning")
        theme.set_label_icon(picture, icon, tone, 16)
        text = english.MODEL_FITS if model.fits else english.MODEL_TOO_BIG
        shown = text.format(
            needed=figures.size(model.memory_bytes),
            there=figures.size(model.memory_available_bytes),
        )
        self.fit = label(shown, 0.95, tone=tone)
        self.fit.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        result = QWidget()
        layout = row(picture, self.fit, spacing=7)
        layout.setStretch(1, 1)
        layout.addWidget(label(self._gpu(), 0.95, tone="muted"))
        if model.layers:
            layout.addWidget(
                button(english.MODEL_GPU_ADJUST, lambda: self.adjust.emit(model), "link")
            )
        result.setLayout(layout)
        return result

    def _gpu(self) -> str:
        model = self.model
        if model.gpu_layers == 0 and model.gpu_layers_chosen == "automatic":
            return english.MODEL_GPU_NONE
        chosen = model.gpu_layers_chosen == "user"
        text = english.MODEL_GPU_USER if chosen else english.MODEL_GPU_AUTO
        return f"{english.MODEL_GPU}: " + text.format(n=model.gpu_layers, all=model.layers)


def _badge(text: str) -> QFrame:
    result = card("quiet")
    picture = QLabel()
    theme.set_label_icon(picture, "check", "good", 15)
    result.setLayout(row(picture, label(text, 0.92, BOLD), spacing=6, margins=(10, 4, 12, 4)))
    return result
