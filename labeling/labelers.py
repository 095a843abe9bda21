"""Turns texts into predictions: calls the provider, applies the head, finds the words that made the label.

Nothing here writes labels; models are called outside of any transaction.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import classifiers
from labeling.annotations import Prediction
from labeling.embeddings import CachedEncoder, TextRow
from labeling.learning import explain
from labeling.learning.classifier import LinearHead
from labeling.learning.explain import Evidence
from labeling.models import Category
from labeling.providers.base import Provider, TokenStates

KEPT_SCORES = 20

Vector = NDArray[np.float32]


class Labeler(ABC):
    """Labels texts for one set of categories."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self.categories = categories

    @abstractmethod
    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        """One prediction for each text, in order. The audit is drawn before any confidence is known."""

    def _prediction(
        self,
        row: TextRow,
        probabilities: Vector,
        *,
        raw: Vector,
        is_audit: bool,
        evidence: Sequence[Evidence] = (),
        is_truncated: bool = False,
    ) -> Prediction:
        best = np.argsort(-probabilities, kind="stable")[:KEPT_SCORES]
        ranked = [(self.categories[i], float(probabilities[i])) for i in best]
        top, confidence = ranked[0]
        named = [(category.name, score) for category, score in ranked[:2]]
        return Prediction(
            text_id=row.id,
            category_id=top.pk,
            confidence=min(confidence, 1.0),  # in 32 bits a certainty can come out a hair above one
            raw_score=float(raw[best[0]]),
            margin=confidence - (ranked[1][1] if len(ranked) > 1 else 0.0),
            scores=[(category.pk, round(score, 6)) for category, score in ranked],
            explanation=explain.sentence(named, explain.phrases(row.content, evidence)),
            evidence=[(word.start, word.end, round(word.weight, 4)) for word in evidence],
            is_truncated=is_truncated,
            is_audit=is_audit,
        )


class HeadLabeler(Labeler):
    """For providers that embed: a linear head on the text's vector, explained by the vector's tokens."""

    def __init__(self, encoder: CachedEncoder, categories: Sequence[Category], head: LinearHead) -> None:
        super().__init__(categories)
        self.encoder = encoder
        self.head = head

    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        audit = _draw_audit(len(rows), audit_share)
        encoded = self.encoder.read(rows)
        probabilities = self.head.probabilities(encoded.vectors)
        raw = self.head.logits(encoded.vectors) * self.head.temperature
        directions = self.head.contrast(probabilities.argmax(axis=1))
        return [
            self._prediction(
                row,
                probabilities[i],
                raw=raw[i],
                is_audit=audit[i],
                evidence=_evidence(row, encoded.states[i], directions[i]),
                is_truncated=bool(encoded.truncated[i]),
            )
            for i, row in enumerate(rows)
        ]


class ScoresLabeler(Labeler):
    """For providers that only answer with a probability for each category."""

    def __init__(self, provider: Provider, categories: Sequence[Category]) -> None:
        super().__init__(categories)
        self.provider = provider

    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        audit = _draw_audit(len(rows), audit_share)
        scores = self.provider.predict([row.content for row in rows], classifiers.specs(self.categories))
        return [self._prediction(row, scores[i], raw=scores[i], is_audit=audit[i]) for i, row in enumerate(rows)]


def _evidence(row: TextRow, states: TokenStates | None, direction: Vector) -> list[Evidence]:
    if states is None:
        return []
    tokens = states.contributions(direction)
    return explain.top_evidence(row.content, tokens.spans, tokens.weights)


def _draw_audit(n: int, share: float) -> list[bool]:
    # The operating system's randomness: nobody can guess or choose which labels will be audited.
    source = random.SystemRandom()
    return [source.random() < share for _ in range(n)]
