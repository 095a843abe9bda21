"""The work of a run: fit a head when none holds, then label chunk after chunk.

The provider is called outside of transactions; each chunk is written in one. Whatever stops the process, the rows say
where to go on.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import annotations, classifiers, cold_start, drifting, features, labelers, rescoring, runs
from labeling.choices import ClassifierKind, TextStatus
from labeling.embeddings import CachedEncoder, TextRow
from labeling.labelers import HeadLabeler, Labeler
from labeling.learning import zero_shot
from labeling.models import Category, Classifier, LabelingRun, Text
from labeling.providers import get_provider
from labeling.providers.base import Provider, ProviderError
from labeling.querysets import TextQuerySet
from labeling.runs import Lease

logger = logging.getLogger(__name__)

CHUNK = 512  # texts between two writes: a second or two of a small model, so that stopping is cheap
MOST_DECIDED = 5_000  # texts that people closed and that a model reads all the same
REFIT_GROWTH = 1.2  # a zero-shot head is fitted again when its pool could be a fifth larger

Progress = Callable[[str, int, int], None]  # phase, texts done, texts in all
IsOver = Callable[[], bool]


def ignore_progress(phase: str, done: int, total: int) -> None:
    """For callers that show nothing."""


def never() -> bool:
    """For callers that wait until the run is finished."""
    return False


def execute(run: LabelingRun, *, on_progress: Progress = ignore_progress, is_over: IsOver = never) -> bool:
    """Work on the run until it is finished; True then. Between two chunks `is_over` may say that the time is up: False.

    Raises RunInProgress when another process has it, RunTakenAway when it was cancelled meanwhile, and ProviderError
    when going on is useless (the run is then failed, with the reason). Anything else that interrupts leaves the run
    paused, for the next process to go on with.
    """
    lease = runs.take(run)
    try:
        if not _label_all(run, lease, on_progress, is_over):
            return False
        if run.classifier and run.text_ids is None:
            cold_start.put_first(run.project, fingerprint=run.classifier.model_fingerprint)
        _compare_new_texts(run, lease)
        runs.finish(lease, run)
        return True
    except ProviderError as error:
        runs.fail(lease, str(error))
        raise
    finally:
        runs.release(lease)  # changes nothing once the run is finished or failed
        run.refresh_from_db()


def _label_all(run: LabelingRun, lease: Lease, on_progress: Progress, is_over: IsOver) -> bool:
    provider = get_provider(run.provider)
    labeler = _labeler(run, lease, provider, on_progress)
    texts = Text.objects.of_run(run)
    is_whole = run.text_ids is None and run.limit is None
    if isinstance(labeler, HeadLabeler) and run.relabel and is_whole:
        # First what has no vector: what is stopped between its vector and its label has one the next time.
        new = features.lacking(texts, [provider.fingerprint])
        return _label_each(run, lease, labeler, new, on_progress, is_over) and _rescore_all(
            run, lease, labeler, on_progress, is_over
        )
    labeled = _label_each(run, lease, labeler, texts, on_progress, is_over)
    return labeled and (not is_whole or _read_decided(run, lease, labeler, is_over))


def _label_each(
    run: LabelingRun,
    lease: Lease,
    labeler: Labeler,
    texts: TextQuerySet,
    on_progress: Progress,
    is_over: IsOver,
) -> bool:
    done = run.done
    for rows in _chunks(run, texts, done):
        lease.extend()
        _label_chunk(run, labeler, rows)
        done += len(rows)
        on_progress("Labeling", min(done, run.total), run.total)
        if is_over():
            return False
    return True


def _read_decided(run: LabelingRun, lease: Lease, labeler: Labeler, is_over: IsOver) -> bool:
    """Let the model read the newest texts that people closed, too: unread they could neither teach nor judge.

    They get no label. False when the time is over.
    """
    if labeler.reader is None:
        return True
    decided = run.project.texts.filter(status__in=(TextStatus.REVIEWED, TextStatus.FLAGGED)).order_by("-pk")
    newest = Text.objects.filter(pk__in=decided.values("pk")[:MOST_DECIDED]).order_by("pk")
    waiting = features.lacking(newest, labeler.reader.fingerprints).values_list("pk", "content", "content_hash")
    while rows := [TextRow(*values) for values in waiting[:CHUNK]]:
        lease.extend()
        try:
            labeler.reader.read(rows)
        except ProviderError as error:
            if error.permanent:
                raise
            logger.warning("Run %s: %s decided texts were not read: %s", run.pk, len(rows), error)
            return True
        if is_over():
            return False
    return True


def _rescore_all(run: LabelingRun, lease: Lease, labeler: HeadLabeler, on_progress: Progress, is_over: IsOver) -> bool:
    """Label again all that has a vector, from where an interrupted process stopped."""
    done = 0
    for held in rescoring.batches(run, fingerprint=labeler.encoder.provider.fingerprint):
        changed = rescoring.rescore(run, labeler, held)
        lease.extend(rescored_to=held.last_id)
        done += len(held.ids)
        logger.info("Run %s: %s of %s texts changed", run.pk, changed, len(held.ids))
        on_progress("Labeling", min(done, run.total), run.total)
        if is_over():
            return False
    return True


def _compare_new_texts(run: LabelingRun, lease: Lease) -> None:
    """Before the run is finished: a process that dies here leaves it to the next one, and no warning is lost."""
    lease.extend()
    finding = drifting.compare(run)
    if finding and finding["is_warning"]:
        logger.warning("Run %s: the new texts differ from those before", run.pk)


def _label_chunk(run: LabelingRun, labeler: Labeler, rows: Sequence[TextRow]) -> None:
    try:
        predictions = labeler.label(rows, audit_share=run.audit_share)
    except ProviderError as error:
        if error.permanent:
            raise
        failed = annotations.record_failures(run, {row.id: str(error) for row in rows})
        logger.warning("Run %s: %s texts failed: %s", run.pk, failed, error)
        return
    if run.relabel and run.text_ids is None:
        predictions, same = rescoring.split(run, predictions)
        rescoring.move_in_queue(same)
    held = annotations.record_predictions(run, predictions)
    logger.info("Run %s: labeled %s of %s texts of a chunk", run.pk, held, len(rows))


def _chunks(run: LabelingRun, waiting: TextQuerySet, done: int) -> Iterator[list[TextRow]]:
    """The texts still to label, by id, until the run's limit."""
    limit = max(0, run.total - done) if run.limit is not None else None
    for ids in waiting.in_batches(CHUNK, limit=limit):
        rows = Text.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "content", "content_hash")
        yield [TextRow(*values) for values in rows]


