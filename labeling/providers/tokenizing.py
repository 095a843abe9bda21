"""From texts to token ids, with character offsets where evidence is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import ProviderError
from labeling.providers.pooling import Recipe


@dataclass(frozen=True, eq=False)
class Tokens:
    """One text as the model reads it. `spans` (n_tokens, 2) only when they were asked for."""

    ids: NDArray[np.int64]
    is_truncated: bool
    spans: NDArray[np.int32] | None


class Tokenizer:
    """The model's own tokenizer, without padding, cut at the model's limit. Safe to call from several threads."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self._tokenizer = _load(folder)
        # The published file of MiniLM pads everything to 128 and cuts there; the model itself takes 256.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(recipe.max_length)
        self._lower_case = recipe.lower_case

    def __call__(self, texts: Sequence[str], *, with_spans: bool = False) -> list[Tokens]:
        """Return the tokens of each text, in order; every text has at least one token."""
        cleaned = [self._clean(text) for text in texts]
        encode = self._tokenizer.encode_batch if with_spans else self._tokenizer.encode_batch_fast
        return [_tokens(encoding, with_spans) for encoding in encode(cleaned)]

    def _clean(self, text: str) -> str:
        """Change characters one for one, so that offsets still point into the caller's text."""
        if self._lower_case:
            text = "".join(low if len(low := character.lower()) == 1 else character for character in text)
        # Half of a surrogate pair is a valid Python string but no Unicode text: the tokenizer would raise.
        return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def batches(tokens: Sequence[Tokens], budget: int) -> Iterator[list[int]]:
    """Yield indices of texts of like length, each batch at most `budget` tokens with its padding, longest first."""
    batch: list[int] = []
    for index in sorted(range(len(tokens)), key=lambda i: -len(tokens[i].ids)):
        if batch and (len(batch) + 1) * len(tokens[batch[0]].ids) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def padded(rows: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and mask, both (n, longest), padded on the right; the mask makes the padding's id irrelevant."""
    ids = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


def _tokens(encoding: Any, with_spans: bool) -> Tokens:
    ids = np.array(encoding.ids or [0], dtype=np.int64)
    spans = np.array(encoding.offsets or [(0, 0)], dtype=np.int32).reshape(-1, 2) if with_spans else None
    return Tokens(ids, bool(encoding.overflowing), spans)


def _load(folder: Path) -> Any:
    if (folder / "tokenizer.json").exists():
        from tokenizers import Tokenizer as FastTokenizer

        return FastTokenizer.from_file(str(folder / "tokenizer.json"))
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _no_tokenizer(folder) from error
    if not loaded.is_fast:
        raise _no_tokenizer(folder)
    return loaded.backend_tokenizer


def _no_tokenizer(folder: Path) -> ProviderError:
    return ProviderError(
        f"The folder {folder.name!r} has no tokenizer.json. Save a fast tokenizer there: "
        "AutoTokenizer.from_pretrained(name).save_pretrained(folder).",
        permanent=True,
    )
