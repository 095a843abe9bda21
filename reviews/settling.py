"""When a text's reviews are complete: they agree and the decision holds, or they do not and a manager decides."""

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from labeling import annotations
from labeling.choices import LABELABLE, TextStatus
from labeling.following import followed
from labeling.models import Project, Text
from reviews import policy
from reviews.models import DECISIONS, Review
from reviews.writing import lock


def settle(text: Text, *, only: Review | None = None) -> bool:
    """Let the decision hold once all reviews asked for are made and agree; disagreement goes to a manager.

    Returns whether the reviews are complete. `only` is the text's one review, where that is known. The caller has
    locked the text's row.
    """
    made = [only] if only else list(_made(text))
    if len(made) < policy.reviews_needed(text):
        return False
    if len({review.category_after and review.category_after.holds_as for review in made}) > 1:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
    else:
        last = made[-1]
        annotations.hold(text, label_id=_label_of(last), reviewed_by=last.reviewer.user)
    return True


def _made(text: Text) -> QuerySet[Review]:
    made = Review.objects.effective().filter(text=text)
    return made.select_related("reviewer__user", "category_after").order_by("pk")


def _label_of(review: Review) -> int | None:
    """The label that the review gives to its text now, when its category may have been merged into another."""
    label_id = review.new_label_id or review.label_id
    was_merged = review.category_after is not None and review.category_after.merged_into_id is not None
    return followed(label_id) if was_merged else label_id


def settle_waiting(project: Project) -> int:
    """After the project asks for fewer reviews: settle the texts that have enough already; returns how many."""
    effective = Q(reviews__action__in=DECISIONS, reviews__reverted_by__isnull=True)
    waiting = Text.objects.filter(project=project, status__in=LABELABLE, reviewed_at__isnull=False)
    decided = waiting.annotate(made=Count("reviews", filter=effective)).filter(made__gt=0).order_by("pk")
    return sum(_settle_one(text_id) for text_id in list(decided.values_list("pk", flat=True)))


@transaction.atomic
def _settle_one(text_id: int) -> bool:
    text = lock(Text.objects.select_related("project"), text_id)
    return text.status in LABELABLE and settle(text)
