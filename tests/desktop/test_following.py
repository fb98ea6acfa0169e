"""Libraries follow the disk: where each stands is said, and small changes make no noise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desktop import state as state_module
from desktop.strings import english
from desktop.widgets.following_line import following_words
from desktop.widgets.reading_bar import ReadingBar
from engine.work import api
from tests.desktop.conftest import Opener, lines


def view(**more: Any) -> api.LibraryView:
    """A library that stands as `more` says."""
    return api.LibraryView.model_validate(
        {
            "id": "lib1",
            "name": "Papers",
            "roots": ["/papers"],
            "files": 10,
            "skipped": 0,
            "waiting": 0,
            "passages": 100,
            "size_bytes": 1000,
            "state": "ready",
            "embedder": "x",
            "updated_at": "",
            "agreed_at": (datetime.now(UTC) - timedelta(minutes=2)).isoformat(),
            **more,
        }
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"following": "live"}, "Up to date · agreed with the disk 2 minutes ago"),
        (
            {"following": "live", "pending_passages": 1240},
            "Up to date · agreed with the disk 2 minutes ago · "
            "1,240 passages still to be understood",
        ),
        (
            {"following": "live", "waiting": 3},
            "3 files to be read next · agreed with the disk 2 minutes ago",
        ),
        (
            {"following": "scanning", "following_reason": "It is on a network drive."},
            "It is on a network drive · agreed with the disk 2 minutes ago",
        ),
        ({"following": "paused"}, "Paused · agreed with the disk 2 minutes ago"),
        (
            {"following": "live", "following_reason": "The disk is full."},
            "The disk is full · agreed with the disk 2 minutes ago",
        ),
        (
            {"following": "lost", "following_reason": "/x cannot be reached.", "agreed_at": ""},
            "/x cannot be reached · not yet compared with the disk",
        ),
        (
            {"following": "off"},
            "Changes on the disk are not followed · agreed with the disk 2 minutes ago",
        ),
    ],
)
def test_a_library_says_where_it_stands(more: dict[str, Any], said: str) -> None:
    assert following_words(view(**more), busy=False)[2] == said


def test_the_window_has_the_engine_follow_and_shows_it(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.library
    qtbot.waitUntil(lambda: app.state.libraries[0].following == "live", timeout=10_000)
    app.window.open_files("lib1")
    assert page.head.following.text().startswith("Up to date · agreed with the disk just now")
    app.window.open_files("lib2")
    assert "every 5 minutes · agreed with the disk" in page.head.following.text()
    app.window.open_files("lib3")
    assert page.head.following.text().startswith(
        "The folder /media/usb/Contracts cannot be reached · agreed with the disk"
    )


def test_pausing_and_going_on(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    line = app.window.library.head.following
    qtbot.waitUntil(lambda: app.state.libraries[0].following == "live", timeout=10_000)
    app.window.open_files("lib1")
    assert not line.resume.isVisible()
    line.pause.click()
    qtbot.waitUntil(line.resume.isVisible, timeout=10_000)
    assert line.text().startswith("Paused")
    assert not line.pause.isVisible()
    line.resume.click()
    qtbot.waitUntil(line.pause.isVisible, timeout=10_000)


def test_a_reading_of_the_users_is_paused_and_says_so(open_app: Opener, qtbot: Any) -> None:
    app = open_app(STEPS="2000")
    reading = app.state.rescan("lib1")
    qtbot.waitUntil(lambda: reading.done > 2, timeout=10_000)
    bar = app.window.findChildren(ReadingBar)[0]
    bar.pause.click()
    qtbot.waitUntil(lambda: not app.state.readings, timeout=10_000)
    assert lines(app)[-1] == english.INDEX_PAUSED.format(name="Clinic protocols")
    qtbot.waitUntil(lambda: app.state.libraries[0].following == "paused", timeout=10_000)
    app.window.rescan("lib1")  # looking again at a paused library is going on with it
    qtbot.waitUntil(lambda: app.state.libraries[0].following == "live", timeout=10_000)


def test_a_run_nobody_asked_for_shows_its_progress_when_it_lasts(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(EVENTS="2000", EVENT_S="0.02")
    assert app.state.readings == []
    qtbot.waitUntil(lambda: bool(app.state.readings), timeout=10_000)
    reading = app.state.readings[0]
    assert reading.library_id == "lib1"
    app.window.open_files("lib1")
    bar = app.window.library._reading_place.itemAt(0).widget()
    qtbot.waitUntil(lambda: "%" in bar.line() and "left" in bar.line(), timeout=5_000)
    assert not app.window.library.head.scan.isEnabled()
    bar.pause.click()
    qtbot.waitUntil(lambda: not app.state.readings, timeout=10_000)
    assert lines(app) == []


def test_a_short_run_leaves_a_quiet_line_and_no_notice(open_app: Opener, qtbot: Any) -> None:
    app = open_app(EVENTS="3")
    shown: list[int] = []
    app.state.readings_changed.connect(lambda: shown.append(len(app.state.readings)))
    qtbot.waitUntil(lambda: app.state.read_lately("lib1")[0] == 3, timeout=10_000)
    app.window.open_files("lib1")
    qtbot.waitUntil(
        lambda: "3 files read just now" in app.window.library.head.following.text(),
        timeout=10_000,
    )
    assert lines(app) == []
    assert not any(shown)


def test_a_long_run_says_how_it_ended(
    open_app: Opener, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "LOUD_S", 0.0)
    app = open_app(EVENTS="5")
    qtbot.waitUntil(lambda: bool(lines(app)), timeout=10_000)
    assert lines(app)[0].startswith("Clinic protocols: 405 files ready in")


def test_the_same_trouble_is_told_once(open_app: Opener, qtbot: Any) -> None:
    app = open_app(EVENTS="2", EVENT_MESSAGE="The folder cannot be reached.")
    qtbot.waitUntil(lambda: bool(lines(app)), timeout=10_000)
    app.state.begin_following()
    qtbot.wait(400)
    assert lines(app) == ["The folder cannot be reached."]


def test_a_host_that_dies_takes_its_runs_along_and_follows_again(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(EVENTS="2000")
    qtbot.waitUntil(lambda: bool(app.state.readings), timeout=10_000)
    with qtbot.waitSignal(app.client.crashed, timeout=20_000):
        app.client.request("ask", {"question": "crash"})
    assert app.state.readings == []
    qtbot.waitUntil(lambda: bool(app.state.readings), timeout=20_000)
