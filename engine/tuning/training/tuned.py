"""A base with what is trained on it: LoRA, a soft prompt, or its own weights."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import peft
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import hardware
from engine.errors import InvalidInput, NotEnoughMemory
from engine.tuning.bases import Base, load_base
from engine.tuning.training.decoder import Decoder, answer_loss, score_answers
from engine.tuning.training.packs import Pack
from engine.tuning.training.settings import Precision, Settings
from engine.tuning.training.states import LowerStates
from engine.tuning.training.threads import Threads

_peft: Any = peft
_torch: Any = torch

SOFT_NAME = "soft_prompt"
_CAPPED = frozenset({"gemma2"})
_TRIAL_ROWS = 256


class Tuned:
    """A model that learns.

    Args:
        base: the converted base.
        settings: what learns, and how.

    Raises:
        NotEnoughMemory: it does not fit.
        ModelUnavailable: the base cannot be read.
    """

    def __init__(self, base: Base, settings: Settings, start: Mapping[str, Tensor]) -> None:
        self.settings = settings
        self.threads = Threads()
        full = settings.method == "full"
        bf16 = settings.precision == "bfloat16"
        dtype = torch.bfloat16 if bf16 and not full else torch.float32
        _torch.manual_seed(settings.seed)
        try:
            model = load_for_training(base, dtype)
            self._soft: nn.Parameter | None = None
            layers = int(model.config.num_hidden_layers)
            learning = min(settings.upper_layers or layers, layers)
            self.frozen_layers = layers - learning if settings.method != "prompt" else 0
            self.peft: Any = None
            if settings.method == "lora":
                self.peft = _with_lora(model, settings, self.frozen_layers)
                model = self.peft.get_base_model()
            elif full:
                _unfreeze(model, self.frozen_layers)
            self.model = model
            self.decoder = Decoder(model)
            if settings.method == "prompt":
                self._soft = nn.Parameter(_first_soft(model, settings))
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise not_enough(error) from error
        if start:
            self.load(start)

    # --- what learns -------------------------------------------------------------------

    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name, in a fixed order."""
        if self._soft is not None:
            return {SOFT_NAME: self._soft}
        owner = self.peft if self.peft is not None else self.model
        return {n: p for n, p in owner.named_parameters() if p.requires_grad}

    def adapter(self) -> dict[str, Tensor]:
        """What was trained, on the CPU, under the names it is stored with (peft's for LoRA)."""
        if self.peft is not None:
            found = cast(dict[str, Tensor], _peft.get_peft_model_state_dict(self.peft))
        else:
            found = dict[str, Tensor](self.parameters())
        return {n: t.detach().cpu().float().contiguous().clone() for n, t in found.items()}

    def load(self, adapter: Mapping[str, Tensor]) -> None:
        """Take over what `adapter` gave.

        Raises:
            InvalidInput: it belongs to other settings or another base.
        """
        own = self.adapter()
        if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in adapter.items()}:
            raise InvalidInput(
                "This adapter does not go with these settings.",
                hint="Tune further with the method, rank and layers it was made with.",
            )
        if self.peft is not None:
            _peft.set_peft_model_state_dict(self.peft, dict(adapter))
            return
        with torch.no_grad():
            for name, parameter in self.parameters().items():
                parameter.copy_(adapter[name])

    @contextmanager
    def bare(self) -> Generator[Any]:
        """The base as it is without what was trained (not for a full fine-tuning)."""
        if self.peft is None:
            yield self.model
            return
        with self.peft.disable_adapter():
            yield self.model

    @property
    def soft_tokens(self) -> int:
        """Length of the soft prompt; 0 where there is none."""
        return 0 if self._soft is None else len(self._soft)

    # --- computing ---------------------------------------------------------------------

    @contextmanager
    def computing(self) -> Generator[None]:
        """In the precision of the settings; running out of memory becomes an error of ours."""
        bf16 = self.settings.precision == "bfloat16"
        try:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                yield
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise not_enough(error) from error
        except RuntimeError as error:
            if "allocate memory" in str(error) or "out of memory" in str(error):
                raise not_enough(error) from error
            raise

    def outputs(self, pack: Pack, lower: LowerStates | None = None) -> Tensor:
        """The last layer's output at the places asked, (answers, width).

        Args:
            pack: the examples.
            lower: where the frozen layers' output is kept; all its rows must be there.
        """
        decoder, frozen = self.decoder, self.frozen_layers
        if lower is not None:
            states = lower.of(pack)
        else:
            states = decoder.embed(pack, self._soft)
            if frozen:
                with torch.no_grad():
                    states = decoder.run(states, pack, 0, frozen)
        return decoder.run(states, pack, frozen, decoder.layers)[0, pack.asked]

    def loss(self, pack: Pack, lower: LowerStates | None = None) -> Tensor:
        """Summed loss over the pack's answer tokens, differentiable."""
        outputs = self.outputs(pack, lower)
        return answer_loss(self.decoder, outputs, pack.targets)

    @torch.no_grad()
    def score(self, pack: Pack, lower: LowerStates | None = None) -> tuple[float, int]:
        """Summed loss, and how many of the examples greedy decoding would answer exactly."""
        losses, right = score_answers(self.decoder, self.outputs(pack, lower), pack.targets)
        exact = torch.ones(len(pack.rows), dtype=torch.bool)
        exact[pack.owners[~right]] = False
        return float(losses.sum()), int(exact.sum())


