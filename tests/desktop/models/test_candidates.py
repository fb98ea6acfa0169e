from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from desktop.models.candidates import (
    FATE,
    MEANING,
    PASSAGE,
    RERANKED,
    ROW_ROLE,
    TOGETHER,
    WORDS,
    CandidatesModel,
    CandidatesOrder,
    cell_text,
)
from desktop.widgets.candidates_table import CandidatesTable
from engine.work.api import ExplainedPassage


def candidate(rank: int, dense: int | None, keyword: int | None, **more: Any) -> Any:
    return ExplainedPassage(
        passage_id=rank,
        library="lib1",
        path=f"/x/{'bca'[rank % 3]}.xlsx",
        page=None,
        text="text",
        dense_rank=dense,
        dense_score=None if dense is None else 1 / dense,
        keyword_rank=keyword,
        keyword_score=None if keyword is None else 9.0,
        fused_rank=rank,
        fused_score=1 / rank,
        fate="Left out." if rank > 1 else "Chosen.",
        chosen=1 if rank == 1 else None,
        **more,
    )


def order(model: CandidatesModel, column: int, down: bool = False) -> list[int]:
    proxy = CandidatesOrder()
    proxy.setSourceModel(model)
    orders = Qt.SortOrder
    proxy.sort(column, orders.DescendingOrder if down else orders.AscendingOrder)
    rows = [proxy.index(at, 0).data(ROW_ROLE) for at in range(proxy.rowCount())]
    return [row.fused_rank for row in rows]


def test_what_a_list_did_not_see_comes_last_either_way(qapp: Any) -> None:
    model = CandidatesModel()
    model.set_rows([candidate(1, None, 2), candidate(2, 1, None), candidate(3, 2, 1)])
    assert order(model, MEANING) == [2, 3, 1]
    assert order(model, MEANING, down=True) == [3, 2, 1]
    assert order(model, WORDS) == [3, 1, 2]
    assert order(model, WORDS, down=True) == [1, 3, 2]
    assert order(model, TOGETHER) == [1, 2, 3]
    assert order(model, PASSAGE) == [2, 3, 1]
    assert order(model, FATE, down=True) == [3, 2, 1]


def test_cells_say_rank_and_score_and_the_place() -> None:
    row = candidate(1, 4, None, place="Budget!A5:F9")
    assert cell_text(row, PASSAGE) == "c.xlsx, Budget!A5:F9"
    assert cell_text(row, MEANING) == "4 · 0.250"
    assert cell_text(row, WORDS) == "–"


def test_what_a_reranker_did_has_a_column_only_where_one_was_asked(qapp: Any) -> None:
    plain = [candidate(1, 1, None), candidate(2, 2, None), candidate(3, 3, None)]
    table = CandidatesTable(CandidatesModel())
    table.show_rows(plain)
    assert table.isColumnHidden(RERANKED)
    reranked = [
        candidate(1, 1, None, rerank_rank=2, rerank_score=-1.5),
        candidate(2, 2, None, rerank_rank=1, rerank_score=7.25),
        candidate(3, 3, None),
    ]
    table.show_rows(reranked)
    assert not table.isColumnHidden(RERANKED)
    assert [cell_text(row, RERANKED) for row in reranked] == ["2 · -1.50", "1 · 7.25", "–"]
    model = CandidatesModel()
    model.set_rows(reranked)
    assert order(model, RERANKED) == [2, 1, 3]
    assert order(model, RERANKED, down=True) == [1, 2, 3]
    table.deleteLater()
