"""Which questions are about documents themselves: to be counted, or read from end to end.

"How many of the contracts mention indexation?" cannot be answered from the best four
passages, nor can "Summarise this file". Rules recognise such questions, and rather miss one
than take an ordinary question for one: what they miss is answered as before, what they take
wrongly is not answered at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.work.api.reading import Wanted

MAX_CHARACTERS = 300
MAX_TOPIC_WORDS = 8

_GENERIC = {
    "en": r"documents?|docs?|files?|papers?|texts?",
    "de": r"dokumente?n?|dateien?|datei|unterlagen",
    "fr": r"documents?|fichiers?|textes?",
    "es": r"documentos?|archivos?|ficheros?|textos?",
}
_KINDS = {
    r"pdfs?(?: (?:files?|documents?))?": "PDF",
    r"e-?mails?|mails?": "Mail",
    r"spreadsheets?|excel (?:files?|sheets?)": "Spreadsheet",
    r"presentations?|slide ?(?:decks?|shows?)|powerpoints?": "PowerPoint",
    r"word (?:files?|documents?)": "Word",
}
_SORTS = {
    "en": r"contracts?|reports?|letters?|invoices?|articles?|notes?|minutes|memos?|agreements?"
    r"|policies|policy|manuals?|books?|transcripts?|offers?|receipts?|protocols?",
    "de": r"verträgen?|vertrag|berichten?|bericht|rechnungen?|rechnung|briefen?|brief"
    r"|protokollen?|protokoll|notizen|artikeln?|artikel",
    "fr": r"contrats?|rapports?|lettres?|factures?|articles?|notes?|courriers?",
    "es": r"contratos?|informes?|cartas?|facturas?|artículos?|notas?|correos?",
}
_MENTION = (
    r"mentions?|refers? to|talks? about|speaks? (?:of|about)|discuss(?:es)?|deals? with"
    r"|cites?|references?|(?:is|are) about|says? (?:anything|something) (?:about|on)"
)
_ON = r"about|mentioning|referring to|discussing|dealing with"
"""Only in a list asked for: "How many books about the war did he write?" is no count."""
_HOLD = r"contains?|containing|includes?|including|uses?|using|has|have|with|holds?"
_WORD = r"(?:the )?(?:words?|terms?|phrases?|names?|expressions?|keywords?)"
_SHELF = r"(?:library|folder|collection|archive|index)"
_HOME = rf"(?: (?:in|from|of) (?:this|the|my|our|these) {_SHELF})?"
_POLITE = (
    r"^(?:(?:please|hey|hi|hello|ok|okay|so|and|now|then)[,:]? )*"
    r"(?:(?:can|could|would|will) you (?:please )?|(?:can|could) i (?:please )?(?:have|get) "
    r"|i (?:want|would like|need|'d like) (?:you to )?|i(?:'d| would) like (?:you to )?"
    r"|tell me )?(?:please )?"
)
_AFTER = (
    r"(?:,? (?:in|with|using) (?:\w+|a few|not more than \w+|at most \w+) "
    r"(?:short )?(?:sentences?|words|bullet points|bullets|lines|paragraphs?|points)"
    r"|,? (?:for me|please|briefly|in short|shortly|in brief|in detail|in english))*"
)


@dataclass(frozen=True)
class Count:
    """Which or how many documents hold something.

    Attributes:
        any_of: what a passage must hold, one of these; empty: count the documents themselves.
        subject: the same for a person.
        noun: what is counted, as the question calls it.
        kinds: kinds of document that count; empty for all.
        sort: `noun` is a sort of document that no file says it is ("contracts").
    """

    any_of: tuple[Wanted, ...]
    subject: str
    noun: str
    kinds: tuple[str, ...] = ()
    sort: bool = False


@dataclass(frozen=True)
class Whole:
    """What one file as a whole says.

    Attributes:
        named: how the question calls the file; "" where it only points ("this file").
        summary: asked for in so many words, so that nothing else can be meant.
        file: it points to "this file", not just to "it".
    """

    named: str
    summary: bool
    file: bool = False


Intent = Count | Whole


def recognise(question: str) -> Intent | None:
    """What a question asks of documents themselves; None for every ordinary question."""
    text = " ".join(question.replace("’", "'").split())
    if not text or len(text) > MAX_CHARACTERS:
        return None
    text = text.rstrip(" ?!.…").lstrip(" ¿¡")
    return _count(text) or _total(text) or _whole(text)


# --- counting -----------------------------------------------------------------------------


def _nouns(language: str) -> str:
    """Alternatives for what a document is called."""
    parts = [_GENERIC[language], _SORTS[language]]
    return "|".join([*_KINDS, *parts] if language == "en" else parts)


_EN = _nouns("en")
_DO = r"(?: (?:that|which))?(?: (?:do|does))?"
_THE = r"(?: (?:the|my|our|these|those|all|all the|all of the|your))*"
_VERB = rf"(?P<verb>{_MENTION}|{_HOLD})"
_VERB_OR_ON = rf"(?P<verb>{_MENTION}|{_ON}|{_HOLD})"
_COUNTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_POLITE}(?:how many|what number of)(?: of)?{_THE} (?P<noun>{_EN}){_HOME}{_DO}"
        rf"(?: there)? {_VERB} (?P<topic>.+)$",
        rf"{_POLITE}(?:in )?how many(?: of)?{_THE} (?P<noun>{_EN}){_HOME} (?:is|are|does|do) "
        r"(?P<topic>.+?) (?P<verb>mentioned|discussed|cited|referred to|appear|occur|come up)"
        r"(?: in)?$",
        rf"{_POLITE}(?:which|what)(?: (?:one|ones))?(?: of)?{_THE} (?P<noun>{_EN}){_HOME}{_DO} "
        rf"{_VERB} (?P<topic>.+)$",
        rf"{_POLITE}in which(?: of)?{_THE} (?P<noun>{_EN}){_HOME} (?:is|are|does|do) "
        r"(?P<topic>.+?) (?P<verb>mentioned|discussed|cited|referred to|appear|occur|come up)$",
        rf"{_POLITE}(?:list|show me|show|find me|find|give me(?: a list of)?|name|count)"
        rf"(?: me)?(?: all of| all| every| any)?{_THE} (?P<noun>{_EN}){_HOME}{_DO} "
        rf"{_VERB_OR_ON} (?P<topic>.+)$",
        rf"{_POLITE}(?:are there any|do any of the|do any of my|do any) (?P<noun>{_EN}){_HOME}"
        rf"{_DO} {_VERB_OR_ON} (?P<topic>.+)$",
    )
]
_OTHER_COUNTS = [
    (re.compile(pattern, re.IGNORECASE), language)
    for pattern, language in (
        (
            rf"^wie viele(?: der| von den| meiner)? (?P<noun>{_nouns('de')}) "
            r"(?P<verb>erwähnen|enthalten|nennen|handeln von|sprechen von) (?P<topic>.+)$",
            "de",
        ),
        (
            rf"^in (?:wie vielen|welchen)(?: der| von den| meiner)? (?P<noun>{_nouns('de')}) "
            r"(?:kommt|wird|werden|kommen|steht) (?P<topic>.+?) "
            r"(?P<verb>vor|erwähnt|genannt)$",
            "de",
        ),
        (
            rf"^welche(?: der| meiner)? (?P<noun>{_nouns('de')}) "
            r"(?P<verb>erwähnen|erwähnt|enthalten|nennen|handeln von|sprechen von) "
            r"(?P<topic>.+)$",
            "de",
        ),
        (
            rf"^(?:combien (?:de|des|d')|(?:dans )?quels|quelles) ?(?P<noun>{_nouns('fr')}) "
            r"(?P<verb>mentionnent|contiennent|parlent d[eu]|citent|évoquent) (?P<topic>.+)$",
            "fr",
        ),
        (
            rf"^(?:cu[aá]nt[oa]s(?: de los| de las| de mis)?|qu[eé]|cu[aá]les de los) "
            rf"(?P<noun>{_nouns('es')}) (?P<verb>mencionan|contienen|hablan de|citan) "
            r"(?P<topic>.+)$",
            "es",
        ),
    )
]
_LISTING = re.compile(r"\b(?:list|show|find|give|name)\b", re.IGNORECASE)
_ALL = re.compile(r"\b(?:all|every|any|list)\b", re.IGNORECASE)
_SAID = re.compile(
    r"^(?:that|how|why|what|when|where|whether|who|whom|which|more than|less than|fewer than"
    r"|at least|at most|over|under|between|exactly|been|to be|to)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"[;:?]|\b(?:and|or|but)(?: \w+)? (?:how|why|what|when|where|who|which)\b|\b(?:than|because"
    r"|although|if|do|does|did|is|are|was|were|has|have|had|will|would|can|could|should|must)\b",
    re.IGNORECASE,
)
"""A topic with a verb of its own is a question within the question."""
_POINTER = re.compile(
    r"^(?:it|this|that|these|those|them|him|her|he|she|they|one|ones|each other|the same|"
    r"the (?:topic|subject|above|following))$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(
    rf"^(?:(?:(?:both|either|any|the|an?|some|der|die|das|den|dem|ein(?:en?)?|le|la|les|el|los"
    rf"|las|une?|l'|{_WORD}|das wort|den begriff|le mot|la palabra)(?: |(?<=')))+)",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"[\"“”„«»]\s*([^\"“”„«»]+?)\s*[\"“”„«»]|(?<!\w)'([^']+)'(?!\w)")
_OR = re.compile(r",? (?:or|oder|ou|o) ", re.IGNORECASE)
_QUOTED = re.compile(r"\x00(\d+)\x00")


def _count(text: str) -> Count | None:
    for pattern in _COUNTS:
        found = pattern.search(text)
        if found is not None:
            return _counted(found, text, "en")
    for pattern, language in _OTHER_COUNTS:
        found = pattern.search(text)
        if found is not None:
            return _counted(found, text, language)
    return None


def _counted(found: re.Match[str], text: str, language: str) -> Count | None:
    noun, verb, topic = found["noun"], found["verb"].lower(), found["topic"].strip()
    topic = re.sub(rf"{_HOME}$", "", topic, flags=re.IGNORECASE).strip(" ,")
    generic = re.fullmatch(_GENERIC[language], noun, re.IGNORECASE) is not None
    kinds = () if generic or language != "en" else _kinds(noun)
    exact = _QUOTES.search(topic) or re.match(rf"{_WORD} ", topic, re.IGNORECASE)
    if language == "en":
        if re.fullmatch(_HOLD, verb) and not exact and not (generic and "contain" in verb):
            return None  # "Which reports have errors?" asks for more than a word
        several = _ALL.search(text) or (generic and noun.endswith("s"))
        if _LISTING.match(text) and not several:
            return None  # "Find the report about frost" asks for one
    any_of = _topics(topic)
    if not any_of:
        return None
    sort = not generic and not kinds
    return Count(any_of, _subject(any_of), noun, kinds, sort)


def _kinds(noun: str) -> tuple[str, ...]:
    return tuple(
        kind for form, kind in _KINDS.items() if re.fullmatch(form, noun, re.IGNORECASE)
    )


def _topics(topic: str) -> tuple[Wanted, ...]:
    """What is looked for; empty when it is more than words."""
    quoted: list[str] = []

    def aside(found: re.Match[str]) -> str:
        quoted.append((found[1] or found[2]).strip())
        return f" \x00{len(quoted) - 1}\x00 "

    plain = " ".join(_QUOTES.sub(aside, topic).split())
    if _SAID.match(plain) or _MORE.search(plain) or len(plain.split()) > MAX_TOPIC_WORDS:
        return ()
    made: list[Wanted] = []
    for part in _OR.split(plain):
        phrases = [quoted[int(n)] for n in _QUOTED.findall(part)]
        words = _ARTICLE.sub("", _QUOTED.sub(" ", part).strip() + " ").strip(" ,")
        words = re.sub(r"^(?:and|und|et|y)\b|\b(?:and|und|et|y)$", "", words).strip()
        if _POINTER.match(words) or not (phrases or re.search(r"\w", words)):
            return ()
        made.append(Wanted(words=words, phrases=phrases))
    return tuple(made)


def _subject(any_of: tuple[Wanted, ...]) -> str:
    """What is looked for, in quotes, as an answer says it."""
    parts = [
        " and ".join(f"“{text}”" for text in (one.words, *one.phrases) if text)
        for one in any_of
    ]
    return " or ".join(parts)


_COUNTABLE = "|".join([_GENERIC["en"], *_KINDS])
_PLACE = rf"(?:(?:this|the|my|our|that) {_SHELF}|here|there)"
_TOTALS = re.compile(
    rf"{_POLITE}how many (?P<noun>{_COUNTABLE})(?: (?:are there|are)(?: in)?(?: {_PLACE})?"
    rf"|(?: do (?:i|we) have)(?: in)?(?: {_PLACE})?"
    rf"|(?: does {_PLACE} (?:have|hold|contain))|(?: in {_PLACE}))$",
    re.IGNORECASE,
)


def _total(text: str) -> Count | None:
    found = _TOTALS.search(text)
    if found is None:
        return None
    return Count((), "", found["noun"], _kinds(found["noun"]))


# --- one whole file -----------------------------------------------------------------------

_FILE_WORDS = (
    r"file|document|doc|paper|report|pdf|text|article|book|contract|letter|presentation"
    r"|spreadsheet|e-?mail|manual|notes?|attachment"
)
_POINTS = re.compile(
    r"^(?:(?:this|the|that|my)(?: (?:whole|entire|full|attached|selected|chosen|complete))*"
    rf" (?:{_FILE_WORDS})|it|this|that|(?:the|this) whole thing"
    r"|(?:diese|die)r? (?:ganze )?datei|(?:dieses|das|dieser|dem|diesem)"
    r" (?:ganze )?(?:dokument|datei|bericht|vertrag)|(?:diesen|den) (?:bericht|vertrag|text)"
    r"|(?:ce|le|cet) (?:document|fichier|rapport|contrat|texte)"
    r"|(?:este|el) (?:documento|archivo|informe|contrato|texto))$",
    re.IGNORECASE,
)
_SUMMARIES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_POLITE}(?:summari[sz]e|sum up|recap) (?P<object>.+?){_AFTER}$",
        rf"{_POLITE}(?:give|write|make|create|provide|show|get|have)?(?: me| us)?"
        r"(?: ?(?:an?|the)\b)?"
        r"(?: (?:short|brief|quick|concise|one-paragraph|one-page|general|rough|complete))*"
        r" ?(?:summary|overview|synopsis|gist|outline) (?:of|for) "
        rf"(?P<object>.+?){_AFTER}$",
        rf"^tl;? ?dr:?(?: of)? (?P<object>.+?){_AFTER}$",
        rf"{_POLITE}(?:what (?:are|were) |list |give me )?the"
        r" (?:main|key|most important|central)"
        r" (?:points|ideas|takeaways|findings|messages|topics|statements)"
        rf" (?:of|in|from) (?P<object>.+?){_AFTER}$",
        r"^(?:bitte )?(?:fasse?|fassen sie) (?P<object>.+?)(?: bitte)?"
        r"(?: kurz| in \w+ sätzen)? zusammen$",
        r"^(?:(?:bitte )?(?:eine |gib mir eine )?(?:kurze )?zusammenfassung)"
        r" (?:von|der|des|dieser|dieses) (?P<object>.+)$",
        r"^(?:peux-tu |pouvez-vous )?r[ée]sume[rz]?(?:-moi)? (?P<object>.+)$",
        r"^(?:puedes )?resum(?:e|ir|a|en) (?P<object>.+)$",
    )
]
_ABOUTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_POLITE}what(?:'s| is| was) (?P<object>.+?)(?: all)?(?: mainly| really)? about$",
        rf"{_POLITE}what (?P<object>.+?) is about$",
        r"^(?:worum geht es|worum geht's|wovon handelt)(?: in)? (?P<object>.+)$",
        r"^de quoi (?:parle|traite) (?P<object>.+)$",
        r"^de qu[eé] (?:trata|habla) (?P<object>.+)$",
    )
]
_BARE = re.compile(
    rf"^(?:please )?(?:summari[sz]e|tl;? ?dr|summary(?: please)?|give me a summary){_AFTER}$",
    re.IGNORECASE,
)


def _whole(text: str) -> Whole | None:
    if _BARE.match(text):
        return Whole("", summary=True)
    for patterns, summary in ((_SUMMARIES, True), (_ABOUTS, False)):
        for pattern in patterns:
            found = pattern.search(text)
            if found is not None:
                named = found["object"].strip(" \"“”„'")
                if not _POINTS.match(named):
                    return Whole(named, summary)
                return Whole("", summary, file=" " in named)
    return None