# --- The head ---------------------------------------------------------------------------------------------------------


def _labeler(run: LabelingRun, lease: Lease, provider: Provider, on_progress: Progress) -> Labeler:
    categories = _categories(run)
    run.model_name = provider.model_name
    # A text labeled for the first time goes through the model anyway, which gives its evidence too. A whole project is
    # relabeled from cached vectors, without the model and so without evidence: seconds instead of an hour.
    explained = not run.relabel or run.text_ids is not None
    if not provider.can_embed:
        run.classifier = run.classifier or classifiers.current(run.project, provider, categories)
        run.save(update_fields=["model_name", "classifier"])
        return labelers.of_answers(
            provider, categories, run.classifier, explained=explained, strategy=run.project.sampling
        )
    encoder = CachedEncoder(provider, explained=explained)
    run.classifier = _classifier(run, lease, encoder, categories, on_progress)
    run.save(update_fields=["model_name", "classifier"])
    head = classifiers.load_head(run.classifier.pk)
    return HeadLabeler(encoder, categories, head, strategy=run.project.sampling)


def _categories(run: LabelingRun) -> list[Category]:
    """The run's categories, in the order it was started with."""
    by_id = Category.objects.in_bulk([category["id"] for category in run.categories])
    return [by_id[category["id"]] for category in run.categories if category["id"] in by_id]


def _classifier(
    run: LabelingRun, lease: Lease, encoder: CachedEncoder, categories: list[Category], on_progress: Progress
) -> Classifier:
    """The classifier that holds for these categories, or a new zero-shot one fitted on a sample of the pool."""
    found = run.classifier or classifiers.current(run.project, encoder.provider, categories)
    size = min(run.project.texts.count(), zero_shot.pool_sample_size(len(categories)))
    if found and (found.kind == ClassifierKind.LEARNED or size < found.fitted_on["pool"] * REFIT_GROWTH):
        return found
    pool = _pool(run, lease, encoder, size, on_progress)
    lease.extend()
    return classifiers.fit_zero_shot(run.project, encoder.provider, categories, pool)


def _pool(
    run: LabelingRun, lease: Lease, encoder: CachedEncoder, size: int, on_progress: Progress
) -> NDArray[np.float32]:
    """Vectors of a random sample of the project's texts, shape (size, dim).

    Hashes are uniform and know nothing of the content's meaning, so their order is a random order, the same each time.
    """
    texts = run.project.texts.order_by("content_hash").values_list("pk", "content", "content_hash")[:size]
    rows = [TextRow(*values) for values in texts]
    parts: list[NDArray[np.float32]] = []
    for begin in range(0, len(rows), CHUNK):
        lease.extend()
        parts.append(encoder.read_ahead(rows[begin : begin + CHUNK]))
        on_progress("Reading a sample", min(begin + CHUNK, size), size)
    return np.concatenate(parts)
