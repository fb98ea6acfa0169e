from __future__ import annotations

import contextlib
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.readers.mail import (
    MAX_ATTACHMENTS,
    read_apple_mail,
    read_mail,
    read_mailbox,
)
from engine.documents.readers.mail_message import header_text
from engine.documents.readers.text import read_text
from engine.documents.types import Document
from engine.errors import UnreadableDocument


def written(text: str = "Dear Bo,\n\nthe offer is attached.\n") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ada Løve <ada@example.org>"
    mail["To"] = "Bo <bo@example.org>"
    mail["Date"] = "Fri, 01 Mar 2024 10:00:00 +0100"
    mail["Subject"] = "Offer for the “Terna”"
    mail.set_content(text)
    return mail


def places(document: Document) -> dict[str, str]:
    return {page.label: document.text[page.start : page.end].strip() for page in document.pages}


def test_headers_text_and_attachments_are_places() -> None:
    word = docx.Document()
    word.add_paragraph("Seven thousand crowns.")
    stream = io.BytesIO()
    word.save(stream)
    mail = written()
    mail.add_attachment(
        stream.getvalue(), maintype="application", subtype="msword", filename="offer.docx"
    )
    mail.add_attachment(b"a;b\n1;2\n", maintype="text", subtype="csv", filename="../naïve.csv")
    document = read_mail(mail.as_bytes(), "x.eml")
    assert document.title == "Offer for the “Terna”"
    assert places(document) == {
        "Mail headers": "From: Ada Løve <ada@example.org>\nTo: Bo <bo@example.org>\n"
        "Date: Fri, 01 Mar 2024 10:00:00 +0100\nSubject: Offer for the “Terna”\n"
        "Attachment: offer.docx\nAttachment: naïve.csv",
        "Message": "Dear Bo,\n\nthe offer is attached.",
        "Attachment offer.docx": "Seven thousand crowns.",
        "Attachment naïve.csv": "a | b\n1 | 2",
    }
    headings = [block.name for block in document.blocks if block.kind == "heading"]
    assert headings == ["Ada Løve, Fri, 01 Mar 2024 10:00:00 +0100"]


def test_what_cannot_be_read_is_named_and_spoils_nothing() -> None:
    mail = written()
    for data, name in [
        (b"%PDF-1.4 torn", "torn.pdf"),
        (b"\x00\x01\x02" * 99, "blob.xyz"),
        (b"PK", "all.zip"),
        (b"secret", "id_rsa"),
    ]:
        mail.add_attachment(data, maintype="application", subtype="x", filename=name)
    found = places(read_mail(mail.as_bytes(), "x.eml"))
    assert list(found) == ["Mail headers", "Message"]
    lines = found["Mail headers"].split("\n")[4:]
    assert [line.split(" (")[0] for line in lines] == [
        "Attachment: torn.pdf", "Attachment: blob.xyz", "Attachment: all.zip",
        "Attachment: id_rsa",
    ]  # fmt: skip
    assert all("(not read: " in line and line.endswith(".)") for line in lines)


def test_plain_text_goes_before_html_and_html_before_nothing() -> None:
    mail = written("In plain words.")
    mail.add_alternative("<p>In <b>many</b> more words.</p>", subtype="html")
    assert places(read_mail(mail.as_bytes(), "x.eml"))["Message"] == "In plain words."
    mail = written("\n")
    mail.add_alternative("<h1>Offer</h1><p>In <b>rich</b> words.</p>", subtype="html")
    assert places(read_mail(mail.as_bytes(), "x.eml"))["Message"] == "Offer\n\nIn rich words."


def test_a_note_that_html_cannot_be_shown_is_no_text() -> None:
    mail = written("This mail needs a newer program.")
    mail.add_alternative(f"<p>{'The price is seven thousand crowns. ' * 9}</p>", subtype="html")
    assert "seven thousand" in read_mail(mail.as_bytes(), "x.eml").text


def test_a_mail_within_a_mail_within_bounds() -> None:
    mail = written("innermost")
    for depth in range(8):
        outer = written(f"level {depth}")
        outer.add_attachment(mail)
        mail = outer
    document = read_mail(mail.as_bytes(), "x.eml")
    assert "level 7" in document.text
    assert "level 4" in document.text
    assert "innermost" not in document.text
    assert "nested too deeply" in document.text


def test_too_many_attachments_are_named_and_left() -> None:
    mail = written()
    for number in range(MAX_ATTACHMENTS + 5):
        mail.add_attachment(
            b"words", maintype="text", subtype="plain", filename=f"{number}.txt"
        )
    document = read_mail(mail.as_bytes(), "x.eml")
    assert len(document.pages) == MAX_ATTACHMENTS + 2
    assert document.text.count("more attachments than are read") == 5


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("=?utf-8?q?Caf=C3=A9?= =?utf-8?b?IG9wZW4=?= now", "Café open now"),
        ("=?iso-8859-1?q?=93quoted=94?=", "“quoted”"),
        ("=?gb2312?b?xOO6ww==?=", "你好"),
        ("=?no-such-charset?q?plain?=", "plain"),
        ("=?utf-8?b?!!!?=", "=?utf-8?b?!!!?="),
        ("=?punycode?q?abc-?=", "abc-"),
        ("Grüße".encode().decode("ascii", "surrogateescape"), "Grüße"),
        ("folded\r\n  line", "folded line"),
    ],
)
def test_header_words(raw: str, words: str) -> None:
    assert header_text(raw) == words


