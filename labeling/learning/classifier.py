"""The one form of every classifier: a linear head on text embeddings, `P = softmax((E W + b) / T)`."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]


def softmax(logits: ArrayLike) -> FloatArray:
    """Return the softmax over the last axis, computed so that no finite logit overflows.

    `logits` has shape (..., n_categories) with n_categories >= 1; the result has the same shape, in float32.
    """
    scores = np.asarray(logits)
    shifted: FloatArray = (scores - scores.max(axis=-1, keepdims=True)).astype(np.float32)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A softmax classifier that is linear in the embedding, zero-shot or learned from reviews.

    `weights` has shape (dim, n_categories), `bias` (n_categories,); `temperature` is positive and divides the scores
    [GUO17]. Arrays are converted to float32. Raises ValueError when shapes disagree or a number is not finite.

    The methods allocate a few arrays of shape (n_texts, n_categories): pass very large pools in chunks.
    """

    weights: FloatArray
    bias: FloatArray
    temperature: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", np.asarray(self.weights, dtype=np.float32))
        object.__setattr__(self, "bias", np.asarray(self.bias, dtype=np.float32))
        object.__setattr__(self, "temperature", float(self.temperature))
        if self.weights.ndim != 2 or 0 in self.weights.shape:
            raise ValueError(f"Weights must have shape (dim, n_categories), got {self.weights.shape}.")
        if self.bias.shape != (self.n_categories,):
            raise ValueError(f"Bias must have shape ({self.n_categories},), got {self.bias.shape}.")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise ValueError("Weights and bias must be finite.")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"Temperature must be a positive number, got {self.temperature}.")

    @property
    def dim(self) -> int:
        """The length of the embeddings that this head takes."""
        return int(self.weights.shape[0])

    @property
    def n_categories(self) -> int:
        """The number of categories, in the order of the columns of `weights`."""
        return int(self.weights.shape[1])

    def logits(self, embeddings: ArrayLike) -> FloatArray:
        """Return `(E W + b) / T`, shape (n_texts, n_categories), for embeddings of shape (n_texts, dim)."""
        matrix = np.asarray(embeddings, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.dim:
            raise ValueError(f"Embeddings must have shape (n_texts, {self.dim}), got {matrix.shape}.")
        scores = matrix @ self.weights
        scores += self.bias
        scores /= np.float32(self.temperature)
        return scores

    def probabilities(self, embeddings: ArrayLike) -> FloatArray:
        """Return one distribution over the categories a text, shape (n_texts, n_categories)."""
        return softmax(self.logits(embeddings))

    def contrast(self, category_indices: ArrayLike) -> FloatArray:
        """Return for each index the direction that tells its category from the mean of the others.

        Shape (n, dim) for indices of shape (n,). `contrast(c) @ embedding` is the part of the score of category c
        that the text's own words decide, before bias and temperature: what evidence is computed with. With a single
        category it is the direction of the category itself.
        """
        return self._contrasts()[np.asarray(category_indices, dtype=np.intp)]

    def _contrasts(self) -> FloatArray:
        directions = self.weights.T
        if self.n_categories == 1:
            return directions
        others = (directions.sum(axis=0) - directions) / np.float32(self.n_categories - 1)
        return np.asarray(directions - others, dtype=np.float32)

    def to_bytes(self) -> bytes:
        """Return the head as an npz archive of plain arrays, to be read by `from_bytes`."""
        buffer = io.BytesIO()
        np.savez(buffer, weights=self.weights, bias=self.bias, temperature=np.float64(self.temperature))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "LinearHead":
        """Read a head written by `to_bytes`. Raises ValueError for any other bytes; never unpickles."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                fields = {name: archive[name] for name in ("weights", "bias", "temperature")}
            return cls(fields["weights"], fields["bias"], fields["temperature"].item())
        except (ValueError, TypeError, AttributeError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(f"These bytes are not a stored linear head: {error}") from error
