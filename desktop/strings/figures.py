"""Numbers, sizes, times and places as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def count(number: int, one: str, many: str) -> str:
    """ "1 file", "1,038 files"."""
    return f"{number:,} {one if number == 1 else many}"


def size(size_bytes: float) -> str:
    """Bytes as the file manager says them: "940 bytes", "3.4 MB", "1.1 GB"."""
    value, unit = float(size_bytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return f"{value:.0f} {'byte' if value == 1 else 'bytes'}"
    shown = f"{value:.1f}".removesuffix(".0") if value < 99.95 else f"{value:.0f}"
    return f"{shown} {_UNITS[unit]}"


def parameters(number: int) -> str:
    """Model size: "135 million", "1.5 billion"; empty when unknown."""
    if number <= 0:
        return ""
    if number >= 999_500_000:
        return f"{number / 1e9:.1f}".removesuffix(".0") + " billion"
    return f"{number / 1e6:.0f} million"


def seconds(value_s: float) -> str:
    """A short duration: "0.4 s", "6.2 s", "48 s", "3 min 20 s"."""
    if value_s < 9.95:
        return f"{value_s:.1f} s"
    if value_s < 59.5:
        return f"{value_s:.0f} s"
    minutes, rest = divmod(round(value_s), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def time_left(eta_s: float | None) -> str:
    """An estimate that does not pretend: "about 4 minutes left"; empty while unknown."""
    if eta_s is None:
        return ""
    return f"{about(eta_s)} left"


def about(value_s: float) -> str:
    """A duration that is only estimated: "a few seconds", "about 4 minutes"."""
    if value_s < 8:
        return "a few seconds"
    if value_s < 52:
        return f"about {5 * max(2, round(value_s / 5))} seconds"
    if value_s < 90:
        return "about a minute"
    if value_s < 55 * 60:
        return f"about {round(value_s / 60)} minutes"
    hours = value_s / 3600
    return "about an hour" if hours < 1.5 else f"about {round(hours)} hours"


def ago(iso: str, now: datetime | None = None) -> str:
    """How long ago a moment was: "just now", "2 minutes ago", "yesterday 14:02"."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds_past = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds_past < 45:
        return "just now"
    minutes = round(seconds_past / 60)
    if minutes < 60:
        return "a minute ago" if minutes <= 1 else f"{minutes} minutes ago"
    return when(iso, now)


def when(iso: str, now: datetime | None = None) -> str:
    """A moment (UTC, ISO 8601) in the reader's own time: "today 14:02", "3 May 2025"."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone()
    days = (today.date() - local.date()).days
    if days == 0:
        return f"today {local:%H:%M}"
    if days == 1:
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %Y}"


def day(iso: str) -> str:
    """A date as people say it: "3 May 2025"; what is no date stays as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso[:40]
    return f"{moment.day} {moment:%b %Y}"


def percent(done: float, total: float) -> int:
    """Whole percent of `total`, never 100 before the end."""
    if total <= 0:
        return 0
    return 100 if done >= total else max(0, min(99, int(100 * done / total)))
