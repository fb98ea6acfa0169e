"""Real, tiny cross-encoders written by the tests with transformers, in a process of its own.

`python -m tests.rerankers FOLDER` writes three below FOLDER: "winner", whose score grows with
the part of a pair that is the word "winner"; "random", of random weights; and "roberta", of
another architecture, random too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WINNER = "winner"
WIDTH = 16
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS]
TOKENS += [*(f"##{letter}" for letter in _LETTERS), ".", ",", "note", "the", WINNER]


def write_tiny_rerankers(folder: Path) -> Path:
    """All three below `folder`; transformers is not loaded into the process of the tests."""
    subprocess.run(
        [sys.executable, "-m", "tests.rerankers", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


def _save(folder: Path, model: Any) -> None:
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    model.save_pretrained(folder)


def _config(kind: Any, positions: int, **more: Any) -> Any:
    return kind(
        vocab_size=len(TOKENS),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=positions,
        type_vocab_size=2,
        num_labels=1,
        pad_token_id=0,
        initializer_range=0.5,
        **more,
    )


def _make_it_win(model: Any) -> None:
    """[CLS] looks at all tokens alike, and the head at the one direction of the winner."""
    import torch

    with torch.no_grad():
        table = model.bert.embeddings
        for part in (table.position_embeddings, table.token_type_embeddings):
            part.weight.zero_()
        # All other tokens are one and the same, so that nothing else counts.
        other = torch.tensor([0.0, *([1.0, -1.0] * ((WIDTH - 1) // 2)), 0.0])
        table.word_embeddings.weight.copy_(other.expand(len(TOKENS), WIDTH))
        table.word_embeddings.weight[TOKENS.index(WINNER)] = 8.0 * torch.eye(WIDTH)[0]
        layer = model.bert.encoder.layer[0]
        own = layer.attention.self
        for linear in (own.query, own.key, layer.intermediate.dense, layer.output.dense):
            linear.weight.zero_()
            linear.bias.zero_()
        for linear in (own.value, layer.attention.output.dense, model.bert.pooler.dense):
            linear.weight.copy_(torch.eye(WIDTH))
            linear.bias.zero_()
        model.classifier.weight.copy_(10.0 * torch.eye(WIDTH)[:1])
        model.classifier.bias.zero_()


def main(folder: Path) -> None:
    """Write the three."""
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    torch.manual_seed(0)
    winner = BertForSequenceClassification(_config(BertConfig, 512))
    _make_it_win(winner)
    _save(folder / "winner", winner)
    _save(folder / "random", BertForSequenceClassification(_config(BertConfig, 96)))
    roberta = RobertaForSequenceClassification(_config(RobertaConfig, 98))
    _save(folder / "roberta", roberta)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
