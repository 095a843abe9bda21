"""What every provider of labels promises: texts and categories in as plain values, probabilities out as arrays."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CategorySpec:
    """One allowed answer as a provider sees it: words, never a database row."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A text that people decided, shown to a model that is told how to answer."""

    text: str
    category: str


@dataclass(frozen=True)
class Prompt:
    """How a project wants its model to be asked. What is empty is the provider's own."""

    instructions: str = ""  # the guidelines that people follow, too
    template: str = ""  # of models that follow instructions
    hypothesis: str = ""  # of models that judge whether a text entails a sentence, with {} for the category
    wants_reason: bool = False  # where the model can give one


class ConfidenceSource(StrEnum):
    """What a confidence was computed from, best first."""

    PROBABILITIES = "probabilities"  # of a model that was trained to give them
    LIKELIHOOD = "likelihood"  # exact, of each category's name
    LOGPROBS = "logprobs"  # of the tokens that name the category, as a server reports them
    AGREEMENT = "agreement"  # of several answers
    STATED = "stated"  # by the model about itself
    NONE = "none"  # an answer and nothing else


@dataclass(frozen=True)
class Usage:
    """What answering took, where the provider tells."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


class ProviderError(Exception):
    """A provider cannot answer. The message tells the next step.

    `permanent=False` may pass by itself and is worth another try; `permanent=True` stays until somebody changes
    something, so that a run stops.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class ServerDown(ProviderError):
    """The server answers nothing, whatever it is asked: no text is at fault, and all of it is worth waiting for."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


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


@dataclass(frozen=True, eq=False)
class Answers:
    """What a provider says about n texts.

    `scores` (n, n_categories), float32: rows sum to one, or are zero where the text could not be answered; then the
    reason is in `errors` (n). `sources` (n) say where the scores come from; `reasons` (n) are the model's own words, or
    empty.
    """

    scores: FloatArray
    sources: list[ConfidenceSource]
    reasons: list[str]
    errors: list[ProviderError | None]
    usage: Usage = field(default_factory=Usage)

    @classmethod
    def of_scores(cls, scores: FloatArray, source: ConfidenceSource) -> "Answers":
        """Every text answered, without reasons."""
        n = len(scores)
        return cls(scores, [source] * n, [""] * n, [None] * n)


class Provider(ABC):
    """A model that answers which category a text belongs to. One instance serves all threads of a process.

    `model_name` is for people. `fingerprint` is a short stable hash that changes whenever the answers may change:
    cached embeddings and answers are kept under it.
    """

    can_embed: bool = False
    can_explain: bool = False
    can_be_told: bool = False  # follows a prompt: answers are kept under the prompt as well
    confidence_source: ConfidenceSource = ConfidenceSource.PROBABILITIES

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

    def answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        *,
        prompt: Prompt = Prompt(),
        examples: Sequence[Sequence[Example]] = (),
    ) -> Answers:
        """What `predict` says and more, where the provider knows more. A text that fails does not fail the others.

        `examples`, where there are any: some for each text. Raises ProviderError when no text could be answered for a
        reason that stays.
        """
        return Answers.of_scores(self.predict(texts, categories), self.confidence_source)

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
