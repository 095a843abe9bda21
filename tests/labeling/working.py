"""News to label, and processes that work on a run, as other processes see them."""

from datetime import timedelta

from django.utils import timezone

from labeling import chunks, runs
from labeling.models import LabelingRun, RunChunk

NEWS = ["sports news today", "more sports", "business report", "the weather report", "weather and sports"]


def take(run: LabelingRun) -> RunChunk:
    """A chunk of the run that this process holds from now on."""
    runs.begin(run)
    chunk = chunks.take(run, chunks.new_worker())
    assert chunk is not None
    return chunk


def let_die(chunk: RunChunk) -> None:
    """The process was on another machine, and nothing was heard of it since."""
    gone = timezone.now() - chunks.LEASE - timedelta(seconds=1)
    RunChunk.objects.filter(pk=chunk.pk).update(worker="elsewhere:1:x", heartbeat_at=gone)
    chunk.refresh_from_db()


def done_with(run: LabelingRun) -> None:
    """Do every chunk of the run's phase without any work, and let the next phase begin."""
    while (chunk := chunks.take(run, chunks.new_worker())) is not None:
        chunks.finish(chunk)
    assert chunks.is_done(run)
    chunks.advance(run)
