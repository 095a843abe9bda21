"""Texts to vectors with a local encoder, fast on a plain CPU, and the words that made each vector."""

import hashlib
import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from labeling.learning import zero_shot
from labeling.providers import onnx_graph, weights
from labeling.providers.base import (
    CategorySpec,
    Encoding,
    FloatArray,
    Provider,
    TokenStates,
    require_categories,
)
from labeling.providers.pooling import normalized, pool, read_json, read_recipe
from labeling.providers.tokenizing import Tokenizer, Tokens, batches, padded
from labeling.providers.torch_model import TorchModel, has_gpu

logger = logging.getLogger(__name__)

# Tokens and results of this many texts are in memory at once; enough to find neighbours of like length.
WINDOW = 4096

# A new graph must agree with torch on these; they differ in length, script and rare characters.
PROOF_TEXTS = (
    "The parcel came two weeks late and the box was open.",
    "Refund, please!",
    "¿Dónde está mi tarjeta? Η κάρτα μου δεν λειτουργεί 🙃 البطاقة لا تعمل",
    "The committee said on Wednesday that prices rose by 3.2 % in May, the most in nine years. " * 5,
)


class Model(Protocol):
    """What runs the encoder: ONNX Runtime or torch."""

    precision: str
    token_budget: int
    workers: int

    def hidden(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray: ...


class Encoder(Provider):
    """A provider that embeds texts with a local encoder; plain zero-shot by the categories' own words.

    `model`: "all-MiniLM-L6-v2" (bundled), a folder, or a name in the Hugging Face cache; with `local_files_only` false
    the hub may be asked; `revision` pins a commit there.
    `mode`: "exact" computes in 32 bits and a text's vector never depends on its neighbours;
    "fast" computes in 8 bits, about twice as fast, and vectors vary a little with the texts they are batched with.
    `cache_folder` keeps the exported graph; without it, or where it cannot be written, torch is used.

    The folder is found and checked at once, the weights are loaded on first use. Raises ProviderError.
    """

    can_embed = True

    def __init__(
        self,
        model: str = weights.BUNDLED_NAMES[0],
        *,
        mode: Literal["exact", "fast"] = "exact",
        use_gpu: bool = False,
        cache_folder: Path | str | None = None,
        local_files_only: bool = True,
        revision: str | None = None,
    ) -> None:
        self._name = model
        self._mode = mode
        self._use_gpu = use_gpu
        self._cache_folder = Path(cache_folder) if cache_folder else None
        self._folder = weights.model_folder(model, local_files_only=local_files_only, revision=revision)
        self._recipe = read_recipe(self._folder)
        # Only a mean is a sum over tokens; other poolings have no exact shares.
        self.can_explain = self._recipe.mode == "mean"
        self._loading = threading.RLock()
        self._model: Model | None = None

    @property
    def model_name(self) -> str:
        return self._name

    @cached_property
    def fingerprint(self) -> str:
        """A hash of weights, tokenizer, pooling, length limit and precision.

        Loads the model where the precision depends on the machine (a GPU, the fast mode).
        """
        knows_precision = self._mode == "exact" and not self._use_gpu
        precision = "float32" if knows_precision else self._loaded().precision
        parts = (weights.identity(self._folder), self._recipe, precision)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> FloatArray:
        """Zero-shot probabilities (n_texts, n_categories) from the categories' names, descriptions and examples."""
        require_categories(categories)
        groups = [zero_shot.category_sentences(c.name, c.description, c.examples) for c in categories]
        sentences = self.embed([sentence for group in groups for sentence in group])
        prototypes = zero_shot.prototypes(sentences, [len(group) for group in groups])
        no_pool = np.empty((0, prototypes.shape[1]), dtype=np.float32)
        return zero_shot.fit(prototypes, no_pool).head.probabilities(self.embed(texts))

    def encode(self, texts: Sequence[str], *, with_states: bool = False) -> Encoding:
        """Return unit vectors (n_texts, dim), which texts were cut, and the tokens' states if wanted, in one pass.

        States take n_tokens x dim x 2 bytes a text: ask for them for a few hundred texts at a time.
        """
        with_states = with_states and self.can_explain
        vectors = np.zeros((len(texts), self._dim), dtype=np.float32)
        truncated = np.zeros(len(texts), dtype=bool)
        states: dict[int, TokenStates] = {}
        for start in range(0, len(texts), WINDOW):
            tokens = self._tokenizer(texts[start : start + WINDOW], with_spans=with_states)
            truncated[start : start + len(tokens)] = [one.is_truncated for one in tokens]
            for batch, found, kept in self._run(tokens, with_states):
                rows = [start + index for index in batch]
                vectors[rows] = found
                states.update(zip(rows, kept, strict=False))
        return Encoding(vectors, truncated, [states[row] for row in range(len(texts))] if with_states else None)

    def _run(
        self, tokens: Sequence[Tokens], with_states: bool
    ) -> Iterator[tuple[list[int], FloatArray, list[TokenStates]]]:
        """Yield (indices, vectors, states) of each batch; batches run side by side where the model allows it."""
        model = self._loaded()
        plan = list(batches(tokens, model.token_budget))
        step = partial(self._encode_batch, model, tokens, with_states)
        if model.workers == 1 or len(plan) == 1:
            yield from map(step, plan)
            return
        pool_of_threads = ThreadPoolExecutor(min(model.workers, len(plan)), thread_name_prefix="encoder")
        try:
            yield from pool_of_threads.map(step, plan)
        finally:
            # After an interrupt only the batches under way are finished, not the whole plan.
            pool_of_threads.shutdown(cancel_futures=True)

    def _encode_batch(
        self, model: Model, tokens: Sequence[Tokens], with_states: bool, batch: list[int]
    ) -> tuple[list[int], FloatArray, list[TokenStates]]:
        ids, mask = padded([tokens[index].ids for index in batch])
        hidden = model.hidden(ids, mask)
        vectors, lengths = normalized(pool(hidden, mask, self._recipe.mode))
        states = [
            TokenStates(spans, hidden[row, : len(spans)].astype(np.float16), float(lengths[row, 0]))
            for row, index in enumerate(batch)
            if with_states and (spans := tokens[index].spans) is not None
        ]
        return batch, vectors, states

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self._folder, self._recipe)

    @cached_property
    def _dim(self) -> int:
        """The length of a vector; read from the configuration, so that an empty list needs no weights."""
        config: dict[str, Any] = read_json(self._folder / "config.json")
        return int(config.get("hidden_size") or config.get("dim") or config["d_model"])

    def _loaded(self) -> Model:
        with self._loading:
            if self._model is None:
                self._model = self._load()
                logger.info("Loaded encoder %s in %s", type(self._model).__name__, self._model.precision)
            return self._model

    def _load(self) -> Model:
        if self._use_gpu and has_gpu():
            return TorchModel(self._folder, device="cuda")
        if self._use_gpu:
            logger.warning("USE_GPU is set but torch sees no CUDA device: the encoder runs on the CPU.")
        wanted = ("int8", "float32") if self._mode == "fast" else ("float32",)
        for precision in wanted:
            try:
                return self._graph(precision)
            except onnx_graph.GraphError as reason:
                logger.warning("No %s graph of the encoder: %s. A slower way is used.", precision, reason)
        return TorchModel(self._folder)

    def _graph(self, precision: str) -> Model:
        if self._cache_folder is None:
            raise onnx_graph.GraphError("no cache folder is set")
        return onnx_graph.open_or_export(
            self._folder,
            identity=weights.identity(self._folder),
            precision=precision,
            cache_folder=self._cache_folder,
            samples=[one.ids for one in self._tokenizer(PROOF_TEXTS)],
        )
