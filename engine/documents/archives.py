"""Zip containers are judged by their directory before a single byte is unpacked."""

from __future__ import annotations

import io
import zipfile

from engine.errors import UnreadableDocument

MAX_MEMBERS = 10_000
MAX_EXPANDED_BYTES = 512 << 20
MAX_RATIO = 200
"""Text compresses 3 to 20 times; hundreds of times only a bomb does (or an empty page)."""
RATIO_MATTERS_FROM_BYTES = 20 << 20
MAX_PART_BYTES = 128 << 20


def open_archive(data: bytes) -> zipfile.ZipFile:
    """A zip file whose directory promises nothing outrageous.

    Raises:
        UnreadableDocument: damaged, encrypted, or a bomb by its own directory.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableDocument(
            "The file is damaged or is not what its name says.", details=str(error)
        ) from error
    expanded = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if len(members) > MAX_MEMBERS:
        raise UnreadableDocument("The file holds too many parts to be an ordinary document.")
    if expanded > MAX_EXPANDED_BYTES or (
        expanded > RATIO_MATTERS_FROM_BYTES and expanded > packed * MAX_RATIO
    ):
        raise UnreadableDocument("The file would unpack to an outrageous size.")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableDocument("The file is protected by a password.")
    return archive


def read_part(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """One part, never more of it than the directory promised; None when it is not there.

    Raises:
        UnreadableDocument: the part is damaged or too large.
    """
    try:
        member = archive.getinfo(name)
    except KeyError:
        return None
    if member.file_size > MAX_PART_BYTES:
        raise UnreadableDocument("A part of the file is too large to be read.")
    try:
        with archive.open(member) as stream:
            data = stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise UnreadableDocument("The file is damaged.", details=str(error)) from error
    except Exception as error:  # zlib.error has no common base with the others
        raise UnreadableDocument("The file is damaged.", details=str(error)) from error
    if len(data) > member.file_size:
        raise UnreadableDocument("A part of the file is larger than it says.")
    return data
