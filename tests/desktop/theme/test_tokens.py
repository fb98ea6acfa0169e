from __future__ import annotations

import pytest

from desktop.theme.style import disabled, hue, tint
from desktop.theme.tokens import DARK, LIGHT, Tokens, contrast

SURFACES = ("page", "side", "card", "hover", "selected")
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def test_contrast_is_the_one_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@SCHEMES
def test_text_is_legible_on_every_surface_it_is_drawn_on(scheme: Tokens) -> None:
    pairs = [(role, surface) for role in ("text", "muted") for surface in SURFACES]
    pairs += [("text", "bubble"), ("text", "mark"), ("text", "warning_soft")]
    pairs += [("text", "danger_soft"), ("danger", "danger_soft"), ("warning", "warning_soft")]
    tones = ("accent", "good", "warning", "danger")
    pairs += [(tone, surface) for tone in tones for surface in ("page", "card", "side")]
    pairs += [("on_accent", kind) for kind in ("accent", "accent_hover", "accent_pressed")]
    poor = {
        pair: round(contrast(getattr(scheme, pair[0]), getattr(scheme, pair[1])), 2)
        for pair in pairs
        if contrast(getattr(scheme, pair[0]), getattr(scheme, pair[1])) < 4.5
    }
    assert not poor


@SCHEMES
def test_borders_of_controls_can_be_seen(scheme: Tokens) -> None:
    for surface in ("page", "card", "side"):
        assert contrast(scheme.border, getattr(scheme, surface)) >= 3
        assert contrast(scheme.accent, getattr(scheme, surface)) >= 3


@SCHEMES
def test_disabled_text_is_still_there(scheme: Tokens) -> None:
    assert contrast(disabled(scheme), scheme.page) >= 2.3


@SCHEMES
def test_words_are_legible_on_the_colours_of_their_sources(scheme: Tokens) -> None:
    assert len(set(scheme.hues)) == 6
    for at in range(6):
        for weight in range(11):
            ground = tint(scheme, at, weight / 10)
            for role in ("text", "accent"):
                assert contrast(getattr(scheme, role), ground) >= 4.5, (at, weight, role)
            # The ring around a word that is pointed at, and the dots under one.
            assert contrast(hue(scheme, at), ground) >= 3, (at, weight)
            assert contrast(scheme.warning, ground) >= 3, (at, weight)
        for surface in ("card", "page"):
            assert contrast(hue(scheme, at), getattr(scheme, surface)) >= 3


@SCHEMES
def test_a_surer_word_is_coloured_more(scheme: Tokens) -> None:
    for at in range(6):
        grounds = [tint(scheme, at, weight) for weight in (0.0, 0.5, 1.0)]
        seen = [contrast(scheme.page, ground) for ground in grounds]
        assert seen == sorted(set(seen))
        assert seen[0] > 1
    assert tint(scheme, 0, -1) == tint(scheme, 0, 0)
    assert hue(scheme, 7) == hue(scheme, 1)
