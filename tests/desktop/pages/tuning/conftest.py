"""The way through the wizard, up to a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desktop.app import App
from desktop.pages.tuning.wizard import TuneWizard

Walker = Callable[..., TuneWizard]


@pytest.fixture
def walk(qtbot: Any) -> Walker:
    """Opens the wizard with a dataset and goes on to the named step."""

    def to(app: App, step: str, dataset: str = "set1") -> TuneWizard:
        window = app.window
        window.show_page("tune")
        qtbot.waitUntil(lambda: bool(app.state.tunings.datasets), timeout=10_000)
        window.tune.begin_with(dataset)
        wizard = window.tune.wizard
        while wizard.step is not getattr(wizard, step):
            shown = wizard.step
            qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
            wizard.next.click()
            qtbot.waitUntil(lambda shown=shown: wizard.step is not shown, timeout=10_000)
        return wizard

    return to
