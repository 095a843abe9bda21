"""What local models with a head share: found at once, loaded safely on first use, run in batches of like length."""

import hashlib
import logging
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from labeling.providers import weights
from labeling.providers.base import (
    Answers,
    CategorySpec,
    Example,
    FloatArray,
    Prompt,
    Provider,
    ProviderError,
    require_categories,
)
from labeling.providers.pooling import read_json
from labeling.providers.tokenizing import Tokens, batches, padded
from labeling.providers.torch_model import (
    CPU_BUDGET,
    GPU_BUDGET,
    has_gpu,
    load,
    precision_on,
    threads_within_quota,
)

logger = logging.getLogger(__name__)

NO_PROMPT = Prompt()
TOKENIZERS = ("tokenizer.json", "vocab.*", "*.model")
_NO_LIMIT = 1_000_000


@dataclass(frozen=True, eq=False)
class Head:
    """A module of transformers with its fast tokenizer. Not safe for several threads at once."""

    module: Any
    tokenizer: Any
    device: str

    @cached_property
    def max_length(self) -> int:
        """The most tokens of one input."""
        positions = getattr(self.module.config.get_text_config(), "max_position_embeddings", None) or _NO_LIMIT
        for name, part in self.module.named_modules():
            # RoBERTa and its kin count positions from the padding's id plus one.
            if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
                positions -= part.padding_idx + 1
        found = min(positions, self.tokenizer.model_max_length)
        return int(found) if found < _NO_LIMIT else 512

    @property
    def token_budget(self) -> int:
        return CPU_BUDGET if self.device == "cpu" else GPU_BUDGET

    def plain(self, text: str, limit: int | None = None) -> list[int]:
        """The tokens of a text, at most `limit`. Names of special tokens in it are words like others."""
        options = {"truncation": True, "max_length": limit} if limit is not None else {}
        found = self.tokenizer(clean(text), add_special_tokens=False, split_special_tokens=True, **options)
        return list(found.input_ids)

    def marked_up(self, text: str) -> list[int]:
        """The tokens of our own words, in which names of special tokens mean those."""
        return list(self.tokenizer(clean(text), add_special_tokens=False).input_ids)

    def beginning(self, text: str) -> str:
        """As much of a text as the model could read if nothing else were there."""
        text = clean(text)
        found = self.tokenizer(
            text,
            add_special_tokens=False,
            split_special_tokens=True,
            truncation=True,
            max_length=self.max_length,
            return_offsets_mapping=True,
        ).offset_mapping
        return text[: found[-1][1]] if found else text

    @cached_property
    def surroundings(self) -> tuple[list[int], list[int]]:
        """The special tokens that the tokenizer puts before and after every text."""
        found = self.tokenizer("a", return_special_tokens_mask=True)
        is_special = [bool(one) for one in found.special_tokens_mask]
        inside = [index for index, special in enumerate(is_special) if not special]
        return list(found.input_ids[: inside[0]]), list(found.input_ids[inside[-1] + 1 :])

    def logits(
        self, rows: Sequence[list[int]], types: Sequence[list[int]] | None = None, *, budget: int | None = None
    ) -> Iterator[tuple[list[int], Any]]:
        """Yield (indices of rows, logits in 32 bits) of batches of like length, at most `budget` tokens each.

        `rows` are tokens, `types` the kind of each, where the model tells the two parts of a pair apart.
        """
        import torch

        tokens = [Tokens(np.array(row, dtype=np.int64), False, None) for row in rows]
        for batch in batches(tokens, budget or self.token_budget):
            ids, mask = padded([tokens[index].ids for index in batch])
            # A decoder's head sits on the last token that is not this one.
            ids[mask == 0] = self._padding
            inputs = {"input_ids": ids, "attention_mask": mask}
            if types is not None:
                inputs["token_type_ids"], _ = padded([np.array(types[index], dtype=np.int64) for index in batch])
            sent = {name: torch.from_numpy(value).to(self.device) for name, value in inputs.items()}
            yield batch, self.module(**sent).logits.float()

    @property
    def _padding(self) -> int:
        config = self.module.config.get_text_config()
        if getattr(config, "pad_token_id", None) is None:
            config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0
        return int(config.pad_token_id)


