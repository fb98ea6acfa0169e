"""GGUF headers: good ones are read, bad ones are refused, none hurts this process."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelUnavailable
from engine.models.gguf import GgufHeader, check_usable, read_header
from tests.models import TOKENS, write_tiny_gguf


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_header_is_read(tiny: Path) -> None:
    header = read_header(tiny)
    assert header.architecture == "llama"
    assert header.name == "Tiny test model"
    assert header.license == "apache-2.0"
    assert (header.layers, header.width, header.heads, header.kv_heads) == (2, 64, 4, 2)
    assert header.key_length == header.value_length == 16
    assert header.vocabulary == len(TOKENS)
    assert header.context == 2048
    assert header.quantization == "F32"
    assert header.size_bytes == tiny.stat().st_size
    assert header.tensor_bytes == header.parameters * 4
    assert "<|im_start|>" in header.chat_template
    check_usable(header)
    assert GgufHeader.from_dict(header.to_dict()) == header


def test_the_starter_model_is_read(starter: Path) -> None:
    header = read_header(starter / "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert header.quantization == "Q4_1"
    assert header.parameters == 134_515_008
    assert (header.layers, header.context) == (30, 8192)


def test_the_reader_agrees_with_the_gguf_package(starter: Path) -> None:
    gguf = pytest.importorskip("gguf")
    path = starter / "SmolLM2-135M-Instruct.Q4_1.gguf"
    theirs = gguf.GGUFReader(path)
    ours = read_header(path)
    assert ours.tensor_bytes == sum(tensor.n_bytes for tensor in theirs.tensors)
    assert ours.parameters == sum(tensor.n_elements for tensor in theirs.tensors)
    assert ours.vocabulary == len(theirs.fields["tokenizer.ggml.tokens"].data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"PK\x03\x04" + bytes(100),
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62) + b"key",
        # an array of arrays of arrays: nesting without end
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, 1)
        + struct.pack("<Q", 1)
        + b"k"
        + struct.pack("<I", 9)
        + struct.pack("<IQ", 9, 1) * 2000,
        # an array that claims more items than the file has bytes
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, 1)
        + struct.pack("<Q", 1)
        + b"k"
        + struct.pack("<I", 9)
        + struct.pack("<IQ", 10, 8_000_000),
    ],
)
def test_rubbish_is_refused_with_a_reason(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelUnavailable) as caught:
        read_header(path)
    assert caught.value.message


def test_a_fifo_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.gguf"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "missing.gguf"):
        with pytest.raises(ModelUnavailable):
            read_header(path)


def test_a_file_cut_short_is_refused(tiny: Path, tmp_path: Path) -> None:
    data = tiny.read_bytes()
    for length in (24, 100, 5_000, len(data) // 2, len(data) - 4_096):
        path = tmp_path / "cut.gguf"
        path.write_bytes(data[:length])
        with pytest.raises(ModelUnavailable):
            read_header(path)


def test_what_is_not_a_model_is_refused(tiny: Path) -> None:
    good = read_header(tiny).to_dict()
    for change in (
        {"layers": 0},
        {"vocabulary": 0},
        {"kind": "adapter"},
        {"architecture": "clip"},
        {"tensor_bytes": 0},
    ):
        with pytest.raises(ModelUnavailable):
            check_usable(GgufHeader.from_dict({**good, **change}))


def test_seeded_mutations_of_the_header_never_surprise(tiny: Path, tmp_path: Path) -> None:
    """200 headers with bytes changed: each is read or refused with a reason, nothing else."""
    data = tiny.read_bytes()
    header_end = data.index(b"blk.1.ffn_down.weight") + 60
    chance = random.Random(20)
    refused = 0
    for _ in range(200):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(4, header_end)
            changed[at] = chance.choice([0, 0xFF, 0x7F, chance.randrange(256)])
        path = tmp_path / "mutant.gguf"
        path.write_bytes(changed)
        try:
            header = read_header(path)
        except ModelUnavailable:
            refused += 1
        else:
            assert header.tensor_bytes <= len(data)
    assert refused > 20


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=400), tensors=st.integers(0, 2**64 - 1), keys=st.integers(0, 9))
def test_any_bytes_are_read_or_refused(
    tmp_path: Path, body: bytes, tensors: int, keys: int
) -> None:
    path = tmp_path / "any.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + body)
    try:
        read_header(path)
    except ModelUnavailable:
        pass
