"""What a model could have said."""

from dataclasses import replace

from labeling.annotations import Prediction


def predicted(text_id: int, category_id: int, confidence: float, **values: object) -> Prediction:
    """This category with this confidence, half of which is its lead over the next one."""
    said = Prediction(
        text_id=text_id,
        category_id=category_id,
        confidence=confidence,
        raw_score=confidence,
        margin=confidence / 2,
        scores=[(category_id, confidence)],
        explanation="",
        evidence=[],
        is_truncated=False,
        is_audit=False,
    )
    return replace(said, **values)  # type: ignore[arg-type]
