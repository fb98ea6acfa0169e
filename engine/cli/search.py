"""`whetstone search Q --library NAME`: find passages."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from engine.cli.batch import add_batch, is_batch, run_batch
from engine.cli.narrowing import add_narrowing, filter_of, libraries_of
from engine.cli.output import Console, add_json, place
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

CANDIDATES_SHOWN = 20
"""More are only shown when one of them was chosen; --json has all."""


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("search", help="find passages in a library")
    parser.add_argument("query", metavar="Q", nargs="?", help="what to look for")
    add_narrowing(parser, needed=True)
    parser.add_argument("--top", type=int, default=10, metavar="K", help="passages (10)")
    parser.add_argument(
        "--method",
        choices=["hybrid", "dense", "keyword"],
        default="hybrid",
        help="by meaning and words (hybrid), by meaning (dense), by words (keyword)",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show what each step did and why each candidate was or was not chosen",
    )
    parser.add_argument(
        "--rerank",
        action=argparse.BooleanOptionalAction,
        help="have the reranker order the first candidates (as `models reranker` says)",
    )
    add_batch(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Search once, or once for every row of a file."""
    library, others = libraries_of(options)
    assert library is not None
    wanted = filter_of(options)

    def search(query: str) -> api.SearchReport:
        return engine.search(
            api.SearchSpec(
                query=query,
                library=library,
                libraries=others,
                top=options.top,
                method=options.method,
                filter=wanted,
                explain=options.explain,
                rerank=options.rerank,
            ),
            console.job,
        )

    if is_batch(options, options.query):
        search("")  # a wrong name or filter is one error, not one a row
        return run_batch(options, console, lambda query, history: search(query))
    report = search(options.query)
    several = {view.id: view.name for view in engine.libraries.list()} if others else {}
    console.result(report, lambda: describe(report, several))
    return 0


def describe(report: api.SearchReport, names: dict[str, str] | None = None) -> str:
    """The report for a person.

    Args:
        report: what was found.
        names: of the libraries by id, when several were searched.
    """
    lines = [report.notice] if report.notice else []
    for number, hit in enumerate(report.passages, 1):
        library = f" ({(names or {}).get(hit.library)})" if names else ""
        lines.append(f"{number}. {place(hit.path, hit.page, hit.heading, hit.place)}{library}")
        text = textwrap.shorten(hit.text, 240, placeholder=" …")
        lines += textwrap.wrap(text, 92, initial_indent="   ", subsequent_indent="   ")
    if not report.passages:
        lines.append("Nothing found.")
    if report.explanation is not None:
        lines += ["", *table(report.explanation), ""]
    lines.append(f"{report.milliseconds:.0f} ms")
    return "\n".join(lines)


def table(explanation: api.Explanation) -> list[str]:
    """The steps, then a line for every candidate and one for what became of it."""
    lines = ["Steps:"]
    for step in explanation.steps:
        lines.append(f"  {step.name:8}{step.milliseconds:8.1f} ms  {step.detail}")
    if not explanation.candidates:
        return lines
    lines += [
        "",
        "Candidates, best first; the score is the share of meaning plus the share of words:",
        " rank   score  meaning (rank, cosine)   words (rank, BM25)   source",
    ]
    chosen = [n for n, one in enumerate(explanation.candidates, 1) if one.chosen is not None]
    shown = max(CANDIDATES_SHOWN, max(chosen, default=0))
    for one in explanation.candidates[:shown]:
        meaning = _stage(one.dense_share, one.dense_rank, one.dense_score)
        words = _stage(one.keyword_share, one.keyword_rank, one.keyword_score)
        source = place(one.path, one.page, "", one.place)
        if one.rerank_rank is not None:
            source += f"   reranked {one.rerank_rank} ({one.rerank_score:.3f})"
        mark = "*" if one.chosen is not None else " "
        lines.append(
            f"{mark}{one.fused_rank:4}  {one.fused_score:6.3f}  {meaning:22}   {words:19}  "
            f"{source}"
        )
        text = textwrap.shorten(one.text, 60, placeholder=" …")
        lines.append(f"       {one.fate} “{text}”")
    more = len(explanation.candidates) - shown
    if more > 0:
        lines.append(f"… and {more} more, which --json shows.")
    return lines


def _stage(share: float, rank: int | None, score: float | None) -> str:
    """What one of the two searches adds; a dash where it did not find the passage."""
    if rank is None or score is None:
        return f"{share:.3f} (-)"
    return f"{share:.3f} ({rank}, {score:.3f})"
