from __future__ import annotations

import datetime
import fnmatch
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.library.filtering import common_pieces, condition, path_matcher
from engine.work.api import Filter

DAY_NS = 86_400 * 10**9
names = st.text("abB.", min_size=1, max_size=4)
globs = st.text("abB.*?[]!-", min_size=1, max_size=5)
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
patterns = st.tuples(
    st.sampled_from(["", "/"]), st.lists(st.one_of(names, globs, st.just("**")), max_size=4)
).map(lambda made: made[0] + "/".join(made[1]))


def matches(pattern: str, path: str) -> bool:
    """The rule, spelled out: some folder of the path, or the file, meets the whole pattern."""
    parts = path.split("/")[1:]
    wanted = pattern.rstrip("/").split("/")
    if pattern.startswith("/"):
        return any(fits(wanted[1:], parts[:end]) for end in range(1, len(parts) + 1))
    starts = range(len(parts))
    return any(
        fits(wanted, parts[start:end])
        for start in starts
        for end in range(start + 1, len(parts) + 1)
    )


def fits(wanted: list[str], parts: list[str]) -> bool:
    if not wanted:
        return not parts or len(parts) > 0
    first, *others = wanted
    if first == "**":
        least = 0 if others else 1
        return any(fits(others, parts[n:]) for n in range(least, len(parts) + 1)) and (
            bool(others) or bool(parts)
        )
    return bool(parts) and fnmatch.fnmatchcase(parts[0], first) and fits_exactly(others, parts)


def fits_exactly(others: list[str], parts: list[str]) -> bool:
    return fits(others, parts[1:]) if others else len(parts) == 1


# "/." and "/.." are names for "/", and resolved before anything is matched.
@given(pattern=patterns.filter(lambda text: not {".", ".."} & set(text.split("/"))), path=paths)
@example(pattern="*/**", path="/B")
def test_globs_match_as_the_rule_says(pattern: str, path: str) -> None:
    try:
        passes = path_matcher([pattern], "linux")
    except InvalidInput:
        assert not pattern.strip() or "[" in pattern
        return
    literal = pattern.rstrip("/")
    plainly = f"{path}/".startswith(f"{literal}/") if pattern.startswith("/") else False
    plainly = plainly or (not pattern.startswith("/") and f"/{literal}/" in f"{path}/")
    assert passes(path) == (matches(pattern, path) or plainly)
    pieces = common_pieces([pattern], "linux")
    if passes(path) and pieces:
        assert any(piece.lower() in path.lower() for piece in pieces)


@pytest.mark.parametrize(
    ("patterns", "system", "pieces"),
    [
        (["*.pdf", "/home/ann/contracts"], "linux", (".pdf", "contracts")),
        (["./a", "x[1-3]yz"], "linux", ("a", "x")),
        (["*.pdf", "*"], "linux", ()),
        (["caf\u00e9s"], "linux", ("caf",)),
        (["Users\\Ann\\"], "win32", ("users",)),
    ],
)
def test_what_a_matching_path_must_hold(
    patterns: list[str], system: str, pieces: tuple[str, ...]
) -> None:
    assert common_pieces(patterns, system) == pieces


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/home/ann/contracts", "/home/ann/contracts/2024/offer.pdf", True),
        ("/home/ann/contracts/", "/home/ann/contracts/offer.pdf", True),
        ("/home/ann/contracts", "/home/ann/contracts-old/offer.pdf", False),
        ("/home/ann/contracts/offer.pdf", "/home/ann/contracts/offer.pdf", True),
        ("contracts", "/home/ann/contracts/2024/offer.pdf", True),
        ("ann/contracts", "/home/ann/contracts/2024/offer.pdf", True),
        ("./contracts", "/home/ann/contracts/2024/offer.pdf", True),
        ("offer.pdf", "/home/ann/contracts/offer.pdf", True),
        ("fer.pdf", "/home/ann/contracts/offer.pdf", False),
        ("*.pdf", "/home/ann/contracts/offer.pdf", True),
        ("*.pdf", "/home/ann/contracts/offer.pdf.txt", False),
        ("*.PDF", "/home/ann/contracts/offer.pdf", False),
        ("contracts/*", "/home/ann/contracts/2024/offer.pdf", True),
        ("contracts/*.pdf", "/home/ann/contracts/2024/offer.pdf", False),
        ("contracts/**/*.pdf", "/home/ann/contracts/2024/05/offer.pdf", True),
        ("contracts/**/*.pdf", "/home/ann/contracts/offer.pdf", True),
        ("/**/2024", "/home/ann/contracts/2024/offer.pdf", True),
        ("/", "/a", True),
        ("**", "/a", True),
        ("20[0-2]?", "/a/2024/b.txt", True),
        ("20[!0-2]?", "/a/2024/b.txt", False),
        ("notes [old]", "/a/notes [old]/b.txt", True),
        ("a[b", "/a/a[b/c", True),
        ("[[]*", "/a/[b", True),
        ("a*b", "/x/a\nb", True),
        ("a", "/x/a\n", False),
        ("caf\u00e9", "/x/cafe\u0301/y", True),
        ("cafe\u0301", "/x/caf\u00e9/y", True),
        ("a\\b", "/x/a\\b", True),
        ("a\\b", "/x/a/b", False),
    ],
)
def test_paths_on_linux(pattern: str, path: str, expected: bool) -> None:
    assert path_matcher([pattern], "linux")(path) is expected


