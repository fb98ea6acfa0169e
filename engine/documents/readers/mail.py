"""Mails: EML (RFC 5322, MIME), Apple's EMLX, and mailboxes of them (RFC 4155).

A mail's headers, its text and each attachment are places of their own. An attachment goes
through the reader of its format; one that cannot be read is named with the reason.
"""

from __future__ import annotations

import re
from email.utils import parseaddr

from engine.documents.formats import format_of, refuse_by_name
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.html import add_page
from engine.documents.readers.mail_message import Attachment, Mail, parse_mail
from engine.documents.readers.text import read_text
from engine.documents.types import Document
from engine.errors import UnreadableDocument

MAX_DEPTH = 4
"""Mails within mails; deeper ones are named, not read."""
MAX_ATTACHMENTS = 50
MAX_ATTACHED_BYTES = 60 << 20
"""In one file, and decoded; counted, not timed, so that every reading gives the same text."""
_ENVELOPE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]*\d\d:\d\d[^\r\n]*\r?\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,80}:[ \t]")


def read_mail(data: bytes, name: str) -> Document:
    """One mail; a mailbox under the name of a mail is read as a mailbox.

    Raises:
        UnreadableDocument: no text, or more of it than can be indexed.
    """
    if len(_ENVELOPE.findall(data[:1_000_000])) > 1:
        return read_mailbox(data, name)
    mail = parse_mail(data.lstrip(b"\r\n"))
    writer = _Writer()
    if mail.recognised:
        writer.add(mail)
    if writer.builder.empty:
        return read_text(data, name)
    return writer.builder.document(mail.headers.get("Subject", ""))


def read_apple_mail(data: bytes, name: str) -> Document:
    """A mail as Apple Mail stores it: its length, the mail, a property list.

    Raises:
        UnreadableDocument: no text, or more of it than can be indexed.
    """
    first, _, rest = data.partition(b"\n")
    if first.strip().isdigit():
        data = rest[: int(first.strip()[:12])]
    return read_mail(data, name)


def read_mailbox(data: bytes, name: str) -> Document:
    """A mailbox; each of its mails is a place, "Message 12".

    Raises:
        UnreadableDocument: no text, or more of it than can be indexed.
    """
    found = list(_ENVELOPE.finditer(data))
    if not found:
        return read_mail(data, name)
    writer = _Writer()
    ends = [match.start() for match in found[1:]] + [len(data)]
    for number, (match, end) in enumerate(zip(found, ends, strict=True), 1):
        source = _QUOTED_FROM.sub(rb"\1", data[match.end() : end])
        try:
            mail = parse_mail(source)
        except UnreadableDocument as error:
            mail = Mail(texts=[("plain", error.message)])
        writer.add(mail, f"Message {number}")
    return writer.builder.document("")


def looks_like_mailbox(data: bytes) -> bool:
    """Whether a file without a suffix is a mailbox, as mail programs on Unix name them."""
    envelope = _ENVELOPE.match(data)
    return envelope is not None and _HEADER_LINE.match(data, envelope.end()) is not None


class _Writer:
    """Adds mails as pages, and keeps count of what came with them."""

    def __init__(self) -> None:
        self.builder = DocumentBuilder()
        self._pages = 0
        self._attachments = 0
        self._bytes = 0

    def add(self, mail: Mail, label: str = "", depth: int = 1) -> None:
        """Add a mail; `label` is what its places begin with."""
        before = f"{label}, " if label else ""
        read: list[tuple[str, Document | Mail]] = []
        lines = [f"{key}: {value}" for key, value in mail.headers.items()]
        for attachment in mail.attachments:
            try:
                read.append((attachment.name, self._read(attachment, depth)))
                lines.append(f"Attachment: {attachment.name}")
            except UnreadableDocument as error:
                lines.append(f"Attachment: {attachment.name} (not read: {error.message})")
        if lines:
            self._page(f"{before}Mail headers")
            self.builder.add("paragraph", "\n".join(lines))
        if any(text.strip() for _, text in mail.texts):
            self._page(label or "Message")
            self.builder.name(_about(mail, subject=bool(label)))
        for kind, text in mail.texts:
            if kind == "html":
                add_page(self.builder, text)
            else:
                self._add_text(text)
        for name, inner in read:
            place = f"{before}Attachment {name}"
            if isinstance(inner, Mail):
                self.add(inner, place, depth + 1)
            else:
                self._pages += max(1, len(inner.pages))
                self.builder.include(inner, place)

    def _page(self, label: str) -> None:
        self._pages += 1
        self.builder.page(self._pages, label)

    def _add_text(self, text: str) -> None:
        for block in re.split(r"\n[ \t]*\n", text):
            self.builder.add("paragraph", block)

    def _read(self, attachment: Attachment, depth: int) -> Document | Mail:
        """What an attachment holds.

        Raises:
            UnreadableDocument: it cannot be read, or too much came before it.
        """
        if attachment.mail is not None:
            if depth >= MAX_DEPTH:
                raise UnreadableDocument("The mail is nested too deeply to be read.")
            return attachment.mail
        refuse_by_name(attachment.name)
        self._attachments += 1
        self._bytes += len(attachment.data)
        if self._attachments > MAX_ATTACHMENTS or self._bytes > MAX_ATTACHED_BYTES:
            raise UnreadableDocument("The file has more attachments than are read.")
        if format_of(attachment.name).module == "mail":
            if depth >= MAX_DEPTH:
                raise UnreadableDocument("The mail is nested too deeply to be read.")
            return parse_mail(attachment.data)
        return _document(attachment)


def _document(attachment: Attachment) -> Document:
    from engine.documents.reading import document_of

    try:
        document = document_of(attachment.data, attachment.name)
    except UnreadableDocument:
        raise
    except MemoryError as error:
        raise UnreadableDocument("Reading it needs more memory than is allowed.") from error
    except Exception as error:  # whatever a parser throws is a fact about the file
        raise UnreadableDocument("It is probably damaged.", details=repr(error)) from error
    if not document.text.strip():
        raise UnreadableDocument(
            "It is a picture; save it as a file of its own to have its text read."
        )
    return document


def _about(mail: Mail, subject: bool) -> str:
    """What a reader of the text alone would ask: who wrote it, and when."""
    name, address = parseaddr(mail.headers.get("From", ""))
    parts = [mail.headers.get("Subject", "")] if subject else []
    parts += [name or address, mail.headers.get("Date", "")]
    return ", ".join(part for part in parts if part)
