"""Turns texts into predictions: calls the provider, applies the head, finds the words that made the label.

Nothing here writes labels; models are called outside of any transaction.
"""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import priorities
from labeling.annotations import Prediction
from labeling.asking import CachedAnswers
from labeling.choices import Sampling
from labeling.embeddings import CachedEncoder, TextRow
from labeling.features import StackedEncoder
from labeling.learning import explain
from labeling.learning.classifier import LinearHead, softmax
from labeling.learning.explain import Evidence
from labeling.models import Category
from labeling.providers import get_encoder
from labeling.providers.base import ConfidenceSource, Provider, TokenStates

KEPT_SCORES = 20

Vector = NDArray[np.float32]
Reader = CachedAnswers | StackedEncoder


class Labeler(ABC):
    """Labels texts for one set of categories.

    `reader`, where there is one, must have read also a text that people decided, before the text can teach.
    """

    reader: Reader | None = None

    def __init__(self, categories: Sequence[Category], *, strategy: str = Sampling.DIVERSE_MARGIN) -> None:
        self.categories = categories
        self.strategy = strategy  # by which a text is the more urgent for people

    @abstractmethod
    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        """One prediction for each text, in order. The audit is drawn before any confidence is known."""

    @abstractmethod
    def keep(self) -> None:
        """Keep what the model made of the texts, where it was not kept at once."""

    def predictions(
        self,
        rows: Sequence[TextRow],
        probabilities: Vector,
        *,
        raw: Vector,
        audit: Sequence[bool],
        evidence: Sequence[Sequence[Evidence]] | None = None,
        truncated: Sequence[bool] | None = None,
        sources: Sequence[str] | None = None,
        reasons: Sequence[str] | None = None,
    ) -> list[Prediction]:
        """One for each text, from probabilities (n_texts, n_categories) and what the model gave before temperature."""
        urgency = priorities.urgency(probabilities, self.strategy).tolist()
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :KEPT_SCORES]  # all at once: a third of the time
        places, scores = order.tolist(), np.take_along_axis(probabilities, order, axis=1).tolist()
        best = np.take_along_axis(raw, order[:, :1], axis=1)[:, 0].tolist()
        return [
            self._prediction(
                row,
                list(zip(places[i], scores[i], strict=True)),
                raw=best[i],
                urgency=urgency[i],
                is_audit=audit[i],
                evidence=evidence[i] if evidence else (),
                is_truncated=truncated[i] if truncated else False,
                confidence_source=sources[i] if sources else ConfidenceSource.PROBABILITIES,
                reason=reasons[i] if reasons else "",
            )
            for i, row in enumerate(rows)
        ]

    def _prediction(
        self,
        row: TextRow,
        best: list[tuple[int, float]],
        *,
        raw: float,
        urgency: float,
        is_audit: bool,
        evidence: Sequence[Evidence],
        is_truncated: bool,
        confidence_source: str,
        reason: str,
    ) -> Prediction:
        """From the places of the best categories with their probabilities, best first."""
        ranked = [(self.categories[place], score) for place, score in best]
        top, confidence = ranked[0]
        named = [(category.name, score) for category, score in ranked[:2]]
        return Prediction(
            text_id=row.id,
            category_id=top.pk,
            confidence=min(confidence, 1.0),  # in 32 bits a certainty can come out a hair above one
            raw_score=raw,
            margin=confidence - (ranked[1][1] if len(ranked) > 1 else 0.0),
            scores=[(category.pk, round(score, 6)) for category, score in ranked],
            explanation=explain.sentence(named, explain.phrases(row.content, evidence), reason=reason),
            evidence=[(word.start, word.end, round(word.weight, 4)) for word in evidence],
            is_truncated=is_truncated,
            is_audit=is_audit,
            urgency=urgency,
            confidence_source=confidence_source,
        )


