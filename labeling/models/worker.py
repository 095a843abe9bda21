"""Who works in the background, and when they were last seen."""

from django.db import models
from django.utils import timezone


class Worker(models.Model):
    """One group of worker processes on one machine, as its supervisor reports it. Deleted when it ends."""

    host = models.CharField(max_length=200)
    cluster = models.CharField(max_length=50, help_text="The queue it takes tasks from.")
    supervisor_pid = models.PositiveIntegerField()
    group_pid = models.PositiveIntegerField(null=True, help_text="The process group, to be ended with all it started.")
    key_mark = models.CharField(max_length=20, help_text="Tells whether it signs tasks with the same key as others.")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="Its supervisor lived then.")
    worked_at = models.DateTimeField(null=True, help_text="A task of it was being carried out then.")
    restarts = models.PositiveIntegerField(default=0)
    is_stopping = models.BooleanField(default=False, help_text="Tasks end as soon as what they do can be left.")

    class Meta:
        db_table = "workers"
        ordering = ["host", "cluster", "id"]
        constraints = [
            models.UniqueConstraint("host", "supervisor_pid", "cluster", name="a_supervisor_has_one_worker_per_cluster")
        ]

    def __str__(self) -> str:
        return f"{self.cluster} on {self.host}"
