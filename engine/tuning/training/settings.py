"""How a training is done: everything that decides its result, as it is stored with the run."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Method = Literal["lora", "prompt", "full"]
Precision = Literal["float32", "bfloat16"]


class Settings(BaseModel):
    """Settings of a training.

    LoRA: Hu et al. 2021, arXiv 2106.09685; rsLoRA: Kalajdzievski 2023, arXiv 2312.03732;
    prompt tuning: Lester et al. 2021, arXiv 2104.08691.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Method = "lora"
    rank: int = Field(default=16, ge=1, le=512)
    alpha: float = Field(default=32.0, gt=0)
    rslora: bool = False
    upper_layers: int = Field(default=0, ge=0)
    """How many of the uppermost layers learn; 0 means all."""
    soft_tokens: int = Field(default=24, ge=1, le=512)
    """Length of the soft prompt."""
    learning_rate: float = Field(default=1e-3, gt=0)
    schedule: Literal["cosine", "linear"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, le=0.5)
    """Share of the steps in which the learning rate rises to its height."""
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a step's gradient."""
    epochs: int = Field(default=3, ge=1)
    batch_examples: int = Field(default=8, ge=1)
    max_tokens: int = Field(default=1024, ge=16)
    """Longer examples are left out, and counted."""
    pack_tokens: int = Field(default=768, ge=16)
    """Tokens computed at once; a longer example is computed alone."""
    evaluations_per_epoch: int = Field(default=2, ge=1)
    validation_examples: int = Field(default=128, ge=1)
    """Examples put aside that are scored on the way."""
    report_examples: int = Field(default=1000, ge=1)
    """Held-out examples scored before the first step and at the end."""
    patience: int = Field(default=4, ge=0)
    """Evaluations without a better validation loss before it ends; 0 never ends early."""
    precision: Precision = "float32"
    keep_states: bool = True
    """Keep the output of the frozen lower layers, when only upper ones learn."""
    replay_share: float = Field(default=0.1, ge=0, le=1)
    """Earlier examples mixed in when an adapter is tuned further, as a share of the new."""
    seed: int = 0
    limit_s: float = Field(default=0.0, ge=0)
    """Seconds after which it ends with the best there is; 0 for no limit."""