@pytest.mark.parametrize("charset", ["utf-8", "cp1251", "us-ascii", "no-such-charset"])
def test_the_charset_of_a_text_is_believed_only_where_it_fits(charset: str) -> None:
    body = "Привет, это письмо о лодке и парусах. " * 5
    coded = "cp1251" if charset == "cp1251" else "utf-8"
    head = f"Subject: x\nContent-Type: text/plain; charset={charset}\n\n"
    document = read_mail(head.encode() + body.encode(coded), "x.eml")
    assert body.strip() in document.text


def mailbox() -> bytes:
    one, two = written("First words.\n\nFrom here on it rains.\n"), written("Second words.")
    two.add_attachment("inner words", filename="note.txt")
    parts = (mail.as_bytes().replace(b"\nFrom here", b"\n>From here") for mail in (one, two))
    return b"\n".join(b"From ada@x Fri Mar  1 10:00:00 2024\n" + part for part in parts)


def test_the_mails_of_a_mailbox_are_places() -> None:
    document = read_mailbox(mailbox(), "x.mbox")
    found = places(document)
    assert list(found) == [
        "Message 1, Mail headers", "Message 1", "Message 2, Mail headers", "Message 2",
        "Message 2, Attachment note.txt",
    ]  # fmt: skip
    assert found["Message 1"] == "First words.\n\nFrom here on it rains."
    names = [block.name for block in document.blocks if block.kind == "heading"]
    assert names[0] == "Offer for the “Terna”, Ada Løve, Fri, 01 Mar 2024 10:00:00 +0100"


def test_a_mailbox_is_known_without_its_suffix() -> None:
    assert "Message 2" in places(read_text(mailbox(), "INBOX"))
    assert places(read_mail(mailbox(), "x.eml")) == places(read_mailbox(mailbox(), "x.mbox"))
    assert read_text(b"From here to there\n", "notes").pages == []


def test_apple_mail_without_its_frame() -> None:
    mail = written().as_bytes()
    data = b"%d \n" % len(mail) + mail + b"<?xml version='1.0'?><plist>flags</plist>"
    document = read_apple_mail(data, "x.emlx")
    assert list(places(document)) == ["Mail headers", "Message"]
    assert "plist" not in document.text


def test_a_saved_web_page_is_its_page() -> None:
    page = EmailMessage()
    page["Subject"] = "Tides"
    page.set_content("<h1>Tides</h1><p>High water at four.</p>", subtype="html")
    page.add_related(b"p{color:red}", maintype="text", subtype="css")
    page.add_related(b"\x89PNG", maintype="image", subtype="png")
    document = read_mail(page.as_bytes(), "tides.mhtml")
    assert document.title == "Tides"
    assert places(document) == {
        "Mail headers": "Subject: Tides",
        "Message": "Tides\n\nHigh water at four.",
    }


def test_an_attached_picture_is_named(corpora: Path) -> None:
    picture = next((corpora / "stress/epub").glob("wasteland.epub"))
    with zipfile.ZipFile(picture) as archive:
        data = archive.read("EPUB/wasteland-cover.jpg")
    mail = written()
    mail.add_attachment(data, maintype="image", subtype="jpeg", filename="cover.jpg")
    line = places(read_mail(mail.as_bytes(), "x.eml"))["Mail headers"].split("\n")[-1]
    assert line.startswith("Attachment: cover.jpg (not read: ")


def test_what_is_no_mail_is_text() -> None:
    assert read_mail(b"just words\n\nand more", "x.eml").text == "just words\n\nand more"


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 30_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i)
            for i in range(1500)
        ),
        b"Subject: " + b"=?utf-8?q?" * 20_000 + b"\n\nwords",
        b"Content-Type: text/html\nSubject: x\n\n" + b"<div>" * 50_000 + b"words",
        b"From a@b Fri Mar 1 10:00 2024\n\n" * 5_000,
        b"Message-ID: <\nFrom: \"\nContent-Disposition: attachment; filename*0*=x''%\n\ny",
    ],
    ids=["parts", "nested", "header", "html", "empty mails", "file name"],
)
def test_hostile_mails_end_in_text_or_a_reason(data: bytes) -> None:
    with contextlib.suppress(UnreadableDocument):
        read_mail(data, "x.eml")


BROKEN = [
    b"charset=",
    b"charset*=",
    b"charset*1*=",
    b"utf-8''%ff",
    b'"',
    b"\x00",
    b";",
    b"=?utf-8?b?",
    b"?=",
    b"Content-Type: text/plain;",
    b"base64",
    b"boundary=",
    b"boundary*0*=",
    b"\n",
    b"\n\n",
    b"filename*0*=",
    b"\xff",
    b"message/rfc822",
    b"Content-Transfer-Encoding: ",
    b"begin 644 x\n",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(BROKEN)), max_size=12))
def test_broken_headers_and_parameters_do_not_matter(
    cuts: list[tuple[float, bytes]],
) -> None:
    source = bytearray(mailbox())
    for share, piece in cuts:
        at = int(share * len(source))
        source[at : at + 4] = piece
    with contextlib.suppress(UnreadableDocument):
        read_mail(bytes(source), "x.eml")


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_torn_mail_ends_in_text_or_a_reason(data: st.DataObject) -> None:
    source = mailbox()
    start = data.draw(st.integers(0, len(source)))
    torn = source[:start] + data.draw(st.binary(max_size=12)) + source[start + 15 :]
    with contextlib.suppress(UnreadableDocument):
        read_mail(torn, "x.eml")


def test_real_mails_are_all_read(corpora: Path) -> None:
    files = sorted((corpora / "stress/eml/cpython").glob("*.eml"))
    assert len(files) == 48
    for file in files:
        assert read_mail(file.read_bytes(), file.name).text.strip()
