"""A folder with a cross-encoder, described and checked without loading it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from engine.errors import InvalidInput, ModelUnavailable

MAX_TOKENS = 512
"""A question and a passage together are cut to this; passages have 220 tokens at most."""
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)
_LARGEST_JSON_BYTES = 16_000_000


@dataclass(frozen=True)
class RerankerInfo:
    """A cross-encoder on disk.

    Args:
        path: the folder, in the layout of transformers or sentence-transformers.
        architecture: of its config, e.g. "BertForSequenceClassification".
        max_tokens: a longer pair is cut.
        size_bytes: of its weights.
        stamp: changes whenever the config or a file of weights was touched.
    """

    path: Path
    architecture: str
    max_tokens: int
    size_bytes: int
    stamp: str

    @property
    def name(self) -> str:
        """What the user calls it: the folder's name."""
        return self.path.name


def read_reranker(folder: Path) -> RerankerInfo:
    """Describe the cross-encoder in `folder`.

    Raises:
        InvalidInput: there is no such folder.
        ModelUnavailable: it holds no cross-encoder that may be loaded: nothing is ever
            unpickled, and no program code of a model is run.
    """
    if not folder.is_dir():
        raise InvalidInput(
            f"There is no folder {str(folder)!r}.",
            hint="Name the folder that holds the cross-encoder's config.json.",
        )
    config = _read_json(folder, "config.json")
    try:
        architecture, weights = _architecture(folder, config), _weights(folder)
    except (TypeError, KeyError, AttributeError) as error:
        raise _unusable(folder, "its description cannot be understood", repr(error)) from error
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _unusable(folder, "it has no tokenizer")
    try:
        found = [(file.name, file.stat()) for file in (folder / "config.json", *weights)]
    except OSError as error:
        raise _unusable(folder, "it cannot be read", str(error)) from error
    marks = [(name, state.st_size, state.st_mtime_ns) for name, state in found]
    told = json.dumps([str(folder), *marks])
    return RerankerInfo(
        path=folder,
        architecture=architecture,
        max_tokens=_max_tokens(config),
        size_bytes=sum(state.st_size for _, state in found[1:]),
        stamp=hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16],
    )


def _architecture(folder: Path, config: dict[str, Any]) -> str:
    """The one architecture of a config that scores pairs with a single number."""
    if "auto_map" in config:
        raise _unusable(folder, "it needs program code of its own, which is never run")
    named = cast("list[object]", config.get("architectures") or [])
    architecture = str(named[0]) if named else ""
    if not architecture.endswith("ForSequenceClassification"):
        # Loaded all the same it would get a head of random numbers, and random scores.
        what = architecture or "a model that does not say what it is"
        raise _unusable(folder, f"it is no cross-encoder but {what}")
    labels = cast("dict[str, object]", config.get("id2label") or {})
    count = len(labels) or config.get("num_labels", 2)
    if count != 1:
        raise _unusable(folder, f"it gives {count} numbers for a pair, not one")
    if (folder / "modules.json").is_file():
        modules = json.dumps(_read_json(folder, "modules.json", list))
        if modules.count('"type"') != 1 or ".Transformer" not in modules:
            raise _unusable(folder, "it is put together from parts that are not known here")
    return architecture


def _weights(folder: Path) -> list[Path]:
    """The safetensors files of the model."""
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if (folder / _INDEX).is_file():
        shards = cast("dict[str, object]", _read_json(folder, _INDEX).get("weight_map") or {})
        names = sorted(set(map(str, shards.values())))
        if any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
            raise _unusable(folder, "its index of weights cannot be understood")
        missing = [name for name in names if not (folder / name).is_file()]
        if names and not missing:
            return [folder / name for name in names]
        raise _unusable(folder, "part of its weights is missing", ", ".join(missing))
    pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
    if pickled:
        raise ModelUnavailable(
            f"The weights in {folder.name!r} are pickled ({pickled[0]}), and a pickle can run "
            "any program: it is not opened.",
            hint="Use the model's safetensors version: a file named model.safetensors.",
            details=str(folder),
        )
    raise _unusable(folder, "it has no model.safetensors")


def _max_tokens(config: dict[str, Any]) -> int:
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int) or positions <= 8:
        return MAX_TOKENS
    # RoBERTa and its kin keep the first two places for themselves.
    taken = 2 if "roberta" in str(config.get("model_type", "")) else 0
    return min(MAX_TOKENS, positions - taken)


def _read_json(folder: Path, name: str, kind: type = dict) -> Any:
    try:
        if (folder / name).stat().st_size > _LARGEST_JSON_BYTES:
            raise ValueError("too large")
        data = json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError as error:
        raise _unusable(folder, f"it has no {name}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(folder, f"its {name} cannot be read", repr(error)) from error
    if not isinstance(data, kind):
        raise _unusable(folder, f"its {name} cannot be understood")
    return data


def _unusable(folder: Path, why: str, details: str = "") -> ModelUnavailable:
    return ModelUnavailable(
        f"The folder {folder.name!r} cannot be used as a reranker: {why}.",
        hint="Use the folder of a cross-encoder with config.json, model.safetensors and its "
        "tokenizer.",
        details=f"{folder}: {details}" if details else str(folder),
    )
