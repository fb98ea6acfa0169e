"""Search: what is asked, what is found, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View


class Ranks(View):
    """1-based rank in each candidate list; None when the passage was not in it."""

    dense: int | None = None
    keyword: int | None = None
    rerank: int | None = None
    """Its place after a reranker read it with the question; None when none did."""


class Filter(View):
    """Which files count. Empty parts let everything through; all parts must agree."""

    paths: list[str] = Field(default_factory=list[str])
    """Folders (everything below them), files, or globs such as `*.pdf` and `contracts/*`,
    matched against the shown path and against its end; any of them may match."""
    file_ids: list[int] = Field(default_factory=list[int])
    types: list[str] = Field(default_factory=list[str])
    """Kinds ("PDF", "Spreadsheet") or suffixes (".pdf", "pdf"), whatever their case."""
    since: str = ""
    """ISO 8601 date or time; files last modified then or later. A date is a local day."""
    until: str = ""
    """Files last modified before the end of that day, or before that time."""

    def empty(self) -> bool:
        """True when every file counts."""
        return not (self.paths or self.file_ids or self.types or self.since or self.until)


class SearchSpec(View):
    """Find the `top` best passages for `query` in `library` and in `libraries` beside it."""

    query: str
    library: str
    libraries: list[str] = Field(default_factory=list[str])
    top: int = 10
    method: Literal["hybrid", "dense", "keyword"] = "hybrid"
    filter: Filter = Filter()
    explain: bool = False
    rerank: bool | None = None
    """Have the first candidates ordered by the reranker; None: as the settings say."""


class PassageHit(View):
    """A passage found: `text` is exactly the document's text[start:end]."""

    passage_id: int
    file_id: int
    path: str
    title: str
    heading: str
    """Headings from the outermost in, joined by " › "; empty when there are none."""
    page: int | None
    """1-based; None for formats without pages."""
    text: str
    start: int
    end: int
    score: float
    ranks: Ranks
    cosine: float | None = None
    """Similarity of meaning to the query, -1 to 1; None where it was not compared."""
    bm25: float | None = None
    """Score by words over the weight of the rarest word, ln(1 + passages searched): it
    compares between libraries of any size. None where it was not among the best by words."""
    rerank: float | None = None
    """What the reranker gave it, more is better; None where it gave nothing."""
    library: str = ""
    """Id of the library it was found in."""
    place: str = ""
    """Where in the file, in words, when a page number does not say it: "Slide 3",
    "Budget!A5:F9", "Attachment offer.pdf, page 2", "lines 120–150"; else empty."""
    header: str = ""
    """The header row of the table that `text` continues; not part of `text`."""


class ExplainedPassage(View):
    """One candidate and what each stage made of it; None where a stage did not see it."""

    passage_id: int
    library: str
    path: str
    page: int | None
    place: str = ""
    text: str
    """Its first 200 characters."""
    dense_rank: int | None = None
    dense_score: float | None = None
    """Cosine similarity to the query."""
    keyword_rank: int | None = None
    keyword_score: float | None = None
    """BM25."""
    dense_share: float = 0.0
    keyword_share: float = 0.0
    """What meaning and words add to the fused score, which is their sum. Words count by BM25
    and, among the first candidates, by standing side by side as in the question."""
    fused_rank: int
    fused_score: float
    rerank_rank: int | None = None
    rerank_score: float | None = None
    """The reranker's own number, on a scale of its own."""
    chosen: int | None = None
    """Its number among the passages returned."""
    fate: str
    """One plain sentence: why it was chosen, joined, or left out."""


class SearchStep(View):
    """One stage of a search, in the order they ran."""

    name: Literal["filter", "embed", "dense", "keyword", "fuse", "rerank", "choose"]
    milliseconds: float
    detail: str
    """What it did, e.g. "100 nearest of 51,200 passages"."""


class Explanation(View):
    """The retrieval inspector's data; `candidates` in fused order."""

    query: str
    steps: list[SearchStep]
    candidates: list[ExplainedPassage]


class SearchReport(View):
    passages: list[PassageHit]
    milliseconds: float
    explanation: Explanation | None = None
    notice: str = ""
    """A plain sentence when the result is less than asked, e.g. keyword search only."""
