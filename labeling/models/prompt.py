"""How a project asks models that follow instructions."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from labeling.append_only import AppendOnlyModel, AppendOnlyQuerySet
from labeling.models.project import Project


class PromptVersion(AppendOnlyModel):
    """One version of a project's prompt, never changed. The newest holds; what is empty is the provider's own.

    Guidelines and categories are the project's and stand in the template's places for them.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="prompts", db_index=False)
    version = models.PositiveIntegerField(editable=False)
    template = models.TextField(
        blank=True,
        help_text="For chat models, with {instructions}, {categories}, {examples} and {text} where these are to stand.",
    )
    hypothesis = models.CharField(
        max_length=200,
        blank=True,
        help_text="For models that judge whether a text entails a sentence, with {} for the category's name.",
    )
    examples = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(20)],
        help_text="How many decided texts a chat model is shown with each text: the most similar ones of several "
        "categories, of those that were decided before this version was saved.",
    )
    wants_reason = models.BooleanField(
        "ask for a reason", default=True, help_text="In a sentence of the model's own. It takes longer."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "prompts"
        ordering = ["project", "-version"]
        verbose_name = "prompt"
        constraints = [
            models.UniqueConstraint("project", "version", name="one_prompt_version_number_per_project"),
        ]

    def __str__(self) -> str:
        return f"Prompt {self.version} of {self.project}"
