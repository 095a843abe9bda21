"""People who review, what is on their desks, and what they decided."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.append_only import AppendOnlyModel, AppendOnlyQuerySet
from labeling.models import Category, Label, Project, Text

CLAIM_TIME = timedelta(minutes=15)


class Action(models.TextChoices):
    """What a reviewer can do with a text."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"
    MODIFY = "modify", "Modify"
    DECIDE = "decide", "Decide blind"
    SKIP = "skip", "Skip"
    FLAG = "flag", "Flag"
    UNDO = "undo", "Undo"
    ADJUDICATE = "adjudicate", "Adjudicate"
    RETURN = "return", "Return to the queue"


# These say what a text's label is. The answers are independent; who adjudicates has seen them all.
ANSWERS = (Action.APPROVE, Action.REJECT, Action.MODIFY, Action.DECIDE)
DECISIONS = (*ANSWERS, Action.ADJUDICATE)
# What a reviewer may do with a text; the rest are a manager's, or follow from these.
OF_REVIEWERS = (*ANSWERS, Action.SKIP, Action.FLAG)


class QueueReason(models.TextChoices):
    """Why a text was shown."""

    UNCERTAIN = "uncertain", "The model was unsure"
    AUDIT = "audit", "Drawn at random for the blind audit"
    CHOSEN = "chosen", "Somebody chose it"
    GOLD = "gold", "Its answer is known"
    SECOND_LOOK = "second_look", "Its review looked like a mistake"


class Reviewer(models.Model):
    """The profile of a user who reviews."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviewer")
    is_active = models.BooleanField(default=True)
    projects = models.ManyToManyField(Project, blank=True, related_name="reviewers")
    languages = models.JSONField(default=list, blank=True, help_text='What this person reads: ["en"]. Empty: all.')
    daily_goal = models.PositiveIntegerField(default=100, help_text="Decisions a day.")
    does_blind_audit = models.BooleanField(default=True, help_text="Gets texts of the blind audit.")
    keys = models.JSONField(default=dict, blank=True, help_text='Keys that this person changed: {"approve": "y"}.')

    class Meta:
        db_table = "reviewers"
        ordering = ["user__username"]

    def __str__(self) -> str:
        return self.user.get_username()


def claim_end() -> datetime:
    return timezone.now() + CLAIM_TIME


class Assignment(models.Model):
    """A claim: this text is on this reviewer's desk until it expires. Deleted on deciding or leaving."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    reviewer = models.ForeignKey(Reviewer, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    slot = models.PositiveSmallIntegerField(default=0, help_text="Which of the text's asked-for reviews this is.")
    reason = models.CharField(max_length=20, choices=QueueReason)
    selection_probability = models.FloatField(null=True, blank=True)
    claimed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=claim_end)

    class Meta:
        db_table = "assignments"
        ordering = ["claimed_at", "id"]
        constraints = [
            models.UniqueConstraint("text", "slot", name="a_text_is_on_one_desk_for_each_review_asked_for"),
            models.UniqueConstraint("reviewer", "text", name="a_reviewer_has_a_text_once"),
        ]

    def __str__(self) -> str:
        return f"Text {self.text_id} on the desk of {self.reviewer}"


class ReviewQuerySet(AppendOnlyQuerySet["Review"]):
    def effective(self) -> "ReviewQuerySet":
        """Decisions that nobody has undone."""
        return self.filter(action__in=DECISIONS, reverted_by__isnull=True)


class Review(AppendOnlyModel):
    """One decision by one reviewer about one text, with what was shown. Never changed; undone by another Review."""

    text = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    action = models.CharField(max_length=10, choices=Action)
    slot = models.PositiveSmallIntegerField(default=0)
    label = models.ForeignKey(
        Label, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews", help_text="The label judged."
    )
    new_label = models.ForeignKey(
        Label, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    category_before = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    category_after = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    confidence_before = models.FloatField(null=True, blank=True)
    confidence_after = models.FloatField(null=True, blank=True)
    status_before = models.CharField(max_length=20)
    comment = models.TextField(blank=True)
    proposed_category = models.CharField(max_length=200, blank=True, help_text='For "none of these".')
    is_blind = models.BooleanField(default=False, help_text="The reviewer did not see the model's label.")
    queue_reason = models.CharField(max_length=20, choices=QueueReason, default=QueueReason.CHOSEN)
    selection_probability = models.FloatField(null=True, blank=True)
    seconds_spent = models.FloatField(null=True, blank=True)
    # Null without a key: under a condition, such as "not empty", SQLite could not use the index of the constraint.
    idempotency_key = models.CharField(max_length=64, null=True, blank=True)
    reverts = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reverted_by")
    batch = models.UUIDField(null=True, blank=True, help_text="Decisions made together, to be undone together.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of this row's content at insert.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        db_table = "reviews"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("reviewer", "idempotency_key", name="one_review_per_idempotency_key"),
            models.CheckConstraint(condition=Q(action__in=Action.values), name="review_action_is_known"),
            models.CheckConstraint(
                condition=Q(action="undo", reverts__isnull=False) | ~Q(action="undo") & Q(reverts__isnull=True),
                name="an_undo_reverts_a_review",
            ),
        ]
        indexes = [
            models.Index(fields=["reviewer", "-id"], name="review_by_reviewer"),
            models.Index(fields=["reviewer", "created_at"], name="review_by_time"),
            models.Index(fields=["batch"], name="review_by_batch", condition=Q(batch__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} of text {self.text_id} by {self.reviewer}"


class Seal(AppendOnlyModel):
    """A link of the chain over all reviews. Order is position: on PostgreSQL a smaller review id may commit later."""

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="seal")
    position = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3, ... without gaps.")
    previous_hash = models.CharField(max_length=64, help_text="The chain hash of the position before.")
    chain_hash = models.CharField(max_length=64, help_text="SHA-256 of the previous hash and the review's hash.")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "review_seals"
        ordering = ["position"]

    def __str__(self) -> str:
        return f"Seal {self.position} of review {self.review_id}"
