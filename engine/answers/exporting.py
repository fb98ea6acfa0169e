"""A conversation as a file that others can read: Markdown, HTML or JSON.

What stands in a conversation comes from documents and models, so all of it is escaped: the
Markdown shows it as text, and the HTML page has no script, loads nothing and links nowhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Literal

from engine.work.api import (
    AnswerReport,
    Citation,
    Conversation,
    Exported,
    Filter,
)

Format = Literal["md", "html", "json"]

MAX_NAME = 60
_NOT_IN_NAMES = re.compile(r"[^\w\- ]+")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_LIST_START = re.compile(r"(?m)^(\s*)([-+=]|\d+[.)])(?=\s|$|[-=])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INDENT = re.compile(r"(?m)^[ \t]+(?=\S)")
_CITED = re.compile(r"\[(\d{1,3})\]")


def export(conversation: Conversation, form: Format) -> Exported:
    """The conversation in `form`, with a file name made of its title.

    JSON is `engine.work.api.Conversation` and reads back to the same; Markdown and HTML have
    each question, its answer, and of every source cited its file, place and quote.
    """
    text = {"md": _markdown, "html": _html, "json": _json}[form](conversation)
    if form != "json":
        text = _CONTROLS.sub("\ufffd", text)
    return Exported(name=f"{file_stem(conversation.title)}.{form}", text=text)


def file_stem(title: str) -> str:
    """A file name without its ending that every system takes."""
    stem = " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:MAX_NAME].strip()
    return stem if stem and not _RESERVED.fullmatch(stem) else f"Conversation {stem}".strip()


def _json(conversation: Conversation) -> str:
    return conversation.model_dump_json(indent=2) + "\n"


def _place(source: Citation) -> str:
    """Where in its file a source stands, in words; "" when nothing is known."""
    parts: list[str] = []
    if source.place:
        parts.append(source.place)
    elif source.page is not None:
        parts.append(f"page {source.page}")
    if source.heading:
        parts.append(source.heading)
    return ", ".join(parts)


def _notes(turn: AnswerReport) -> list[str]:
    """What else a reader should know of a turn, one plain sentence each."""
    notes: list[str] = []
    if turn.rewritten:
        notes.append(f"Searched for: {turn.rewritten}")
    if turn.stopped:
        notes.append("The answer was stopped before its end.")
    if turn.notice:
        notes.append(turn.notice)
    if turn.feedback is not None:
        judged = {"up": "Marked as good.", "down": "Marked as wrong.", "none": ""}
        if judged[turn.feedback.verdict]:
            notes.append(judged[turn.feedback.verdict])
        if turn.feedback.correction:
            notes.append(f"Correction: {turn.feedback.correction}")
    return notes


def _scope(conversation: Conversation) -> list[str]:
    """What the conversation was limited to, one line each."""
    chosen: Filter = conversation.filter
    lines: list[str] = []
    if chosen.paths:
        lines.append(f"Only in: {', '.join(chosen.paths)}")
    if chosen.file_ids:
        lines.append(f"Only in {len(chosen.file_ids)} chosen files")
    if chosen.types:
        lines.append(f"Only: {', '.join(chosen.types)}")
    if chosen.since:
        lines.append(f"Since: {chosen.since}")
    if chosen.until:
        lines.append(f"Until: {chosen.until}")
    return lines


# --- Markdown -----------------------------------------------------------------------------


def escape_markdown(text: str) -> str:
    """Text that any Markdown reader shows as it is: no marks, links, pictures or HTML."""
    plain = _LIST_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))
    # Four spaces at the beginning of a line would make it code.
    return _INDENT.sub(lambda found: "&nbsp;" * len(found.group().expandtabs(4)), plain)


def _quoted(text: str) -> str:
    lines = escape_markdown(text.strip()).splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _markdown(conversation: Conversation) -> str:
    title = escape_markdown(" ".join(conversation.title.split()))
    blocks = [f"# {title}"]
    blocks += [f"*{escape_markdown(line)}*" for line in _scope(conversation)]
    for turn in conversation.turns:
        blocks.append(f"## Question {turn.turn}")
        blocks.append(_quoted(turn.question))
        blocks.append(_markdown_answer(turn))
        blocks += [f"*{' '.join(escape_markdown(note).split())}*" for note in _notes(turn)]
        blocks += _markdown_sources(turn.citations)
        blocks.append(f"*{escape_markdown(_made(turn))}*" if _made(turn) else "")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _markdown_answer(turn: AnswerReport) -> str:
    """The answer as text, its line breaks kept."""
    lines = escape_markdown(turn.answer.strip()).splitlines()
    return "\n".join(f"{line}  " if line.strip() else "" for line in lines).strip()


def _markdown_sources(citations: Sequence[Citation]) -> list[str]:
    blocks = ["**Sources**"] if citations else []
    for source in citations:
        where = _place(source)
        line = f"\\[{source.n}\\] {escape_markdown(source.path)}"
        line += f", {escape_markdown(where)}" if where else ""
        blocks += [line, _quoted(source.quote)]
    return blocks


def _made(turn: AnswerReport) -> str:
    model = turn.model if turn.adapter is None else f"{turn.model} with {turn.adapter}"
    return f"{turn.asked_at} · {model}".strip(" ·")


# --- HTML ---------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5d646d; --line: #d9dce1;
  --paper: #fbfbfa; --card: #ffffff; --mark: #2f6f4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e7e9; --soft: #9aa1ab;
  --line: #34383e; --paper: #17191c; --card: #1f2226; --mark: #7fc8a2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.5rem; max-width: 46rem; color: var(--ink);
  background: var(--paper); font: 16px/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .25rem; }
section { margin-top: 2.25rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; white-space: pre-wrap; }
.answer { white-space: pre-wrap; margin: 0 0 1rem; }
.note, .made, .scope { color: var(--soft); font-size: .85rem; margin: .25rem 0;
  white-space: pre-wrap; }
ol { list-style: none; margin: 1rem 0; padding: 0; }
li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem 1rem; margin: .5rem 0; font-size: .9rem; }
li b { color: var(--mark); }
blockquote { margin: .5rem 0 0; padding-left: .75rem; border-left: 3px solid var(--line);
  color: var(--soft); white-space: pre-wrap; }
@media print { body { padding: 0; } section { break-inside: avoid; } }
""".strip()

