"""What is installed is what was described: bounds, pins, and the traps they are there for."""

from __future__ import annotations

import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DIRECT = [
    Requirement(line)
    for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])
]
PINS = {
    canonicalize_name(pin.name): pin
    for pin in (
        Requirement(line)
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )
}


@pytest.mark.parametrize("wanted", DIRECT, ids=lambda wanted: wanted.name)
def test_every_direct_dependency_is_pinned_within_its_bounds(wanted: Requirement) -> None:
    pin = next(iter(PINS[canonicalize_name(wanted.name)].specifier))
    assert pin.operator == "=="
    assert wanted.specifier.contains(pin.version)


def test_pins_fit_every_machine() -> None:
    for name, pin in PINS.items():
        assert "+" not in str(pin.specifier), f"{name}: a local version exists here only"
        assert not name.startswith(("nvidia-", "triton")), "PyTorch's CUDA build names these"


def test_the_installation_is_the_one_that_was_pinned() -> None:
    wrong: list[str] = []
    for wanted in DIRECT:
        installed = metadata.version(wanted.name)
        if not PINS[canonicalize_name(wanted.name)].specifier.contains(installed):
            wrong.append(f"{wanted.name} {installed}")
    assert wrong == []


def test_transformers_is_not_one_that_runs_code_from_model_folders() -> None:
    # CVE-2026-4372: before 5.3 trust_remote_code=False could be got round.
    release = tuple(int(part) for part in metadata.version("transformers").split(".")[:2])
    assert release >= (5, 3)