@pytest.mark.parametrize(
    ("system", "pattern", "path", "expected"),
    [
        ("win32", "C:\\Users\\Ann", r"c:\users\ann\Offer.PDF", True),
        ("win32", "C:/Users/Ann", r"C:\Users\Ann\Offer.PDF", True),
        ("win32", "users/*/*.pdf", r"C:\Users\Ann\Offer.PDF", True),
        ("win32", "Users\\Ann", r"C:\Users\Annette\Offer.PDF", False),
        ("win32", "C:\\", r"C:\Users", True),
        ("win32", "\\\\server\\share", r"\\server\share\a.txt", True),
        ("win32", "STRASSE", "C:\\straße\\a.txt", True),
        ("win32", "[A-C]*.txt", r"D:\b.txt", True),
        ("darwin", "/users/ANN", "/Users/Ann/Offer.pdf", True),
        ("darwin", "É", "/Users/e\u0301/a", True),
        ("darwin", "a\\b", "/x/a/b", False),
    ],
)
def test_case_and_separators_of_other_systems(
    system: str, pattern: str, path: str, expected: bool
) -> None:
    assert path_matcher([pattern], system)(path) is expected


def test_any_of_several_paths_will_do() -> None:
    passes = path_matcher(["/a/b", "*.txt", "c d"], "linux")
    assert [passes(p) for p in ("/a/b/x", "/y/z.txt", "/y/c d/e", "/y/c/d")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_link_on_the_way_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    shown = os.path.realpath(tmp_path / "real") + "/a.txt"
    assert path_matcher([str(tmp_path / "link")])(shown)


def test_names_that_are_not_utf8_match_as_they_are_shown() -> None:
    assert path_matcher([os.fsdecode(b"caf\xe9")])(r"/x/caf\xe9/a.txt")
    assert not path_matcher(["\ud800"])("/x/a")


@pytest.mark.parametrize(
    "evil", ["*a" * 60 + "b", "/".join(["**", "a*"] * 40) + "/b", "?*" * 100 + "x"]
)
def test_no_pattern_takes_long(evil: str) -> None:
    passes = path_matcher([evil], "linux")
    start = time.process_time()
    passes("/" + "a" * 250)
    passes("/a" * 1000)
    assert time.process_time() - start < 5  # a backtracking matcher needs years


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"paths": [" "]}, "empty"),
        ({"paths": ["a\x00b"]}, "empty"),
        ({"paths": ["x" * 5000]}, "5000 characters"),
        ({"paths": ["a"] * 300}, "300 paths"),
        ({"paths": ["[ab*"]}, "without its ]"),
        ({"paths": ["[z-a]*"]}, "z-a"),
        ({"types": [""]}, "no type"),
        ({"types": ["a/b"]}, "no type"),
        ({"since": "yesterday"}, "not a date"),
        ({"until": "2024-13"}, "not a date"),
        ({"until": "2024-02-30"}, "not a date"),
        ({"since": "2024-02-01T25:00"}, "not a date"),
        ({"since": "0000"}, "not a date"),
        ({"since": "2024-05-02", "until": "2024-05-01"}, "No file can be"),
    ],
)
def test_what_says_nothing_is_refused_with_a_hint(wanted: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        condition(Filter.model_validate(wanted))
    assert refused.value.hint or "allowed" in refused.value.message


def test_an_empty_filter_is_no_condition() -> None:
    assert condition(Filter()) is None


def test_types_are_kinds_or_suffixes() -> None:
    made = condition(Filter(types=["PDF", ".Txt", "*.md", "Spreadsheet"]))
    assert made is not None
    assert made.kinds == ("pdf", "spreadsheet")
    assert made.suffixes == (".pdf", ".txt", ".md", ".spreadsheet")


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("needs a system whose time zone a process can set")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def ns(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp()) * 10**9


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("since", "until", "first", "end"),
    [
        ("2024-05-31", "2024-05-31", "2024-05-31T00:00+02:00", "2024-06-01T00:00+02:00"),
        ("2024-03-31", "2024-03-31", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"),
        ("2024", "2024", "2024-01-01T00:00+01:00", "2025-01-01T00:00+01:00"),
        ("2023", "2023", "2023-01-01T00:00+01:00", "2024-01-01T00:00+01:00"),
        ("2024-02", "2024-12", "2024-02-01T00:00+01:00", "2025-01-01T00:00+01:00"),
        (
            "2024-05-31T14:00",
            "2024-05-31T14:00:01Z",
            "2024-05-31T14:00+02:00",
            "2024-05-31T14:00:01Z",
        ),
    ],
)
def test_dates_are_days_of_this_computer(since: str, until: str, first: str, end: str) -> None:
    made = condition(Filter(since=since, until=until))
    assert made is not None
    assert (made.since_ns, made.until_ns) == (ns(first), ns(end))


def test_the_ends_of_the_calendar() -> None:
    made = condition(Filter(since="0001-01-01", until="9999-12-31"))
    assert made is not None
    assert made.since_ns is not None
    assert made.until_ns is not None
    assert made.since_ns < -2000 * 365 * DAY_NS // 10
    assert made.until_ns == 2**63 - 1
