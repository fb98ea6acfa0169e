"""Takes the pictures of docs/screenshots: the real window over the real engine, off screen.

    python -m tests.desktop.screenshots [FOLDER] [--question Q] [--model M] [--large DIR]
                                        [--only origins|tuning]

Reads the sample folder into a temporary home, asks, opens a source, and walks through the
pages, in light and in dark. Not a test: what it makes is for looking at.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SCREEN = Path(__file__).with_name("offscreen.json")
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={SCREEN}"

from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from PySide6.QtCore import QPoint, Qt  # noqa: E402 - the platform is chosen above
from PySide6.QtGui import QPainter  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication, QDialog, QWidget  # noqa: E402

from desktop.app import App  # noqa: E402
from desktop.dialogs.inspector import InspectorDialog  # noqa: E402
from desktop.dialogs.palette import Palette  # noqa: E402
from desktop.state import Reading  # noqa: E402
from desktop.theme import theme  # noqa: E402
from engine.paths import Home, resources_dir  # noqa: E402

QUESTION = "How long does a full freezer stay cold when its door is not opened?"
FOLLOW_UP = "And how long does it take until someone repairs it?"
FROM_SEVERAL = "What do visitors do on arrival, and when can the island be visited?"
NOT_THERE = "Who won the football world cup in 1998?"
CORRECTION = "A repair that takes longer than six hours: the samples move to the spare freezer."
SCANNED = (
    "Visitors' book, summer 1931",
    "12 June. Two naturalists from the mainland, three nights.",
    "13 June. Fog; the boat did not come.",
)
LOGBOOK: dict[str, tuple[str, ...]] = {
    "boat": (
        "the boat leaves {when} with {what} on board",
        "no landing {when}, the swell carried {what} off the pier",
        "the outboard was serviced {when}, we still need {what}",
    ),
    "birds": (
        "counted {what} on the north cliff {when}",
        "ringed {what} {when}, all of them adults",
        "{when} the gulls took {what} from two nests",
    ),
    "weather": (
        "gale warning {when}, {what} tied down",
        "{when} fog until noon, we could not see {what}",
        "rain gauge emptied {when}, {what} stayed dry",
    ),
    "stores": (
        "we run out of {what} {when}, please order more",
        "{when} the stores were checked, {what} is missing",
        "put {what} on the list {when}, and more fuel",
    ),
}
"""Entries of a station's logbook, by what they are about."""
WHEN = ("today", "at dawn", "on Monday", "this evening", "again", "after lunch")
WHAT = ("twelve eggs", "the spare rope", "four chicks", "the old tent", "rice", "two guests")
TRAINED_SHARE = 0.6
"""How far a training is when its picture is taken."""
MINUTES = 6
SIZE_PX = (1240, 800)
LONGEST_WAIT_S = 300.0


