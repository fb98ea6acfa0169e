"""Which models can be trained: known from a GGUF header, without torch."""

from __future__ import annotations

from engine.models.gguf import GgufHeader

FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3"})
"""Architectures that transformers reads from GGUF and whose adapters llama.cpp applies."""


def why_untrainable(header: GgufHeader) -> str:
    """Why a model cannot be trained, as a sentence; "" when it can."""
    if header.kind != "model":
        return "This file is not a whole model."
    if header.architecture not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        return (
            f"Models of the architecture {header.architecture[:40]!r} cannot be tuned; "
            f"those that can are: {known}."
        )
    return ""
