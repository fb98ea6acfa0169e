from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import settings
from engine.errors import StorageDamaged
from engine.paths import Home
from engine.settings import Settings, load_settings, save_settings


def test_defaults_when_there_is_no_file(tmp_path: Path) -> None:
    assert load_settings(Home(tmp_path)) == Settings()


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_text('{"version": 1, "theme": "dark", "from_the_future": [1, 2]}')
    save_settings(home, load_settings(home))
    assert json.loads(home.settings.read_text())["from_the_future"] == [1, 2]


@given(raw=st.binary(max_size=80))
def test_any_bytes_give_settings_and_are_kept_aside(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    home.settings.write_bytes(raw)
    assert load_settings(home) == Settings()
    assert (home.backups / "settings-unreadable.json").read_bytes() == raw


def test_a_newer_file_is_refused_and_untouched(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_text('{"version": 99}')
    with pytest.raises(StorageDamaged, match="newer version"):
        load_settings(home)
    assert home.settings.read_text() == '{"version": 99}'


def test_an_older_file_is_migrated_after_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.settings.write_text('{"version": 1, "theme": "dark"}')
    monkeypatch.setattr(settings, "SETTINGS_VERSION", 2)
    monkeypatch.setitem(
        settings._MIGRATIONS, 1, lambda data: {**data, "version": 2, "passages": 3}
    )
    assert load_settings(home).passages == 3
    assert json.loads((home.backups / "settings-v1.json").read_text())["version"] == 1
