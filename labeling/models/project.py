"""A labeling task and its allowed answers."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from labeling.choices import LabelWhen, Sampling

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]
COLOR = RegexValidator(r"^#[0-9a-fA-F]{6}$", "Use a colour like #1f77b4.")


def default_threshold() -> float:
    """New projects start with the installation's threshold."""
    return float(settings.MIN_CONFIDENCE_THRESHOLD)


class Project(models.Model):
    """One labeling task: instructions, categories, provider, review policy."""

    name = models.CharField(max_length=120)
    instructions = models.TextField(blank=True, help_text="Guidelines for people and models.")
    provider = models.CharField(
        max_length=40, blank=True, help_text="Alias of the model that labels. Empty: the installation's LLM_PROVIDER."
    )
    threshold = models.FloatField(
        default=default_threshold,
        validators=SHARE,
        help_text="A model's label is accepted without a person from this confidence on.",
    )
    audit_share = models.FloatField(
        default=0.05,
        validators=SHARE,
        help_text="Share of all texts drawn at random, before confidence is known, for the blind audit.",
    )
    reviews_per_text = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How many people decide a text. Where they disagree, a manager decides.",
    )
    overlap_share = models.FloatField(
        default=1.0,
        validators=SHARE,
        help_text="Share of the texts that so many people decide; one person decides each of the others.",
    )
    gold_share = models.FloatField(
        default=0.0,
        validators=SHARE,
        help_text="Share of the texts on the desk that are gold: their answer is known, and they score the reviewers.",
    )
    sampling = models.CharField(
        max_length=20,
        choices=Sampling,
        default=Sampling.DIVERSE_MARGIN,
        help_text="Which texts people see first. Margin: the two likeliest categories are close. Entropy: all are "
        "close. Least confidence: even the likeliest is unlikely. A change takes effect when labels are made next.",
    )
    label_when = models.CharField(
        "label new texts", max_length=20, choices=LabelWhen, default=LabelWhen.ASKED, help_text="In the background."
    )
    label_at = models.TimeField("at", null=True, blank=True, help_text="The time of day, where it is every day.")
    prompt_price = models.DecimalField(
        default=0,
        max_digits=10,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="Of a million tokens that a model reads.",
    )
    completion_price = models.DecimalField(
        default=0,
        max_digits=10,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="Of a million tokens that a model writes.",
    )
    spending_cap = models.DecimalField(
        null=True,
        blank=True,
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        help_text="The most that all runs of the project may cost. A run stops before it is exceeded.",
    )
    is_archived = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "projects"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="project_names_are_unique"),
            models.CheckConstraint(condition=Q(threshold__range=(0, 1)), name="project_threshold_is_within_0_and_1"),
            models.CheckConstraint(condition=Q(audit_share__range=(0, 1)), name="audit_share_is_within_0_and_1"),
            models.CheckConstraint(condition=Q(overlap_share__range=(0, 1)), name="overlap_share_is_within_0_and_1"),
            models.CheckConstraint(condition=Q(gold_share__range=(0, 1)), name="gold_share_is_within_0_and_1"),
            models.CheckConstraint(condition=Q(label_when__in=LabelWhen.values), name="label_when_is_known"),
            models.CheckConstraint(
                condition=~Q(label_when=LabelWhen.DAILY.value) | Q(label_at__isnull=False),
                name="daily_labeling_has_a_time",
                violation_error_message="Say at which time of the day new texts are labeled.",
            ),
            models.CheckConstraint(condition=Q(sampling__in=Sampling.values), name="sampling_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def provider_alias(self) -> str:
        return self.provider or settings.LLM_PROVIDER

    def active_categories(self) -> list["Category"]:
        """The categories that a label may have, oldest first.

        Models are told of them in this order, which stays when people move them: another order is another question.
        """
        return list(self.categories.filter(is_active=True).order_by("pk"))

    def shown_categories(self) -> list["Category"]:
        """The same in the order people see them."""
        return list(self.categories.filter(is_active=True))

    def category_snapshot(self) -> list[dict[str, object]]:
        """The active categories as plain values, as a run keeps them."""
        fields = ("name", "description", "examples")
        return [
            {"id": category.pk} | {field: getattr(category, field) for field in fields}
            for category in self.active_categories()
        ]


class Category(models.Model):
    """One allowed answer. Retired, never deleted, once labels name it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="categories")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, help_text="One sentence: what belongs here. Models read it.")
    examples = models.JSONField(default=list, blank=True, help_text='A few typical texts: ["...", "..."]')
    color = models.CharField(max_length=7, blank=True, validators=[COLOR])
    shortcut = models.CharField(max_length=1, blank=True, help_text="Key that chooses this category in the desk.")
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True, help_text="Retired categories keep their labels and get no new ones.")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="merged",
        help_text="What is said of this category holds for that one since. Never one that was merged itself.",
    )

    class Meta:
        db_table = "categories"
        verbose_name_plural = "categories"
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("project", Lower("name"), name="category_names_are_unique_within_a_project"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_active=False), name="a_merged_category_is_retired"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holds_as(self) -> int:
        """The primary key of the category that its labels count for now: its own, unless it was merged."""
        return self.merged_into_id or self.pk


class CategoryMerge(models.Model):
    """That one category became part of another: who did it, and how far the labels have followed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="merges")
    source = models.OneToOneField(Category, on_delete=models.PROTECT, related_name="merge")
    target = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="+")
    moved = models.PositiveIntegerField(default=0, help_text="Texts whose label followed.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    moved_at = models.DateTimeField(default=timezone.now, editable=False, help_text="Its last sign of life.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "category_merges"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Merge of {self.source} into {self.target}"