def load_for_training(base: Base, dtype: torch.dtype) -> Any:
    """The base as a model, with the attention that its family needs.

    Raises:
        NotEnoughMemory, ModelUnavailable: as `load_base`.
    """
    return load_base(base, dtype, eager=_is_capped(base))


def not_enough(error: BaseException) -> NotEnoughMemory:
    """Memory ran out while training."""
    return NotEnoughMemory(
        "There is not enough memory for this training. Earlier adapters are kept.",
        hint="Close other programs, or train with fewer layers, shorter examples or a "
        "smaller model.",
        details=repr(error),
    )


def measured_precision(width: int, wide: int) -> Precision:
    """The faster of float32 and bfloat16 on this processor, tried on a layer's matrices.

    torch emulates bfloat16 where the processor lacks it, which is far slower; so it is only
    tried where the instructions are there, and only chosen when it wins clearly.
    """
    if not hardware.cpu().has_bf16:
        return "float32"
    seconds: dict[Precision, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        rows = torch.randn(_TRIAL_ROWS, width, dtype=dtype)
        weight = torch.randn(wide, width, dtype=dtype)
        F.linear(rows, weight)
        begun = time.perf_counter()
        for _ in range(5):
            F.linear(rows, weight)
        seconds[cast(Precision, name)] = time.perf_counter() - begun
    return "bfloat16" if seconds["bfloat16"] * 1.2 < seconds["float32"] else "float32"


def lora_modules(model: Any) -> list[str]:
    """The names of all linear layers inside the decoder's blocks, such as "q_proj"."""
    names = {
        name.rpartition(".")[2]
        for name, module in model.model.layers.named_modules()
        if isinstance(module, nn.Linear)
    }
    return sorted(names)


def _with_lora(model: Any, settings: Settings, frozen_layers: int) -> Any:
    config = _peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        use_rslora=settings.rslora,
        target_modules=lora_modules(model),
        layers_to_transform=list(range(frozen_layers, int(model.config.num_hidden_layers))),
        layers_pattern="layers",
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    return _peft.get_peft_model(model, config)


def _unfreeze(model: Any, frozen_layers: int) -> None:
    """The matrices of the layers from `frozen_layers` on.

    Embeddings and norms stay: they are shared by all that the model knows, and a few hundred
    examples have nothing to say about most of it.
    """
    for layer in list(model.model.layers)[frozen_layers:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                module.weight.requires_grad_(True)


def _first_soft(model: Any, settings: Settings) -> Tensor:
    """A soft prompt to begin with: embeddings of random tokens, as Lester et al. advise."""
    table = model.get_input_embeddings()
    generator = torch.Generator().manual_seed(settings.seed)
    ids = torch.randint(0, table.num_embeddings, (settings.soft_tokens,), generator=generator)
    with torch.no_grad():
        return table(ids).float().clone()


def _is_capped(base: Base) -> bool:
    """Whether the attention scores are capped, which the fast attention does not do."""
    import json

    config = json.loads((base.folder / "config.json").read_text("utf-8"))
    return config.get("model_type") in _CAPPED