# Nothing may be loaded or run, whatever a document managed to put into an answer.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _html(conversation: Conversation) -> str:
    title = html.escape(conversation.title)
    scope = "".join(
        f'<p class="scope">{html.escape(line)}</p>\n' for line in _scope(conversation)
    )
    turns = "".join(map(_html_turn, conversation.turns))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{scope}{turns}</body>\n</html>\n"
    )


def _html_turn(turn: AnswerReport) -> str:
    number = turn.turn
    cited = {source.n for source in turn.citations}

    def link(found: re.Match[str]) -> str:
        n = found.group(1)
        return f'<a href="#s{number}-{n}">[{n}]</a>' if int(n) in cited else found.group()

    answer = _CITED.sub(link, html.escape(turn.answer.strip()))
    notes = "".join(f'<p class="note">{html.escape(note)}</p>\n' for note in _notes(turn))
    return (
        f'<section id="q{number}">\n<h2>{html.escape(turn.question.strip())}</h2>\n'
        f'<p class="answer">{answer}</p>\n{notes}{_html_sources(turn)}'
        f'<p class="made">{html.escape(_made(turn))}</p>\n</section>\n'
    )


def _html_sources(turn: AnswerReport) -> str:
    if not turn.citations:
        return ""
    items: list[str] = []
    named: set[int] = set()
    for source in turn.citations:
        # One source can be quoted several times; the link leads to the first.
        name = "" if source.n in named else f' id="s{turn.turn}-{source.n}"'
        named.add(source.n)
        where = html.escape(", ".join(filter(None, (source.path, _place(source)))))
        items.append(
            f"<li{name}><b>[{source.n}]</b> {where}"
            f"<blockquote>{html.escape(source.quote)}</blockquote></li>\n"
        )
    return f"<ol>\n{''.join(items)}</ol>\n"
