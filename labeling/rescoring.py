"""Labeling again what a model labeled before: a new version only where it says something new."""

from collections.abc import Sequence

from labeling import bulk
from labeling.annotations import Prediction
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import LabelingRun, Text

CONFIDENCE_MOVE = 0.05  # smaller moves change no decision, and a version for each would bury the history


def split(run: LabelingRun, predictions: Sequence[Prediction]) -> tuple[list[Prediction], list[Prediction]]:
    """The predictions whose category or route is not what holds, or whose confidence moved by 0.05; and the others."""
    texts = Text.objects.filter(pk__in=[p.text_id for p in predictions], current_label__origin=LabelOrigin.MODEL)
    held = texts.values_list("pk", "current_label__category_id", "current_label__confidence", "status")
    before = {pk: (category_id, confidence, status) for pk, category_id, confidence, status in held}
    news: list[Prediction] = []
    same: list[Prediction] = []
    for prediction in predictions:
        holds = before.get(prediction.text_id)
        (news if holds is None or _is_new(run, prediction, *holds) else same).append(prediction)
    return news, same


def move_in_queue(predictions: Sequence[Prediction]) -> int:
    """Let texts whose label stays take their new place in the review queue; returns how many."""
    rows = [(1 - p.margin, p.text_id) for p in predictions]
    # A skipped text, below zero, stays at the end, where its reviewer put it.
    return bulk.update(Text, "priority", rows, least=0.0)


def _is_new(run: LabelingRun, new: Prediction, category_id: int, confidence: float | None, status: str) -> bool:
    route = TextStatus.ACCEPTED if new.confidence >= run.threshold else TextStatus.NEEDS_REVIEW
    if confidence is None or (new.category_id, route) != (category_id, status):
        return True
    return abs(new.confidence - confidence) >= CONFIDENCE_MOVE
