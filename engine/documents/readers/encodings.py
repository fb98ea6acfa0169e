"""Which old encoding a text without a mark is in.

Every candidate that decodes without an error is judged by the words it makes: letters of
one script, capitals only where words have them, East Asian characters that people write
with. What still ties is left to charset-normalizer's language statistics.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache
from itertools import pairwise

from charset_normalizer import from_bytes

# The Latin ones stand before the others: on a tie the plainer reading wins.
_CANDIDATES = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "shift_jis",
    "gb18030",
    "big5hkscs",
    "cp949",
    "euc_jp",
    # What Windows and newer standards add (①, ㈱) is an error in the ones above.
    "cp932",
    "shift_jis_2004",
    "euc_jis_2004",
)
_TOKEN = re.compile(r"\S+")
_ENCLOSED = re.compile(r"[\u2460-\u24ff\u3200-\u33ff]")
"""① and ㈱ stand within East Asian words, and no other encoding is misread as them."""
_JUDGED_CHARACTERS = 20_000
_LATIN_ACCENTS_MOST = 0.75
"""No language in Latin letters has more accented letters than this in its longer words."""


def guess_encoding(sample: bytes) -> str:
    """The likeliest encoding of bytes that are not valid UTF-8; "utf-8" when none fits.

    "utf-8" means damaged UTF-8: decode it with replacement characters.
    """
    scores: dict[str, float] = {}
    for encoding in _CANDIDATES:
        text = _decode(sample, encoding)
        if text is not None:
            scores[encoding] = _plausibility(text[:_JUDGED_CHARACTERS], encoding)
    best = max(scores.values(), default=0.0)
    if best <= 0.0:
        return "utf-8"
    tied = [encoding for encoding, score in scores.items() if score > best * 0.98]
    if len(tied) == 1:
        return tied[0]
    match = from_bytes(sample, cp_isolation=tied).best()
    return match.encoding if match is not None else tied[0]


def _decode(sample: bytes, encoding: str) -> str | None:
    try:
        # The sample may end within a character, so the end is not final.
        return codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return None


def _plausibility(text: str, encoding: str) -> float:
    """Characters in believable words, less those in impossible ones, as a share of both."""
    good = bad = 0.0
    for token in _TOKEN.findall(text):
        if token.isascii():
            continue
        size = sum(not char.isascii() for char in token)
        if _believable(token):
            good += size * _commonness(token, encoding)
        else:
            bad += size
    return (good - 2 * bad) / (good + bad) if good + bad else 0.0


def _believable(token: str) -> bool:
    token = _ENCLOSED.sub("", token)
    for word in re.findall(r"[^\W\d_]+", token):
        scripts = {_script(char) for char in word}
        if len(scripts) > 1 or "" in scripts:
            return False
        if word != word.upper() and any(
            late.isupper() and early.islower() for early, late in pairwise(word)
        ):
            return False
        accents = sum(not char.isascii() for char in word)
        if scripts == {"LATIN"} and len(word) > 2 and accents > len(word) * _LATIN_ACCENTS_MOST:
            return False
    # A sign or a lone mark between letters is a wrongly read letter: "Za¿ó³æ".
    return not re.search(
        r"[^\W\d_][^\w\s\x00-\x7f\u2010-\u2026·\u3000-\u303f\uff00-\uffef][^\W\d_]", token
    ) and not any(unicodedata.category(char) in ("No", "Co", "Cn", "Cc") for char in token)


@cache
def _script(char: str) -> str:
    name = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    if name in ("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH", "IDEOGRAPHIC"):
        return "EAST ASIAN"
    return name


def _commonness(token: str, encoding: str) -> float:
    """Share of East Asian characters on the encoding's first level, which texts are made of.

    Levels: GB 2312-80, JIS X 0208, Big5 (Lunde, CJKV Information Processing, chapter 3).
    """
    first_level = {
        "gb18030": (0xA1, 0xD7),
        "shift_jis": (0x81, 0x97),
        "big5hkscs": (0xA1, 0xC6),
        "cp949": (0xA1, 0xC8),
        "euc_jp": (0xA1, 0xCF),
        "cp932": (0x81, 0x97),
        "shift_jis_2004": (0x81, 0x97),
        "euc_jis_2004": (0xA1, 0xCF),
    }.get(encoding)
    if first_level is None:
        return 1.0
    low, high = first_level
    east = [char for char in token if _script(char) in ("EAST ASIAN", "HANGUL")]
    common = 0
    for char in east:
        raw = char.encode(encoding, "ignore")
        common += len(raw) == 2 and low <= raw[0] <= high
    return common / len(east) if east else 1.0
