"""The user's own cross-encoder."""

from __future__ import annotations

RERANKER_TITLE = "Reranking"
RERANKER_TEXT = (
    "A cross-encoder reads the first passages of a search once more, together with the "
    "question, and orders them anew. Any sentence-transformers folder on this computer will "
    "do; none comes with Whetstone."
)
RERANKER_NONE = "No cross-encoder is set"
RERANKER_REMOVE = "Take the cross-encoder away"
RERANKER_DIALOG = "Choose the folder of a cross-encoder"
RERANKER_SWITCH = "Use it in every search"
RERANKER_SWITCH_TEXT = "Off until you switch it on, or until a measurement shows that it helps."
RERANKER_MEASURING = "Find out whether it helps"
RERANKER_MEASURING_TEXT = (
    "Makes up to 60 questions from a library and searches with and without it, some minutes."
)
RERANKER_LIBRARY = "Library to measure in"
RERANKER_NO_LIBRARY = "No library"
RERANKER_MEASURE = "Measure"
RERANKER_LOADING = "Loading the cross-encoder…"
RERANKER_PROGRESS = "{done} of {total} questions, {left}"
RERANKER_VERDICT = "{library}: {sentence}"
RERANKER_FIGURES = (
    "{questions}. Found first: {first}, reranked {first_with}. Among the first five: {fifth}, "
    "reranked {fifth_with}. Mean reciprocal rank: {mrr}, reranked {mrr_with} (gain {low} to "
    "{high}). A search takes {ms} ms, reranked {ms_with} ms."
)
QUESTIONS_ASKED = ("question", "questions")
