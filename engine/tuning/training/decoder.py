"""The layers of a decoder of any trainable family, run in part, and the loss on answers.

The lower layers alone, the upper ones alone on kept states, or all of them; the vocabulary's
scores only for tokens of answers, and never for more than a few hundred at once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.tuning.training.packs import Pack

CHUNK_BYTES = 96 << 20
"""Memory for the scores computed at once."""


class Decoder:
    """A causal language model, split into embedding, layers and head.

    Args:
        model: of transformers; the layers may carry adapters.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._inner = model.model
        self.config: Any = model.config
        self.layers = int(self.config.num_hidden_layers)
        self.width = int(self.config.hidden_size)
        self.vocabulary = int(self.config.vocab_size)
        self._cap = getattr(self.config, "final_logit_softcapping", None)
        self._parts: dict[tuple[int, int], Any] = {}

    def embed(self, pack: Pack, soft: Tensor | None = None) -> Tensor:
        """Input of the first layer, (1, length, width); `soft` (n, width) stands in front."""
        states = self._model.get_input_embeddings()(pack.ids[None])
        if soft is None:
            return states
        return torch.cat([soft[None].to(states.dtype), states], dim=1)

    def run(self, states: Tensor, pack: Pack, first: int, last: int) -> Tensor:
        """Layers `first` to `last` (exclusive) on (1, length, width); normed after the last."""
        part = self._part(first, last)
        return part(
            inputs_embeds=states,
            attention_mask=self._masks(pack, states.dtype),
            position_ids=pack.positions[None],
            use_cache=False,
        ).last_hidden_state

    def scores(self, states: Tensor) -> Tensor:
        """Scores (logits) of the next token, float32, (n, vocabulary) for (n, width)."""
        scores = self._model.lm_head(states).float()
        return torch.tanh(scores / self._cap) * self._cap if self._cap else scores

    def chunk(self) -> int:
        """How many rows of scores are computed at once."""
        return max(16, CHUNK_BYTES // (4 * self.vocabulary))

    def _part(self, first: int, last: int) -> Any:
        """The decoder with these layers only. It shares all weights with the whole."""
        if (first, last) not in self._parts:
            part = copy.copy(self._inner)
            part._modules = dict(self._inner._modules)
            part.layers = nn.ModuleList(list(self._inner.layers)[first:last])
            config = copy.deepcopy(self.config)
            if getattr(config, "layer_types", None):
                config.layer_types = list(config.layer_types)[first:last]
            config.num_hidden_layers = last - first
            part.config = config
            if last < self.layers:
                part.norm = nn.Identity()
            self._parts[first, last] = part
        return self._parts[first, last]

    def _masks(self, pack: Pack, dtype: torch.dtype) -> Tensor | dict[str, Tensor]:
        kinds = getattr(self.config, "layer_types", None)
        window = getattr(self.config, "sliding_window", None)
        if kinds:
            masks = {"full_attention": pack.mask(dtype)}
            if "sliding_attention" in kinds:
                masks["sliding_attention"] = pack.mask(dtype, window)
            return masks
        return pack.mask(dtype, window)


class _AnswerLoss(torch.autograd.Function):
    """Cross entropy through a frozen head, its gradient taken chunk by chunk at once.

    The scores of one chunk are all that ever exists of them.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        targets: Tensor,
        scores: Callable[[Tensor], Tensor],
        chunk: int,
    ) -> Tensor:
        gradient = torch.empty_like(states)
        total = torch.zeros((), dtype=torch.float32)
        for at in range(0, len(targets), chunk):
            with torch.enable_grad():
                part = states[at : at + chunk].detach().requires_grad_()
                loss = F.cross_entropy(scores(part), targets[at : at + chunk], reduction="sum")
            (gradient[at : at + chunk],) = torch.autograd.grad(loss, part)
            total += loss.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        return gradient * grads[0], None, None, None


def answer_loss(decoder: Decoder, states: Tensor, targets: Tensor) -> Tensor:
    """Summed cross entropy of `targets` (n,) after `states` (n, width), differentiable.

    Args:
        decoder: whose frozen head gives the scores.
        states: outputs of the last layer at the places asked.
        targets: the tokens that should come.
    """
    return cast(Any, _AnswerLoss).apply(states, targets, decoder.scores, decoder.chunk())


@torch.no_grad()
def score_answers(decoder: Decoder, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Loss of each target, float32 (n,), and whether it is the likeliest token, bool (n,)."""
    losses: list[Tensor] = []
    right: list[Tensor] = []
    for at in range(0, len(targets), decoder.chunk()):
        wanted = targets[at : at + decoder.chunk()]
        scores = decoder.scores(states[at : at + decoder.chunk()])
        losses.append(F.cross_entropy(scores, wanted, reduction="none"))
        right.append(scores.argmax(1) == wanted)
    if not losses:
        return torch.zeros(0), torch.zeros(0, dtype=torch.bool)
    return torch.cat(losses), torch.cat(right)