class HeadLabeler(Labeler):
    """For providers that embed: a linear head on the text's vector, explained by the vector's tokens."""

    def __init__(
        self,
        encoder: CachedEncoder,
        categories: Sequence[Category],
        head: LinearHead,
        *,
        strategy: str = Sampling.DIVERSE_MARGIN,
    ) -> None:
        super().__init__(categories, strategy=strategy)
        self.encoder = encoder
        self.head = head

    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        audit = draw_audit(len(rows), audit_share)
        encoded = self.encoder.read(rows)
        probabilities, raw = self.answers(encoded.vectors)
        directions = self.head.contrast(probabilities.argmax(axis=1))
        return self.predictions(
            rows,
            probabilities,
            raw=raw,
            audit=audit,
            evidence=[_evidence(*one) for one in zip(rows, encoded.states, directions, strict=True)],
            truncated=encoded.truncated.tolist(),
        )

    def keep(self) -> None:
        self.encoder.keep()

    def answers(self, vectors: Vector) -> tuple[Vector, Vector]:
        """Probabilities, and what the head gave before temperature, both (n_texts, n_categories)."""
        logits = self.head.logits(vectors)
        return softmax(logits), logits * self.head.temperature


class StackedLabeler(Labeler):
    """For providers that only answer, once reviews have taught how far to trust them: a head on answer and vector.

    The raw score stays the provider's. The words that are named speak for the vector's part of the label.
    """

    def __init__(
        self,
        reader: StackedEncoder,
        categories: Sequence[Category],
        head: LinearHead,
        *,
        strategy: str = Sampling.DIVERSE_MARGIN,
    ) -> None:
        super().__init__(categories, strategy=strategy)
        self.reader: StackedEncoder = reader
        self.head = head

    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        audit = draw_audit(len(rows), audit_share)
        encoded = self.reader.read(rows)
        probabilities = self.head.probabilities(encoded.vectors)
        k = len(self.categories)
        directions = self.head.contrast(probabilities.argmax(axis=1))[:, k:]
        return self.predictions(
            rows,
            probabilities,
            raw=softmax(encoded.vectors[:, :k]),
            audit=audit,
            evidence=[_evidence(*one) for one in zip(rows, encoded.states, directions, strict=True)],
            truncated=encoded.truncated.tolist(),
        )

    def keep(self) -> None:
        self.reader.keep()


class ScoresLabeler(Labeler):
    """For providers that only answer: what they say, as they say it."""

    def __init__(
        self, reader: CachedAnswers, categories: Sequence[Category], *, strategy: str = Sampling.DIVERSE_MARGIN
    ) -> None:
        super().__init__(categories, strategy=strategy)
        self.reader: CachedAnswers = reader

    def label(self, rows: Sequence[TextRow], *, audit_share: float = 0.0) -> list[Prediction]:
        audit = draw_audit(len(rows), audit_share)
        asked = self.reader.read(rows)
        scores = softmax(asked.logs)
        return self.predictions(rows, scores, raw=scores, audit=audit, sources=asked.sources, reasons=asked.reasons)

    def keep(self) -> None:
        self.reader.keep()


def of_answers(
    provider: Provider,
    categories: Sequence[Category],
    head: LinearHead | None,
    *,
    explained: bool,
    keeps: bool = True,
    strategy: str = Sampling.DIVERSE_MARGIN,
    until: float = math.inf,
) -> Labeler:
    """The labeler for a provider that only answers, with the head that was learned for it, if any."""
    asked = CachedAnswers(provider, categories, keeps=keeps, until=until)
    if head is None:
        return ScoresLabeler(asked, categories, strategy=strategy)
    reader = StackedEncoder(asked, CachedEncoder(get_encoder(), explained=explained, keeps=keeps))
    return StackedLabeler(reader, categories, head, strategy=strategy)


def _evidence(row: TextRow, states: TokenStates | None, direction: Vector) -> list[Evidence]:
    if states is None:
        return []
    tokens = states.contributions(direction)
    return explain.top_evidence(row.content, tokens.spans, tokens.weights)


def draw_audit(n: int, share: float) -> list[bool]:
    """Which of n texts are drawn for the blind audit."""
    # The operating system's randomness: nobody can guess or choose which labels will be audited.
    source = random.SystemRandom()
    return [source.random() < share for _ in range(n)]
