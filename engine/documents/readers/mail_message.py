"""A mail taken apart by the standard library: who wrote when, what, and what came with it.

The parser runs with the compat32 policy and headers are decoded here: the policy "default"
parses every header by grammar, which is slow and raises on some that mail programs show.
"""

from __future__ import annotations

import binascii
import email
import email.policy
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from typing import cast

from engine.documents.readers.text import clean, decode, decode_as
from engine.errors import UnreadableDocument

_BROKEN = (ValueError, LookupError, TypeError, AttributeError, MessageError)
"""What the library raises on parameters (RFC 2231) that nobody should have written."""
_CONTINUED = re.compile(rb"(\w)\*[\d*]*=")
_KNOWN_BY = frozenset({"mime-version", "content-type", "message-id", "received", "return-path"})
HEADERS = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
_MAX_HEADER_CHARACTERS = 5_000
_MAX_NAME_CHARACTERS = 120
_MAX_PARTS = 2_000
_STUB_WORDS = 40
_MARKUP = re.compile(r"<(style|script|title)\b.*?</\1|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_SIGNATURES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)
_NO_WORDS = frozenset(
    {"text/calendar", "text/csv", "text/rtf", "text/xml", "text/vcard", "text/x-vcard"}
)
_SUFFIXES = {"text/calendar": ".ics", "text/plain": ".txt", "message/rfc822": ".eml"}


@dataclass(frozen=True)
class Attachment:
    """Something that came with a mail: bytes under a name, or another mail."""

    name: str
    data: bytes = b""
    mail: Mail | None = None


@dataclass
class Mail:
    """A mail for people."""

    headers: dict[str, str] = field(default_factory=dict[str, str])
    texts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """("plain" | "html", text) in order."""
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    recognised: bool = True
    """Some header says that this is a mail at all."""


def parse_mail(data: bytes) -> Mail:
    """The mail that `data` is, however broken its parts.

    Raises:
        UnreadableDocument: it nests too deeply.
    """
    # NUL has no meaning in a mail, and the library stumbles over it.
    data = data.replace(b"\0", b"")
    try:
        try:
            message = email.message_from_bytes(data, policy=email.policy.compat32)
        except _BROKEN:
            data = _CONTINUED.sub(rb"\1=", data)
            message = email.message_from_bytes(data, policy=email.policy.compat32)
        return _Taker().take(message)
    except RecursionError as error:
        raise UnreadableDocument("The mail is nested too deeply to be read.") from error


class _Taker:
    """Takes messages apart; counts parts, so that a mail of empty parts has an end."""

    def __init__(self) -> None:
        self._parts = 0

    def take(self, message: Message) -> Mail:
        """The mail a message is."""
        mail = Mail(headers=_headers(message))
        names = {name.lower() for name in message}
        mail.recognised = bool(mail.headers or names & _KNOWN_BY)
        self._part(message, mail)
        return mail

    def _part(self, part: Message, mail: Mail) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            return
        kind = part.get_content_type()
        inner = _children(part)
        if kind == "message/rfc822" and inner:
            held = self.take(inner[0])
            name = _file_name(part) or f"{held.headers.get('Subject') or 'mail'}.eml"
            mail.attachments.append(Attachment(name[:_MAX_NAME_CHARACTERS], mail=held))
        elif kind == "multipart/alternative" and inner:
            self._alternative(inner, mail)
        elif inner and kind.startswith("message/"):
            # A delivery report is made of headers alone.
            mail.texts += [("plain", _as_text(one)) for one in inner]
        elif inner:
            for one in inner:
                self._part(one, mail)
        else:
            _leaf(part, kind, mail)

    def _alternative(self, parts: list[Message], mail: Mail) -> None:
        """The same words several times: those without markup are taken, if there are any."""
        ways = [Mail() for _ in parts]
        for part, way in zip(parts, ways, strict=True):
            self._part(part, way)
        most = max(map(_words, ways), default=0)
        spoken = [way for way in ways if _words(way)]
        plain = (
            way
            for way in spoken
            if all(kind == "plain" for kind, _ in way.texts)
            # "Your program cannot show this mail" is no text of a mail.
            and (_words(way) > _STUB_WORDS or _words(way) * 4 > most)
        )
        chosen = next(plain, spoken[-1] if spoken else None)
        if chosen is not None:
            mail.texts += chosen.texts
        for way in ways:
            mail.attachments += way.attachments


def _words(mail: Mail) -> int:
    return sum(len(_MARKUP.sub(" ", text).split()) for _, text in mail.texts)


def _leaf(part: Message, kind: str, mail: Mail) -> None:
    named = _file_name(part)
    # A picture without a name is part of how a mail looks, and so is a style sheet.
    if kind in _SIGNATURES or (not named and (kind == "text/css" or kind.startswith("image/"))):
        return
    payload = _payload(part)
    attached = named or _or_none(part.get_content_disposition) == "attachment"
    # A multipart without its boundary is a leaf, and text as far as one can see.
    if kind.startswith(("text/", "multipart/")) and kind not in _NO_WORDS and not attached:
        text = _decoded(payload, _or_none(part.get_content_charset))
        mail.texts.append(("html" if kind == "text/html" else "plain", text))
    elif payload:
        suffix = _SUFFIXES.get(kind) or mimetypes.guess_extension(kind, strict=False) or ""
        mail.attachments.append(Attachment(named or f"unnamed{suffix}", payload))


def _or_none(read: Callable[[], str | None]) -> str | None:
    """What a message says about itself; None where it says it in a broken way."""
    try:
        return read()
    except _BROKEN:
        return None


def _children(part: Message) -> list[Message]:
    if not part.is_multipart():
        return []
    payload = cast(list[object], part.get_payload())
    return [one for one in payload if isinstance(one, Message)]


def _payload(part: Message) -> bytes:
    """The bytes of a leaf, decoded from its transfer encoding; b"" where there are none."""
    try:
        payload = part.get_payload(decode=True)
    except _BROKEN:
        # Broken parameters of the content type get in the way of bytes, too.
        del part["content-type"]
        payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _as_text(message: Message) -> str:
    lines = [f"{name}: {value}" for name, value in _all_headers(message)]
    body = _payload(message)
    return "\n".join(lines) + ("\n\n" + _decoded(body, None) if body.strip() else "")


def _decoded(data: bytes, charset: str | None) -> str:
    """Text in the charset a part says it has, or in the one it seems to have."""
    text = decode_as(data, charset) if charset else None
    if text is None:
        try:
            text = decode(data) if data.strip() else ""
        except UnreadableDocument:
            text = data.decode("ascii", "ignore")
    return clean(text)


def _all_headers(message: Message) -> list[tuple[str, str]]:
    return [(name, header_text(str(value))) for name, value in message.raw_items()]


def _headers(message: Message) -> dict[str, str]:
    """The headers that people look at, each once, under the names they know."""
    wanted = {name.lower(): name for name in HEADERS}
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        known = wanted.get(name.lower())
        if known and known not in found:
            text = header_text(str(value))
            if text:
                found[known] = text
    return {name: found[name] for name in HEADERS if name in found}


def header_text(raw: str) -> str:
    """A header's words (RFC 2047), whatever bytes stand in it."""
    raw = raw[:_MAX_HEADER_CHARACTERS]
    if not raw.isascii():
        raw = _decoded(raw.encode("utf-8", "surrogateescape"), None)
    words = raw
    if "=?" in raw:
        try:
            words = "".join(_chunk(*chunk) for chunk in decode_header(raw))
        except (HeaderParseError, ValueError, binascii.Error):
            words = raw
    return " ".join(clean(words).split()) or raw.strip()


def _chunk(chunk: bytes | str, charset: str | None) -> str:
    if isinstance(chunk, str):
        return chunk
    return _decoded(chunk, charset) if charset else chunk.decode("latin-1")


def _file_name(part: Message) -> str:
    """The name of an attached file, without folders; "" when it has none."""
    raw = _or_none(part.get_filename)
    name = re.split(r"[\\/]", header_text(raw or ""))[-1].strip(" .\"'")
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _MAX_NAME_CHARACTERS:
        name = stem[: _MAX_NAME_CHARACTERS - 11] + dot + suffix[:10]
    return name
