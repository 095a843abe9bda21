"""From the token vectors of a text to its one vector: the model's own way, and the shares of the tokens in it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import FloatArray, ProviderError

Mode = Literal["mean", "cls", "max", "lasttoken"]

# Mean over sqrt(n) differs from the mean by a factor, which unit length removes.
_MODES: dict[str, Mode] = {
    "mean": "mean",
    "mean_tokens": "mean",
    "mean_sqrt_len_tokens": "mean",
    "cls": "cls",
    "cls_token": "cls",
    "max": "max",
    "max_tokens": "max",
    "lasttoken": "lasttoken",
}
_KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")
_NO_LIMIT = 1_000_000
_TINY = np.float32(1e-12)


@dataclass(frozen=True)
class Recipe:
    """How a model folder says that its vectors are made."""

    mode: Mode
    max_length: int
    lower_case: bool


def read_recipe(folder: Path) -> Recipe:
    """Read pooling and length limit as sentence-transformers writes them; mean pooling where nothing is said.

    Raises ProviderError (permanent) for a model that is no encoder or has steps that are not known here: a wrong
    vector would look like a right one.
    """
    config = read_json(folder / "config.json")
    _require_encoder(config, folder)
    sentence = read_json(folder / "sentence_bert_config.json")
    limit = sentence.get("max_seq_length") or _NO_LIMIT
    return Recipe(_mode(folder), min(limit, _limit(config, folder)), bool(sentence.get("do_lower_case")))


def pool(hidden: FloatArray, mask: NDArray[np.int64], mode: Mode) -> FloatArray:
    """Return one vector a text (n, dim), of any length, from token vectors (n, length, dim), padded on the right."""
    if mode == "cls":
        return hidden[:, 0]
    if mode == "lasttoken":
        return hidden[np.arange(len(hidden)), mask.sum(axis=1) - 1]
    if mode == "max":
        pooled: FloatArray = np.where(mask[:, :, None] == 1, hidden, -np.inf).max(axis=1)
        return pooled
    counts = mask.sum(axis=1, keepdims=True).astype(np.float32)
    # A product of matrices, not `(hidden * mask).sum(1)`: that would copy all token vectors.
    return np.matmul((mask / counts).astype(np.float32)[:, None, :], hidden)[:, 0]


def normalized(pooled: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rows of unit length (n, dim) and the lengths they had (n, 1)."""
    lengths = np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), _TINY).astype(np.float32)
    return pooled / lengths, lengths


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _mode(folder: Path) -> Mode:
    if not (folder / "modules.json").exists():
        return "mean"
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    kinds = {module["type"].split(".")[-1]: module["path"] for module in modules}
    unknown = [kind for kind in kinds if kind not in _KNOWN_MODULES]
    if unknown:
        raise _unsupported(folder, f"has the step {unknown[0]}")
    names = _stated_modes(read_json(folder / kinds["Pooling"] / "config.json")) if "Pooling" in kinds else ["mean"]
    if len(names) > 1 or names[0] not in _MODES:
        raise _unsupported(folder, f"pools by {' and '.join(names)}")
    return _MODES[names[0]]


def _stated_modes(config: dict[str, Any]) -> list[str]:
    """The poolings that are switched on, in the present form (`pooling_mode`) or the old one (a switch for each)."""
    prefix = "pooling_mode_"
    stated = config.get("pooling_mode")
    if isinstance(stated, str):
        return [stated]
    switches = [key.removeprefix(prefix) for key, on in config.items() if key.startswith(prefix) and on is True]
    return list(stated or switches or ["mean"])


def _limit(config: dict[str, Any], folder: Path) -> int:
    stated = read_json(folder / "tokenizer_config.json").get("model_max_length") or _NO_LIMIT
    positions = config.get("max_position_embeddings") or _NO_LIMIT
    if config.get("model_type") in _OFFSET_POSITIONS:  # they count positions from the padding's id plus one
        positions -= (config.get("pad_token_id") or 0) + 1
    found = min(stated, positions)
    return int(found) if found < _NO_LIMIT else 512


def _require_encoder(config: dict[str, Any], folder: Path) -> None:
    names = config.get("architectures") or []
    if config.get("is_encoder_decoder") or any(
        part in name for name in names for part in ("CausalLM", "LMHead", "ConditionalGeneration", "T5")
    ):
        raise _unsupported(folder, f"is a {(names or ['sequence-to-sequence model'])[0]}, not an encoder")


def _unsupported(folder: Path, reason: str) -> ProviderError:
    return ProviderError(
        f"The model in {folder.name!r} {reason}, which is not supported. Set LOCAL_MODEL_NAME to an encoder such as "
        "all-MiniLM-L6-v2.",
        permanent=True,
    )
