"""A model file without its tokens, for transformers to read.

transformers parses every token and merge of the vocabulary in Python, three times over, which
takes far longer than the weights. Training needs none of them: llama.cpp tokenizes.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import BinaryIO

from engine.errors import ModelUnavailable
from engine.files import open_regular, storage_error
from engine.models.gguf import read_contents

_UINT32, _STRING, _ARRAY = 4, 8, 9
_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_COPY_BYTES = 8 << 20


def write_slim(source: Path, out: Path) -> None:
    """Copy a model file without the arrays and the chat template of its tokenizer.

    The vocabulary's size, which transformers else counts, is written in their place.

    Raises:
        ModelUnavailable: the file is damaged or gone.
        StorageFull: no room.
    """
    contents = read_contents(source)  # checks every length that is relied on below
    size_key = f"{contents.header.architecture}.vocab_size"
    try:
        with open_regular(source) as stream, out.open("xb") as target:
            stream.seek(contents.keys_begin)
            kept = [
                span for name, span in _keys(stream, contents.keys) if not _is_bulk(name, span)
            ]
            if size_key not in contents.values:
                name = size_key.encode()
                number = struct.pack("<II", _UINT32, contents.header.vocabulary)
                kept.append(struct.pack("<Q", len(name)) + name + number)
            alignment = int(contents.values.get("general.alignment", 32))
            target.write(b"GGUF" + struct.pack("<IQQ", 3, len(contents.tensors), len(kept)))
            target.writelines(kept)
            target.write(_places(stream, len(contents.tensors)))
            stream.seek(-stream.tell() % alignment, os.SEEK_CUR)
            target.write(bytes(-target.tell() % alignment))
            shutil.copyfileobj(stream, target, _COPY_BYTES)
    except OSError as error:
        raise storage_error(error, out) from error


def _is_bulk(name: str, span: bytes) -> bool:
    """Whether a key is one of the tokenizer's arrays or its template."""
    if not name.startswith("tokenizer."):
        return False
    (kind,) = struct.unpack_from("<I", span, 8 + len(name.encode()))
    return kind == _ARRAY or name.startswith("tokenizer.chat_template")


def _keys(stream: BinaryIO, count: int) -> list[tuple[str, bytes]]:
    """Each key's name and all its bytes."""
    found: list[tuple[str, bytes]] = []
    for _ in range(count):
        begin = stream.tell()
        name = _take(stream, _number(stream, "Q")).decode()
        _skip(stream, _number(stream, "I"))
        end = stream.tell()
        stream.seek(begin)
        found.append((name, _take(stream, end - begin)))
    return found


def _skip(stream: BinaryIO, kind: int) -> None:
    """Go past a value."""
    if kind == _STRING:
        stream.seek(_number(stream, "Q"), os.SEEK_CUR)
    elif kind != _ARRAY:
        stream.seek(_BYTES[kind], os.SEEK_CUR)
    else:
        item, count = _number(stream, "I"), _number(stream, "Q")
        if item in _BYTES:
            stream.seek(_BYTES[item] * count, os.SEEK_CUR)
            return
        for _ in range(count):
            _skip(stream, item)


def _places(stream: BinaryIO, count: int) -> bytes:
    """The bytes that say where the tensors lie; relative to where they begin, so they hold."""
    begin = stream.tell()
    for _ in range(count):
        stream.seek(_number(stream, "Q"), os.SEEK_CUR)
        sides = _number(stream, "I")
        stream.seek(8 * sides + 4 + 8, os.SEEK_CUR)
    end = stream.tell()
    stream.seek(begin)
    return _take(stream, end - begin)


def _number(stream: BinaryIO, kind: str) -> int:
    form = struct.Struct(f"<{kind}")
    return int(form.unpack(_take(stream, form.size))[0])


def _take(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise ModelUnavailable("This model file is shorter than it was a moment ago.")
    return data
