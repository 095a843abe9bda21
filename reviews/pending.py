"""The rows of the API's queue: texts that wait for a reviewer, with or without a claim."""

from dataclasses import dataclass
from datetime import datetime

from labeling.models import Project, Text
from reviews import queue
from reviews.blind import is_blind_text, shown_reason
from reviews.filters import Filters
from reviews.models import Assignment, QueueReason, Reviewer
from reviews.queue import Nothing


@dataclass(frozen=True)
class Pending:
    """A text that waits for a reviewer. `expires_at` is the end of the reviewer's claim, None without one."""

    text: Text
    reason: str
    expires_at: datetime | None = None

    @property
    def is_blind(self) -> bool:
        """Asked of the text and not of the claim, so that a text drawn for the audit later is hidden as well."""
        return is_blind_text(self.text)


def claim(reviewer: Reviewer, project: Project, *, filters: Filters, limit: int) -> list[Pending] | Nothing:
    """Put up to `limit` texts on the reviewer's desk, those that lie there first."""
    claimed: list[Assignment] = []
    while len(claimed) < limit:
        found = queue.claim_next(reviewer, project, filters=filters, besides=[one.text_id for one in claimed])
        if isinstance(found, Nothing):
            if not claimed:
                return found
            break
        claimed.append(found)
    return _of_claims(reviewer, [one.pk for one in claimed])


def look(reviewer: Reviewer, project: Project, *, filters: Filters, limit: int) -> list[Pending] | Nothing:
    """What `claim` would give, without claiming: the desk, the most urgent texts, the blind audit, what failed."""
    rows = _of_claims(reviewer, list(queue.held(reviewer, project, filters).values_list("pk", flat=True)[:limit]))
    for reason in queue.open_queues(reviewer, filters):
        texts = queue.candidates(reviewer, project, reason, filters).select_related("current_label__category")
        rows += [Pending(text, reason.value) for text in texts[: limit - len(rows)]]
    failed = queue.unlabelable(reviewer, project, filters)[: limit - len(rows)]
    rows += [Pending(text, QueueReason.UNCERTAIN.value) for text in failed]
    return rows or queue.why_nothing(reviewer, project)


def _of_claims(reviewer: Reviewer, keys: list[int]) -> list[Pending]:
    claims = reviewer.assignments.filter(pk__in=keys).select_related("text__current_label__category")
    return [Pending(one.text, shown_reason(one.reason), one.expires_at) for one in claims.order_by("claimed_at", "pk")]