class HeadedModel(Provider):
    """A provider whose local model has a head. What differs is in `_answer`.

    `model`: a folder, or a name in the Hugging Face cache; with `local_files_only` false the hub may be asked.
    `revision` pins a commit of the hub. The folder is found and checked at once, the weights are loaded on first use.
    One text or batch at a time is computed, whoever asks. Raises ProviderError.
    """

    loader: str  # the Auto class of transformers that reads it
    architectures: tuple[str, ...]  # how the names of those that fit end
    half_on_cpu = False  # see precision_on

    def __init__(
        self, model: str, *, local_files_only: bool = True, revision: str | None = None, use_gpu: bool = False
    ) -> None:
        self._name = model
        self._use_gpu = use_gpu
        self._folder = self._find(model, local_files_only, revision)
        self._config: dict[str, Any] = {} if self._is_gguf else read_json(self._folder / "config.json")
        self._require_architecture()
        self._lock = threading.RLock()

    @property
    def model_name(self) -> str:
        return self._name

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the weights, the tokenizer, the precision and the options that decide the answers."""
        parts = (type(self).__name__, weights.identity(self._folder), self._precision, self._options())
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> FloatArray:
        return self.answer(texts, categories).scores

    def answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        *,
        prompt: Prompt = NO_PROMPT,
        examples: Sequence[Sequence[Example]] = (),
    ) -> Answers:
        require_categories(categories)
        with self._computing():
            return self._answer(texts, categories, prompt, examples)

    @abstractmethod
    def _answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        prompt: Prompt,
        examples: Sequence[Sequence[Example]],
    ) -> Answers:
        """As `answer`; nobody else computes meanwhile, and `_head` may be read."""

    def _options(self) -> tuple[object, ...]:
        """What else decides the answers."""
        return ()

    def _find(self, model: str, local_files_only: bool, revision: str | None) -> Path:
        return weights.model_folder(model, local_files_only=local_files_only, revision=revision)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        import torch

        with self._lock, threads_within_quota(self._device), torch.inference_mode():
            yield

    @cached_property
    def _device(self) -> str:
        if self._use_gpu and not has_gpu():
            logger.warning("USE_GPU is set but torch sees no CUDA device: %s runs on the CPU.", self._name)
        return "cuda" if self._use_gpu and has_gpu() else "cpu"

    @cached_property
    def _precision(self) -> str:
        return precision_on(self._device, half_on_cpu=self.half_on_cpu)

    @cached_property
    def _head(self) -> Head:
        """Loaded where it is first read: inside `_computing`, so once."""
        import transformers

        loader = getattr(transformers, self.loader)
        module = load(loader, self._folder, device=self._device, precision=self._precision)
        head = Head(module, self._load_tokenizer(), self._device)
        logger.info("Loaded %s in %s", type(module).__name__, self._precision)
        return head

    def _load_tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        # Without any of these transformers makes a tokenizer to which every word is unknown.
        if not self._is_gguf and not any(found for name in TOKENIZERS for found in self._folder.glob(name)):
            raise self._refused("has no tokenizer")
        folder = self._folder.parent if self._is_gguf else self._folder
        options = {"gguf_file": self._folder.name} if self._is_gguf else {}
        try:
            loaded = AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, **options
            )
        except (OSError, ValueError) as error:
            raise self._refused(f"has no tokenizer that can be loaded: {error}") from error
        if not loaded.is_fast:
            raise self._refused("has no fast tokenizer")
        return loaded

    @property
    def _is_gguf(self) -> bool:
        return self._folder.suffix == ".gguf"

    def _require_architecture(self) -> None:
        names = self._config.get("architectures") or []
        if names and not any(name.endswith(self.architectures) for name in names):
            raise self._refused(f"is a {names[0]}, not a model for {' or '.join(self.architectures)}")

    def _refused(self, reason: str) -> ProviderError:
        return ProviderError(
            f"The model in {self._folder.name!r} {reason}. Set LOCAL_MODEL_NAME to another model, or choose the kind "
            "that fits it.",
            permanent=True,
        )


def clean(text: str) -> str:
    """Half of a surrogate pair is a valid Python string but no Unicode text: the tokenizer would raise."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
