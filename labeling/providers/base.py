"""What every provider of labels promises: texts and categories in as plain values, probabilities out as arrays."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CategorySpec:
    """One allowed answer as a provider sees it: words, never a database row."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()


class ProviderError(Exception):
    """A provider cannot answer. The message tells the next step.

    `permanent=False` may pass by itself and is worth another try; `permanent=True` stays until somebody changes
    something, so that a run stops.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, eq=False)
class TokenContributions:
    """How much each token of one text adds to its score.

    `spans` (n_tokens, 2), int32: start and end as character offsets into the text; (0, 0) for the tokens that a model
    puts around every text. `weights` (n_tokens,), float32: they sum to `direction . vector`.
    """

    spans: NDArray[np.int32]
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class TokenStates:
    """What the model made of each token of one text, whose mean is the text's vector.

    Kept, so that the label can be explained once its classifier is known, without a second pass of the model.
    `spans` as in TokenContributions; `states` (n_tokens, dim), float16; `length` is that of their mean.
    """

    spans: NDArray[np.int32]
    states: NDArray[np.float16]
    length: float

    def contributions(self, direction: FloatArray) -> TokenContributions:
        """Each token's share of `direction . vector`, for a direction of shape (dim,).

        The vector is `sum_t h_t / (n ||mean h||)`, so token t adds `direction . h_t / (n ||mean h||)`: exact, but for
        the rounding of the states to 16 bits.
        """
        scale = len(self.states) * self.length
        return TokenContributions(self.spans, self.states.astype(np.float32) @ direction / np.float32(scale))


@dataclass(frozen=True, eq=False)
class Encoding:
    """What one pass of an encoder says about n texts.

    `vectors` (n, dim), float32, rows of unit length. `truncated` (n,): the model read only the beginning of the text.
    `states`: one for each text when they were asked for and the model can explain, else None.
    """

    vectors: FloatArray
    truncated: NDArray[np.bool_]
    states: list[TokenStates] | None = None


class Provider(ABC):
    """A model that answers which category a text belongs to. One instance serves all threads of a process.

    `model_name` is for people. `fingerprint` is a short stable hash that changes whenever the answers may change:
    cached embeddings and answers are kept under it.
    """

    can_embed: bool = False
    can_explain: bool = False

    @property
    @abstractmethod
    def model_name(self) -> str: ...

    @property
    @abstractmethod
    def fingerprint(self) -> str: ...

    @abstractmethod
    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> FloatArray:
        """Return probabilities of shape (n_texts, n_categories); rows sum to one.

        Raises ProviderError; a permanent one when there are no categories.
        """

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return rows of unit length, shape (n_texts, dim). Only where `can_embed`."""
        return self.encode(texts).vectors

    def encode(self, texts: Sequence[str], *, with_states: bool = False) -> Encoding:
        """Return vectors, and the tokens' states where asked for and `can_explain`. Only where `can_embed`."""
        raise NotImplementedError(f"{type(self).__name__} gives probabilities, not embeddings.")


def require_categories(categories: Sequence[CategorySpec]) -> None:
    """Raise a permanent ProviderError when there is nothing to choose from."""
    if not categories:
        raise ProviderError("There is no active category to choose from. Add one to the project.", permanent=True)