class Photographer:
    """Drives one window and saves what it shows."""

    def __init__(self, application: QApplication, home: Path, folder: Path) -> None:
        self._application = application
        self._folder = folder
        self.app = App(application, Home(home))
        self.app.window.resize(*SIZE_PX)
        self.app.show()
        self.wait(lambda: self.app.state.known)

    def wait(self, until: Callable[[], object], most_s: float = LONGEST_WAIT_S) -> None:
        """Let the window work until `until` is true.

        Raises:
            TimeoutError: it did not become true.
        """
        end = time.monotonic() + most_s
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            self._application.processEvents()
            time.sleep(0.005)

    def rest(self, seconds: float) -> None:
        """Let the window settle."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def take(
        self,
        name: str,
        over: QWidget | None = None,
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        """Save a picture in both schemes, with a dialog or sheet `over` the window.

        `prepare` does what a switch of the scheme undoes.
        """
        window = self.app.window
        for scheme in ("light", "dark"):
            theme.choose(scheme)
            theme.finish()
            self.rest(0.4)
            prepare()
            self.rest(0.1)
            picture = window.grab()
            if over is not None:
                at = over.mapToGlobal(QPoint(0, 0)) - window.mapToGlobal(QPoint(0, 0))
                if isinstance(over, QDialog):  # its frame is the window manager's
                    at = window.rect().center() - over.rect().center()
                painter = QPainter(picture)
                painter.drawPixmap(at, over.grab())
                painter.end()
            path = self._folder / f"{name}-{scheme}.png"
            picture.save(str(path))
            print(path, flush=True)


def photograph(
    folder: Path, sample: Path, home: Path, question: str, model: str, large: str, only: str
) -> None:
    """The whole walk."""
    application = QApplication(["whetstone"])
    camera = Photographer(application, home, folder)
    app, window = camera.app, camera.app.window
    try:
        if model:
            window.models.add_file(model)
            camera.wait(lambda: len(app.state.models) > 1)
            window.models.use(app.state.models[-1].id)
            camera.rest(1)
        if only == "origins":
            window.add_folder(str(sample))
            camera.wait(lambda: not app.state.readings)
            window.notice_bar.hide()
            photograph_origins(camera)
            return
        if only == "tuning":
            photograph_tuning(camera, home)
            return
        window.show_page("start")
        camera.take("first-start")
        window.add_folder(str(sample))
        reading = app.state.readings[0]
        if not large:
            photograph_reading(camera, reading)
        camera.wait(lambda: not app.state.readings)
        window.notice_bar.hide()
        window.ask.ask(question)
        turn = window.ask.talk.turns[-1]
        camera.wait(lambda: not turn.running)
        camera.rest(1)
        camera.take("answer")
        pages = [at for at, hit in enumerate(turn.passages, start=1) if hit.page]
        window.ask.open_source(pages[0] if pages else 1)
        camera.wait(lambda: window.ask.viewer.showing() or window.ask.viewer.problem())
        camera.rest(2)
        camera.take("viewer")
        photograph_conversation(camera)
        photograph_origins(camera)
        photograph_library(camera, sample)
        photograph_tuning(camera, home)
        window.show_page("models")
        camera.rest(1)
        camera.take("models")
        for part in ("general", "library", "model", "privacy"):
            window.open_settings(part)
            camera.rest(1)
            camera.take("settings" if part == "general" else f"settings-{part}")
        if large:
            window.add_folder(large, name="Archive")
            photograph_reading(camera, app.state.readings[0])
            for reading in app.state.readings:
                reading.stop()
            camera.wait(lambda: not app.state.readings)
    finally:
        app.close()


def photograph_conversation(camera: Photographer) -> None:
    """A follow-up that was rewritten and corrected, the filter, and why these sources."""
    page = camera.app.window.ask
    page.close_viewer()
    page.ask(FOLLOW_UP)
    turn = page.talk.turns[-1]
    camera.wait(lambda: not turn.running)
    view = page.views()[-1]
    view.tools.down.click()
    camera.rest(0.5)
    view.feedback.field.setPlainText(CORRECTION)
    page.turns.to_end()
    camera.rest(0.5)
    camera.take("conversation")
    view.feedback.save.click()
    camera.rest(0.5)
    page.scope.open_filter()
    camera.wait(lambda: page.scope.panel is None or page.scope.panel.types_model.rowCount())
    panel = page.scope.panel
    assert panel is not None
    panel.types_model.toggle(0)
    panel.types_model.toggle(1)
    camera.rest(0.5)
    camera.take("filter", panel)
    panel.close()
    page.scope.choose(page.scope.scope.unfiltered())
    page.inspect()
    camera.rest(0.5)
    dialog = page.findChild(InspectorDialog)
    assert dialog is not None
    camera.wait(lambda: dialog.table.shown() or dialog.problem.text())
    camera.rest(0.5)
    camera.take("inspector", dialog)
    dialog.close()


def photograph_origins(camera: Photographer) -> None:
    """Words in the colours of their sources, one sentence pointed at; and a refusal."""
    window = camera.app.window
    page = window.ask
    window.new_question()
    page.scope.choose_mode("token")  # the smallest model would read one passage
    page.ask(FROM_SEVERAL)
    turn = page.talk.turns[-1]
    camera.wait(lambda: not turn.running)
    page.origins.choose(True)
    camera.rest(0.5)
    window.activateWindow()

    def point() -> None:
        view = page.views()[-1].answer
        view.setFocus()
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)

    camera.take("attribution", prepare=point)
    window.new_question()
    page.ask(NOT_THERE)
    turn = page.talk.turns[-1]
    camera.wait(lambda: not turn.running)
    if page.views()[-1].guess.offered():
        page.views()[-1].guess.toggle()
    else:
        print("this was not refused:", NOT_THERE, file=sys.stderr)
    camera.rest(0.5)
    camera.take("refusal")
    page.origins.choose(False)


def photograph_tuning(camera: Photographer, home: Path) -> None:
    """A training from a table to an adapter, seen on the way; then what there is."""
    window, tunings = camera.app.window, camera.app.state.tunings
    table = home / "Logbook.csv"
    write_logbook(table)
    window.show_page("tune")
    window.tune.begin()
    wizard = window.tune.wizard
    wizard.examples.import_file(str(table))
    camera.wait(wizard.examples.importing.take.isEnabled)
    camera.rest(0.5)
    camera.take("tune-import")
    wizard.examples.importing.take.click()
    camera.wait(wizard.next.isEnabled)
    camera.rest(0.5)
    camera.take("tune-examples")
    wizard.draft.minutes = MINUTES
    wizard.next.click()
    camera.wait(wizard.next.isEnabled)
    camera.take("tune-model")
    wizard.next.click()
    camera.wait(wizard.next.isEnabled)
    camera.take("tune-check")
    wizard.next.click()
    train = wizard.train
    camera.wait(
        lambda: (
            train.run is not None
            and train.run.steps
            and train.run.step >= TRAINED_SHARE * train.run.steps
        )
    )
    camera.take("tune-train")
    window.tune.show_section("runs")
    camera.rest(1)
    camera.take("tune")
    window.tune.open_run(tunings.runs[0])
    camera.wait(wizard.next.isEnabled)
    wizard.next.click()
    camera.wait(lambda: len(wizard.compare.cards()) >= 4 and not wizard.compare.busy())
    window.notice_bar.hide()
    camera.rest(0.5)
    camera.take("tune-compare")
    wizard.next.click()
    camera.wait(wizard.next.isEnabled)
    camera.take("tune-save")
    wizard.next.click()
    camera.wait(lambda: any(card.enabled for card in tunings.adapters))
    camera.rest(1)
    window.notice_bar.hide()
    camera.take("adapters")


def write_logbook(path: Path) -> None:
    """A table of examples: an entry, and what it is about."""
    places = itertools.product(WHEN, WHAT)
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("entry", "label"))
        for when, what in places:
            for about, forms in LOGBOOK.items():
                form = forms[(len(when) + len(what)) % len(forms)]
                table.writerow((form.format(when=when, what=what), about))


def photograph_library(camera: Photographer, sample: Path) -> None:
    """A library that follows its folder, with a scan just put there; the palette over it."""
    app, window = camera.app, camera.app.window
    app.preferences.scan_seconds_per_file = 0
    app.preferences.save()
    scan(sample / "visitors-1931.pdf")
    library = app.state.libraries[0].id
    window.open_files(library)
    window.library.sort_by("modified")
    camera.wait(lambda: any(row.scan_pages for _, row in window.library.model.loaded()))
    camera.wait(lambda: not app.state.readings)
    camera.rest(2)
    window.notice_bar.hide()
    camera.take("library")
    window.open_palette()
    palette = window.findChild(Palette)
    assert palette is not None
    palette.field.setText("vis")
    camera.rest(1)
    camera.take("palette")
    palette.close()


def scan(path: Path) -> None:
    """A page that holds a picture of text and no text."""
    page = Image.new("L", (1240, 1754), 250)
    font = ImageFont.load_default(34)
    for at, line in enumerate(SCANNED * 6):
        ImageDraw.Draw(page).text((140, 160 + 62 * at), line, 30, font)
    page.save(path, resolution=150)


def photograph_reading(camera: Photographer, reading: Reading) -> None:
    """The page of a library while it is read."""
    state = camera.app.state
    camera.app.window.notice_bar.hide()
    camera.wait(lambda: reading not in state.readings or (reading.library_id and reading.eta_s))
    camera.take("indexing")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--model", default="", help="a GGUF file to answer with")
    parser.add_argument(
        "--large", default="", help="a folder that takes long, for the progress"
    )
    parser.add_argument("--only", default="", choices=("", "origins", "tuning"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="whetstone-") as kept:
        # A copy under a plain name: no path of the machine it was made on is in the picture.
        sample = Path(kept) / "Field station"
        shutil.copytree(resources_dir() / "sample", sample)
        home = Path(kept) / "home"
        home.mkdir()
        os.environ["WHETSTONE_HOME"] = str(home)
        photograph(
            options.folder,
            sample,
            home,
            options.question,
            options.model,
            options.large,
            options.only,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
