"""How a model's answer, given as probabilities, stands before a text's vector as features of a linear head."""

import numpy as np
from numpy.typing import ArrayLike

from labeling.learning.classifier import FloatArray, LinearHead


def features(log_probabilities: ArrayLike, vectors: ArrayLike) -> FloatArray:
    """Rows `[log p ; vector]`, (n, n_categories + dim), of log-probabilities (n, n_categories) and vectors (n, dim).

    The logarithms come less their mean over the categories. The softmax of these columns is the model's answer.
    """
    logs = np.asarray(log_probabilities, dtype=np.float32)
    return np.hstack([logs - logs.mean(axis=1, keepdims=True), np.asarray(vectors, dtype=np.float32)])


def own_answer(n_categories: int, dim: int) -> LinearHead:
    """The head that gives the model's answer back, for vectors of length `dim`."""
    weights = np.eye(n_categories + dim, n_categories, dtype=np.float32)
    return LinearHead(weights, np.zeros(n_categories, dtype=np.float32))
