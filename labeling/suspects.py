"""Decided texts whose category looks like a mistake. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.choices import TextStatus
from labeling.learning import mistakes
from labeling.models import Embedding, Project, Text

NEWEST = 10_000  # texts that are compared: about a second, once for each state of the decisions
LOADED_AT_ONCE = 5_000

NOTES: dict[mistakes.Reason, str] = {
    "few_texts": f"Too few decided texts to compare. It takes {mistakes.FEWEST_TEXTS}, in categories with at least "
    f"{mistakes.FEWEST_OF_A_CATEGORY}, that a run has read.",
    "one_category": "All decided texts that can be compared are of one category.",
    "indistinct": "The decided texts of different categories are too much alike to tell mistakes.",
    "": "No decision looks like a mistake.",
}
NO_VECTORS = "Nothing to compare the decided texts by. Label some texts of this project with a provider that embeds."


@dataclass(frozen=True)
class Suspect:
    """A decided text, and the category that the other decided texts would have given it."""

    text_id: int
    category_id: int
    suggested_category_id: int
    self_confidence: float  # of the category it has, by the other texts
    suggested_confidence: float


@dataclass(frozen=True)
class PossibleMistakes:
    """The likeliest mistakes first; `note` says why there are none.

    `found` counts them before the limit. `judged` texts were compared; those `without_vector` and those
    `in_small_categories`, with fewer than three texts, could not be.
    """

    rows: tuple[Suspect, ...]
    found: int
    judged: int
    without_vector: int
    in_small_categories: int
    note: str


class _Decided(NamedTuple):
    """What judging needs of a text; the whole state of the decisions is a tuple of these."""

    text_id: int
    content_hash: str
    category_id: int
    is_gold: bool


def possible_mistakes(project: Project, *, limit: int) -> PossibleMistakes:
    """The decisions that the other decisions of the project contradict; of the newest texts, in active categories.

    Gold texts speak for their categories but are never among them: their label is known to be right.
    """
    fingerprint = classifiers.newest_fingerprint(project).first()
    if fingerprint is None:
        return PossibleMistakes((), 0, 0, 0, 0, NO_VECTORS)
    decided, without_vector = _decided(project, fingerprint)
    suspects, findings = _judged(decided, fingerprint)
    return PossibleMistakes(
        rows=suspects[:limit],
        found=len(suspects),
        judged=len(findings.rows),
        without_vector=without_vector,
        in_small_categories=findings.left_out,
        note="" if suspects else NOTES[findings.reason],
    )


def _decided(project: Project, fingerprint: str) -> tuple[tuple[_Decided, ...], int]:
    """The newest decided texts that have a vector, oldest first, and how many have none."""
    vector = Embedding.objects.filter(model_fingerprint=fingerprint, content_hash=OuterRef("content_hash"))
    texts = Text.objects.filter(
        project=project, status=TextStatus.REVIEWED, current_label__category__is_active=True
    ).order_by("-pk")
    columns = ("pk", "content_hash", "current_label__category_id", "is_gold")
    newest = list(texts.annotate(has_vector=Exists(vector)).values_list(*columns, "has_vector")[:NEWEST])
    known = tuple(_Decided(*values) for *values, has_vector in reversed(newest) if has_vector)
    return known, len(newest) - len(known)


@lru_cache(maxsize=4)
def _judged(decided: tuple[_Decided, ...], fingerprint: str) -> tuple[tuple[Suspect, ...], mistakes.Findings]:
    """Kept for as long as no decision changes: all that the result depends on is in the arguments."""
    findings = mistakes.find(_vectors(decided, fingerprint), [text.category_id for text in decided])
    values = zip(
        findings.rows.tolist(),
        findings.suggested.tolist(),
        findings.self_confidence.tolist(),
        findings.suggested_confidence.tolist(),
        findings.is_issue.tolist(),
        strict=True,
    )
    suspects = (
        Suspect(decided[row].text_id, decided[row].category_id, suggested, own, other)
        for row, suggested, own, other, is_issue in values
        if is_issue and not decided[row].is_gold
    )
    return tuple(suspects), findings


def _vectors(decided: Sequence[_Decided], fingerprint: str) -> NDArray[np.float32]:
    """Shape (n_texts, dim)."""
    cached: dict[str, embeddings.CachedVector] = {}
    for start in range(0, len(decided), LOADED_AT_ONCE):
        part = decided[start : start + LOADED_AT_ONCE]
        cached |= embeddings.load((text.content_hash for text in part), fingerprint=fingerprint)
    rows = [cached[text.content_hash].vector for text in decided]
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1 if rows else 0)
