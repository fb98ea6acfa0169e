from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.scope import Scope
from desktop.strings import english
from engine.work.api import AskSpec, SearchSpec

words = st.text(max_size=12)
scopes = st.builds(
    Scope,
    libraries=st.lists(words, max_size=3).map(tuple),
    paths=st.lists(words, max_size=3).map(tuple),
    file_ids=st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
    types=st.lists(words, max_size=3).map(tuple),
    since=words,
    until=words,
    preset=st.none() | words,
    mode=st.none() | st.sampled_from(sorted(english.MODES)),
)


@given(scopes)
def test_a_scope_survives_the_settings_file(scope: Scope) -> None:
    assert Scope.from_json(json.loads(json.dumps(scope.to_json()))) == scope


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    )
    | st.fixed_dictionaries(
        {
            name: st.one_of(
                st.none(), words, st.lists(st.one_of(words, st.integers(), st.none()))
            )
            for name in (
                "libraries",
                "paths",
                "file_ids",
                "types",
                "since",
                "preset",
                "mode",
                "names",
            )
        }
    )
)
def test_a_damaged_settings_file_gives_a_scope_all_the_same(data: object) -> None:
    scope = Scope.from_json(data)
    assert Scope.from_json(json.loads(json.dumps(scope.to_json()))) == scope
    scope.parts()


def test_every_condition_is_a_chip_and_can_be_lifted() -> None:
    scope = Scope(
        ("a", "b"), ("/x/contracts", "*.pdf"), (7, 8), ("PDF",), "2026-05-03", "2026-06-01"
    )
    texts = [part.text for part in scope.parts()]
    assert texts == [
        "contracts",
        "*.pdf",
        english.FILTER_ONE_FILE,
        english.FILTER_ONE_FILE,
        "PDF",
        "since 3 May 2026",
        "until 1 Jun 2026",
    ]
    for part in list(scope.parts()):
        scope = scope.without(part)
    assert not scope.filtered
    assert scope.libraries == ("a", "b")


def test_one_file_takes_the_place_of_every_other_condition() -> None:
    scope = Scope(("a", "b"), types=("PDF",), since="2026-01-01", preset="p")
    only = scope.only_file("b", 3, "/x/plan.docx")
    assert only.params() == {
        "library": "b",
        "filter": {"paths": [], "file_ids": [3], "types": [], "since": "", "until": ""},
    }
    assert [part.text for part in only.parts()] == ["plan.docx"]
    assert only.preset == "p"
    assert scope.only_folder("", "/x").params()["libraries"] == ["b"]


@pytest.mark.parametrize("scope", [Scope(), Scope(("a",)), Scope(("a", "b"), types=("PDF",))])
def test_what_is_sent_is_what_the_engine_takes(scope: Scope) -> None:
    AskSpec.model_validate({"question": "?", **scope.params()})
    if scope.libraries:
        SearchSpec.model_validate({"query": "?", **scope.params()})
    else:
        assert scope.params() == {}
