"""Personal data that most likely stands in a text: found by form and check digits.

It finds what has a form of its own; names and addresses have none and are not looked for.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

PersonalKind = Literal[
    "e-mail address",
    "phone number",
    "IBAN",
    "card number",
    "social security number",
    "IP address",
]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
# With a country code, or grouped as people group numbers; a bare run of digits is an amount.
_PHONE = re.compile(
    r"(?<![\w+.,-])(?<!\d )(?:\+\d{1,3}[ .-]?(?:\(?\d{1,5}\)?[ .-]?){2,5}\d{2,4}"
    r"|\(\d{2,5}\)[ .-]?\d{3,4}[ .-]?\d{3,5}"
    r"|\d{3}[-.]\d{3}[-.]\d{4}|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5})(?![\w-])"
)


def find_personal(text: str) -> Counter[PersonalKind]:
    """How many pieces of each kind of personal data a text most likely holds."""
    found: Counter[PersonalKind] = Counter()
    if "@" in text:
        text = _take(_EMAIL, text, "e-mail address", found)
    if not any(char.isdigit() for char in text):
        return found
    text = _take_checked(text, found)
    text = _take(_SSN, text, "social security number", found)
    text = _take(_PHONE, text, "phone number", found)
    for match in _IP.finditer(text):
        parts = [int(part) for part in match.group().split(".")]
        if max(parts) <= 255 and parts[0] not in (0, 127):
            found["IP address"] += 1
    return found


def _take(
    pattern: re.Pattern[str], text: str, kind: PersonalKind, found: Counter[PersonalKind]
) -> str:
    """Count what matches, and give the text without it: one number is one thing."""
    rest, count = pattern.subn(" ", text)
    if count:
        found[kind] += count
    return rest


def _take_checked(text: str, found: Counter[PersonalKind]) -> str:
    """The same for numbers whose check digits must be right."""

    def iban(match: re.Match[str]) -> str:
        if not _is_iban(match.group().replace(" ", "")):
            return match.group()
        found["IBAN"] += 1
        return " "

    def card(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if digits[0] not in "3456" or len(set(digits)) < 2 or not _luhn(digits):
            return match.group()
        found["card number"] += 1
        return " "

    return _CARD.sub(card, _IBAN.sub(iban, text))


def _is_iban(text: str) -> bool:
    """ISO 13616: the letters as numbers, the first four at the end, modulo 97 is 1."""
    if not 15 <= len(text) <= 34:
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
