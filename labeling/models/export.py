"""Exports that were asked for."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from labeling.models.certificate import Certificate
from labeling.models.project import Project


class ExportRecord(models.Model):
    """Who took which texts out of a project, and when. Without `finished_at` the reader left before the last row."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports")
    file_format = models.CharField(max_length=20)
    only = models.CharField(max_length=20, help_text="Which texts were chosen.")
    certificate = models.ForeignKey(
        Certificate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="In force then."
    )
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "exports"
        verbose_name = "export"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Export {self.pk} of {self.project}"
