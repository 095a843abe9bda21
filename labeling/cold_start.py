"""The first texts that people see, when nothing has been learned yet: they stand for all."""

import numpy as np

from labeling import annotations, embeddings, priorities
from labeling.choices import TextStatus
from labeling.learning import sampling
from labeling.models import Project, Text

COUNT = 25  # as many as the first training waits for
SAMPLE = 5_000


def put_first(project: Project, *, fingerprint: str) -> int:
    """Move COUNT typical and unlike texts before all others [HAC22], if nobody has decided one; returns how many.

    None while the ones that were moved before still wait. They are chosen from a random sample of the texts that wait
    for review. The unsurest texts of an untrained model are often odd ones, from which it learns less.
    """
    waiting = project.texts.filter(status=TextStatus.NEEDS_REVIEW, is_audit=False, priority__gte=priorities.LEAST)
    is_begun = project.texts.filter(reviewed_at__isnull=False).exists()
    if is_begun or waiting.filter(priority__gt=priorities.FOLLOWED).exists():
        return 0
    # By hash, which is a random order.
    sample = list(waiting.order_by("content_hash").values_list("pk", flat=True)[:SAMPLE])
    vectors = embeddings.vector_of("content_hash", fingerprint=fingerprint)
    texts = Text.objects.filter(pk__in=sample).annotate(vector=vectors).order_by("pk").values_list("pk", "vector")
    rows = [row for row in texts if row[1] is not None]
    if len(rows) <= COUNT:  # all of them would come first
        return 0
    matrix = embeddings.stacked([vector for _, vector in rows]).astype(np.float32)
    chosen = sampling.coverage(matrix, COUNT).tolist()
    # The first comes first, and the last still before what follows the newest decisions.
    places = [(priorities.FOLLOWED + 1 - place / COUNT, rows[row][0]) for place, row in enumerate(chosen)]
    return annotations.place_in_queue(places)
