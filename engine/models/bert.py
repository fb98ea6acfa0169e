"""The forward pass of a BERT encoder in plain torch, for embedding models of that family.

sentence-transformers computes the same (a contract test compares the two), but importing it
takes seven seconds against one for torch alone, which is what a first search would wait,
and its generic path leaves a third of the speed on the table on a CPU. Models of another
architecture go through sentence-transformers; see `engine.models.encoding`.

Devlin et al. 2019, arXiv 1810.04805; pooling as in Reimers and Gurevych 2019,
arXiv 1908.10084.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from safetensors import torch as safetensors_torch
from torch import Tensor

_load_file = cast(Callable[[Path], dict[str, Tensor]], cast(Any, safetensors_torch).load_file)

_LENGTH_STEP = 16


@dataclass(frozen=True)
class _Layer:
    """One block: fused query-key-value projection, output, two feed-forward matrices."""

    qkv: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]
    out_norm: tuple[Tensor, Tensor]
    wide: tuple[Tensor, Tensor]
    narrow: tuple[Tensor, Tensor]
    narrow_norm: tuple[Tensor, Tensor]


def is_plain_bert(folder: Path) -> bool:
    """True when `BertEncoder` computes what sentence-transformers would for this folder."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text("utf-8"))
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    others = [key for key, on in pooling.items() if key.startswith("pooling_mode_") and on]
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and others == ["pooling_mode_mean_tokens"]
        and [module["type"].rpartition(".")[2] for module in modules]
        == ["Transformer", "Pooling", "Normalize"]
    )


class BertEncoder:
    """Token ids to unit vectors: BERT, mean over the tokens, length 1.

    Args:
        folder: a sentence-transformers folder for which `is_plain_bert` holds.
        device: torch device.
        dtype: of weights and activations; pooling is always float32.
        prefix: what the names of the weights begin with.

    Raises:
        OSError, KeyError, ValueError, RuntimeError: the folder does not hold such a model.
    """

    def __init__(self, folder: Path, device: str, dtype: torch.dtype, prefix: str = "") -> None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._width = int(config["hidden_size"])
        self._epsilon = float(config["layer_norm_eps"])
        self._device = device
        weights = _load_file(folder / "model.safetensors")

        def load(*names: str) -> tuple[Tensor, Tensor]:
            def joined(kind: str) -> Tensor:
                parts = [weights[f"{prefix}{name}.{kind}"] for name in names]
                return torch.cat(parts).to(device=device, dtype=dtype).contiguous()

            return joined("weight"), joined("bias")

        def table(name: str) -> Tensor:
            found = weights[f"{prefix}embeddings.{name}_embeddings.weight"]
            return found.to(device=device, dtype=dtype)

        self._words = table("word")
        self._places = table("position")
        self._kinds = table("token_type")
        self._norm = load("embeddings.LayerNorm")
        self._layers: list[_Layer] = []
        for number in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{number}"
            own = f"{at}.attention.self"
            self._layers.append(
                _Layer(
                    qkv=load(f"{own}.query", f"{own}.key", f"{own}.value"),
                    out=load(f"{at}.attention.output.dense"),
                    out_norm=load(f"{at}.attention.output.LayerNorm"),
                    wide=load(f"{at}.intermediate.dense"),
                    narrow=load(f"{at}.output.dense"),
                    narrow_norm=load(f"{at}.output.LayerNorm"),
                )
            )

    def encode(self, tokens: list[list[int]]) -> Tensor:
        """Unit vectors, float32 on the CPU, shape (len(tokens), dimensions).

        Args:
            tokens: ids of one batch with special tokens, none empty; padded here.
        """
        states, real = self.states(tokens)
        kept = real[..., None].float()
        mean = (states.float() * kept).sum(1) / kept.sum(1)
        return F.normalize(mean, dim=1).cpu()

    def states(
        self, tokens: list[list[int]], kinds: list[list[int]] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The last layer, shape (len(tokens), length, width), and which tokens are real.

        Args:
            tokens: ids of one batch with special tokens, none empty; padded here.
            kinds: 0 or 1 for each token, the first or the second text of a pair; None: all 0.
        """
        longest = max(map(len, tokens))
        # Few different lengths: oneDNN prepares its kernels anew for every shape, which
        # costs time and memory (measured: a fifth faster, 100 MB less).
        longest = min(-(-longest // _LENGTH_STEP) * _LENGTH_STEP, len(self._places))
        ids = torch.zeros((len(tokens), longest), dtype=torch.long)
        real = torch.zeros((len(tokens), longest), dtype=torch.bool)
        for row, passage in enumerate(tokens):
            ids[row, : len(passage)] = torch.tensor(passage)
            real[row, : len(passage)] = True
        ids, real = ids.to(self._device), real.to(self._device)
        mask = None if bool(real.all()) else real[:, None, None, :]
        kind = self._kinds[0]
        if kinds is not None:
            padded = [row + [0] * (longest - len(row)) for row in kinds]
            kind = self._kinds[torch.tensor(padded, device=self._device)]
        states = self._words[ids] + self._places[:longest] + kind
        states = self._normalized(states, self._norm)
        for layer in self._layers:
            states = self._block(states, layer, mask)
        return states, real

    def _block(self, states: Tensor, layer: _Layer, mask: Tensor | None) -> Tensor:
        rows, length, width = states.shape
        qkv = F.linear(states, *layer.qkv)
        query, key, value = qkv.view(
            rows, length, 3, self._heads, width // self._heads
        ).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = F.linear(seen.transpose(1, 2).reshape(rows, length, width), *layer.out)
        states = self._normalized(states + seen, layer.out_norm)
        wide = F.gelu(F.linear(states, *layer.wide))
        return self._normalized(states + F.linear(wide, *layer.narrow), layer.narrow_norm)

    def _normalized(self, states: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(states, (self._width,), norm[0], norm[1], self._epsilon)
