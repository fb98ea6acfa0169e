"""Models small enough to train in a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import write_tiny_gguf


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama of two layers with a ChatML template."""
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
