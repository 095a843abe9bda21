"""The chunks of a run: who works on which, and what became of it."""

from django.db import models
from django.db.models import F, Q

from labeling.choices import ChunkState, RunPhase
from labeling.models.run import LabelingRun


class RunChunk(models.Model):
    """One chunk of a run's phase, for one process at a time.

    It reaches from what comes after `after` up to `last`: ids of texts while labeling, places in the sample while that
    is read; phases that are one chunk have 0 to 1. Up to `reached` it is done; in the last phase that is the id of a
    text, up to which the model has read what people decided. Attempts to come farther than that are counted when the
    chunk is taken: a process that is killed tells nobody.
    """

    run = models.ForeignKey(LabelingRun, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    phase = models.CharField(max_length=20, choices=RunPhase)
    after = models.BigIntegerField()
    last = models.BigIntegerField()
    reached = models.BigIntegerField(help_text="Up to here the chunk is done.")
    state = models.CharField(max_length=20, choices=ChunkState, default=ChunkState.WORKING)
    attempts = models.PositiveSmallIntegerField(default=1)
    worker = models.CharField(max_length=120, blank=True, help_text="The process that works on it: machine:pid:token.")
    heartbeat_at = models.DateTimeField(help_text="Its process lived then.")
    texts = models.PositiveIntegerField(default=0, help_text="Texts that were gone through.")
    failed = models.PositiveIntegerField(default=0, help_text="Those of them that could not be labeled.")
    requests = models.PositiveIntegerField(default=0, help_text="To a server.")
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(default=0, max_digits=14, decimal_places=6, help_text="By the project's prices then.")
    seconds = models.FloatField(default=0.0, help_text="That were spent on it.")
    error = models.TextField(blank=True, help_text="Why the last attempt came to nothing.")

    class Meta:
        db_table = "run_chunks"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("run", "phase", "after", name="a_chunk_begins_where_no_other_does"),
            models.CheckConstraint(condition=Q(last__gt=F("after")), name="a_chunk_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.get_phase_display()} {self.after} to {self.last} of run {self.run_id}"
