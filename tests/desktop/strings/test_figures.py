from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desktop.strings import figures


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (98_362_432, "98.4 MB"),
        (999_960_000, "1 GB"),
        (1_100_000_000, "1.1 GB"),
        (123_000_000_000, "123 GB"),
    ],
)
def test_size(value: int, shown: str) -> None:
    assert figures.size(value) == shown


@pytest.mark.parametrize(
    ("eta_s", "shown"),
    [
        (None, ""),
        (3, "a few seconds left"),
        (22, "about 20 seconds left"),
        (51, "about 50 seconds left"),
        (61, "about a minute left"),
        (240, "about 4 minutes left"),
        (3700, "about an hour left"),
        (9000, "about 2 hours left"),
    ],
)
def test_time_left_does_not_pretend(eta_s: float | None, shown: str) -> None:
    assert figures.time_left(eta_s) == shown


def test_percent_is_never_a_hundred_before_the_end() -> None:
    assert figures.percent(999_999, 1_000_000) == 99
    assert figures.percent(5, 5) == 100
    assert figures.percent(1, 0) == 0


def test_counts_seconds_and_parameters() -> None:
    assert figures.count(1, "file", "files") == "1 file"
    assert figures.count(1038, "file", "files") == "1,038 files"
    assert figures.seconds(6.2) == "6.2 s"
    assert figures.seconds(59.7) == "1 min"
    assert figures.seconds(200) == "3 min 20 s"
    assert figures.parameters(135_000_000) == "135 million"
    assert figures.parameters(1_000_000_000) == "1 billion"
    assert figures.parameters(0) == ""


def test_when_speaks_of_today_and_yesterday() -> None:
    now = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
    assert figures.when(now.isoformat(), now).startswith("today ")
    assert figures.when((now - timedelta(days=1)).isoformat(), now).startswith("yesterday ")
    assert figures.when("2020-03-01T12:00:00", now) == "1 Mar 2020"
    assert figures.when("", now) == ""
