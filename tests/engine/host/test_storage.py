from __future__ import annotations

import os
from pathlib import Path

from engine.host.storage import measure
from engine.paths import Home
from engine.store.db import Store


def parts(home: Home) -> dict[str, int]:
    return {part.name: part.size_bytes for part in measure(home).parts}


def on_disk(root: Path) -> int:
    files = [Path(folder) / name for folder, _, names in os.walk(root) for name in names]
    return sum(os.lstat(file).st_size for file in files if not file.is_symlink())


def test_every_file_counts_in_one_part(home: Home) -> None:
    store = Store(home)
    (home.library("a") / "1").mkdir(parents=True)
    (home.library("a") / "1" / "x").write_bytes(b"x" * 1000)
    (home.models / "m.gguf").write_bytes(b"m" * 2000)
    (home.root / "scans" / "s").write_bytes(b"s" * 300)
    (home.logs / "l").write_bytes(b"l" * 40)
    (home.quarantine / "q").write_bytes(b"q" * 5)
    copies = on_disk(home.backups)
    home.settings.write_bytes(b"{}")
    (home.root / "strange").mkdir()
    (home.root / "strange" / "y").write_bytes(b"y" * 7)
    (home.root / "link").symlink_to(home.models / "m.gguf")
    found = parts(home)
    assert copies > 0
    assert found == {
        "libraries": 1000,
        "conversations": sum(f.stat().st_size for f in home.root.glob("whetstone.db*")),
        "models": 2000,
        "scans": 300,
        "states": 0,
        "logs": 45,
        "other": copies + 9,
    }
    assert sum(found.values()) == on_disk(home.root)
    store.close()


def test_nothing_is_made_by_measuring(tmp_path: Path) -> None:
    home = Home(tmp_path / "never")
    assert sum(parts(home).values()) == 0
    assert not home.root.exists()
