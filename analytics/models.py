"""What is kept of counting a whole project, so that no page waits for a million rows."""

from django.db import models
from django.utils import timezone


class KeptFigures(models.Model):
    """What a project's rows came to when they were counted last, replaced as a whole in the background.

    One row that is written at once: counters beside the facts would make eight reviewers and a run wait for each
    other, and summary rows by the thousand would hold the only write lock that SQLite has.
    """

    project = models.OneToOneField("labeling.Project", on_delete=models.CASCADE, related_name="kept_figures")
    cells = models.BinaryField(help_text="npz of plain arrays: how many rows have what in common.")
    details = models.JSONField(default=dict, help_text="What is reckoned from whole rows, such as agreement.")
    mark = models.CharField(max_length=200, blank=True, help_text="Changes when something happens in the project.")
    counted_at = models.DateTimeField(default=timezone.now, help_text="When counting began.")
    seconds = models.FloatField(help_text="How long it took.")

    class Meta:
        db_table = "kept_figures"
        verbose_name_plural = "kept figures"
        ordering = ["project"]

    def __str__(self) -> str:
        return f"Figures of {self.project} as of {self.counted_at:%Y-%m-%d %H:%M}"
