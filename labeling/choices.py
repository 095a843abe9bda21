"""The closed sets of words that rows may hold."""

from django.db import models


class TextStatus(models.TextChoices):
    """What holds now for a text."""

    UNLABELED = "unlabeled", "Unlabeled"
    NEEDS_REVIEW = "needs_review", "Needs review"
    ACCEPTED = "accepted", "Accepted"
    REVIEWED = "reviewed", "Reviewed"
    FAILED = "failed", "Failed"
    FLAGGED = "flagged", "Flagged"


# A run writes only to texts in these: what a person decided or flagged is never overwritten by a model.
LABELABLE = (TextStatus.UNLABELED, TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED, TextStatus.FAILED)
UNDONE = (TextStatus.UNLABELED, TextStatus.FAILED)
UNDECIDED = (TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW)  # a label holds for them that nobody has decided
CLOSED = (TextStatus.REVIEWED, TextStatus.FLAGGED)  # people decided them, or took them out
WAITING = (TextStatus.NEEDS_REVIEW, TextStatus.FAILED)  # for a person, as accepted texts of the blind audit do, too


class LabelOrigin(models.TextChoices):
    MODEL = "model", "Model"
    HUMAN = "human", "Human"


class ImportStatus(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded"  # somebody has yet to say what its columns mean
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


UNFINISHED_IMPORTS = (ImportStatus.QUEUED, ImportStatus.RUNNING)


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CANCELLING = "cancelling", "Cancelling"
    CANCELLED = "cancelled", "Cancelled"
    SUCCEEDED = "succeeded", "Succeeded"
    SUCCEEDED_WITH_FAILURES = "succeeded_with_failures", "Succeeded with failures"
    FAILED = "failed", "Failed"


UNFINISHED_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLING)
EXTENDABLE_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED)  # texts that come later may join them
WORKED_ON_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)  # processes are brought to them
SUCCESSFUL_RUNS = (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED_WITH_FAILURES)


class RunPhase(models.TextChoices):
    """What a run does, in this order; a phase begins when every chunk of the one before is done."""

    PREPARE = "prepare", "Preparing"
    READ = "read", "Reading a sample"
    FIT = "fit", "Fitting"
    LABEL = "label", "Labeling"
    FINISH = "finish", "Finishing"


class ChunkState(models.TextChoices):
    OPEN = "open", "Waits to be taken again"
    WORKING = "working", "Being worked on"
    DONE = "done", "Done"
    SET_ASIDE = "set_aside", "Set aside after several attempts"


class ClassifierKind(models.TextChoices):
    ZERO_SHOT = "zero_shot", "Zero-shot"
    POOL_AWARE = "pool_aware", "Pool-aware zero-shot"
    LEARNED = "learned", "Learned from reviews"


class RunOrigin(models.TextChoices):
    """What brought a run about."""

    REQUESTED = "requested", "Somebody asked for it"
    RELABEL = "relabel", "Relabeling after learning"
    RETRY = "retry", "Failed texts once more"
    SCHEDULE = "schedule", "New texts, by schedule"


class LabelWhen(models.TextChoices):
    """When new texts are labeled without anybody asking for it."""

    ASKED = "asked", "When somebody asks for it"
    ARRIVAL = "arrival", "When they arrive"
    DAILY = "daily", "Every day at a fixed time"


class Sampling(models.TextChoices):
    """How the texts that teach most are found [SET09]."""

    DIVERSE_MARGIN = "diverse_margin", "Smallest margin, no near-duplicates one after the other"
    MARGIN = "margin", "Smallest margin"
    ENTROPY = "entropy", "Highest entropy"
    LEAST_CONFIDENCE = "least_confidence", "Least confidence"
