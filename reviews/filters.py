"""What a reviewer wants to see."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from labeling.models import Text
from reviews.blind import BLIND

NOT_TOGETHER = (
    "A filter on category, confidence or run leaves out the blind audit, because it would reveal the label. "
    "Choose one of the two."
)


@dataclass(frozen=True)
class Filters:
    """Those on the model's answer leave out the texts that are decided blind, because they would reveal it.

    `only_audit` keeps gold texts as well: without them it would tell which they are.
    """

    category_id: int | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    run_id: int | None = None
    source: str | None = None
    language: str | None = None
    words: str | None = None
    only_audit: bool | None = None

    @property
    def reveal_the_label(self) -> bool:
        shown = (self.category_id, self.min_confidence, self.max_confidence, self.run_id)
        return any(value is not None for value in shown)

    @property
    def leave_nothing(self) -> bool:
        """Only texts that are decided blind, and none of them."""
        return bool(self.only_audit) and self.reveal_the_label

    def apply(self, texts: QuerySet[Text]) -> QuerySet[Text]:
        conditions: dict[str, Any] = {
            "current_label__category_id": self.category_id,
            "current_label__confidence__gte": self.min_confidence,
            "current_label__confidence__lte": self.max_confidence,
            "current_label__run_id": self.run_id,
            "source": self.source,
            "language": self.language,
            "content__icontains": self.words,
        }
        if self.reveal_the_label:
            conditions |= {"is_audit": False, "is_gold": False}
        if self.only_audit:
            texts = texts.filter(BLIND)
        return texts.filter(**{name: value for name, value in conditions.items() if value is not None})


NO_FILTERS = Filters()
