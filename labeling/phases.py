"""What is done in each phase of a run, chunk by chunk."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from django.db import Error
from numpy.typing import NDArray

from labeling import (
    annotations,
    chunks,
    classifiers,
    cold_start,
    decided,
    drifting,
    labelers,
    prompts,
    rescoring,
    runs,
    spending,
)
from labeling.asking import TextsFailed
from labeling.choices import ClassifierKind, RunPhase
from labeling.chunks import Step
from labeling.embeddings import CachedEncoder, TextRow
from labeling.labelers import HeadLabeler, Labeler
from labeling.learning import zero_shot
from labeling.models import Category, LabelingRun, RunChunk, Text
from labeling.providers.base import Provider, ProviderError, ServerDown, Usage
from labeling.querysets import TextQuerySet

logger = logging.getLogger(__name__)

SLICE = 512  # texts between two writes: a second or two of a small model
FIRST_ASKED = 4  # texts of the first slice where a model answers one text after another, which may take a minute
QUICK_SECONDS, SLOW_SECONDS = 2.0, 10.0  # a process has to show up often, and stops only between two slices
REFIT_GROWTH = 1.2  # a zero-shot head is fitted again when its pool could be a fifth larger
HOPELESS = 50  # texts, all that a run has gone through, of which not one could be labeled: it gives up

Progress = Callable[[str, int, int], None]  # phase, texts done, texts in all
Found = dict[str, Any]  # columns of the run


class KeepOn(Protocol):
    """Proves that this process lives, keeps how far it came, and raises what makes it stop. A turn ends at a step."""

    def __call__(self, step: Step | None = None) -> None: ...


class Work:
    """One process's part in a run: what it holds in memory, and one method for each phase."""

    def __init__(self, run: LabelingRun, on_progress: Progress) -> None:
        self.run = run
        self.on_progress = on_progress
        self.keep_on: KeepOn = lambda step=None: None
        self.wait_seconds = 0.0  # that it waited the last time for what passes by itself; 0: it works

    def do(self, chunk: RunChunk, keep_on: KeepOn) -> Found:
        """Do one chunk; returns what it found out for the run.

        Raises ProviderError when going on is useless, and what `keep_on` raises.
        """
        self.keep_on = keep_on
        return _PHASES[RunPhase(chunk.phase)](self, chunk)

    def give_up(self, chunk: RunChunk) -> None:
        """After a chunk was set aside: those of its texts that were not labeled have failed."""
        if chunk.phase == RunPhase.LABEL:
            texts = self._texts(chunk).values_list("pk", flat=True)
            failed = annotations.record_failures(self.run, texts, chunk.error)
            RunChunk.objects.filter(pk=chunk.pk).update(texts=chunk.texts + failed, failed=chunk.failed + failed)

    @cached_property
    def provider(self) -> Provider:
        return prompts.provider_of(self.run)

    @cached_property
    def categories(self) -> list[Category]:
        """The run's categories as they were when it was started, in that order."""
        by_id = Category.objects.in_bulk([category["id"] for category in self.run.categories])
        if any(category["id"] not in by_id for category in self.run.categories):
            raise ProviderError("A category of this run was deleted meanwhile. Start a new run.", permanent=True)
        found = [(by_id[category["id"]], category) for category in self.run.categories]
        for category, before in found:
            category.name, category.description = before["name"], before["description"]
            category.examples = before.get("examples", category.examples)
        return [category for category, _ in found]

    @cached_property
    def encoder(self) -> CachedEncoder:
        # A text labeled for the first time goes through the model anyway, which gives its evidence too. A whole project
        # is relabeled from cached vectors, without the model and so without evidence: seconds instead of an hour.
        return CachedEncoder(self.provider, explained=self._is_explained)

    @cached_property
    def labeler(self) -> Labeler:
        classifier, strategy = self.run.classifier, self.run.project.sampling
        head = None if classifier is None else classifiers.load_head(classifier.pk)
        if not self.provider.can_embed:
            return labelers.of_answers(
                self.provider, self.categories, head, explained=self._is_explained, strategy=strategy
            )
        assert head is not None
        return HeadLabeler(self.encoder, self.categories, head, strategy=strategy)

    @property
    def _is_explained(self) -> bool:
        return not self.run.relabel or self.run.text_ids is not None

    # --- Before labeling ----------------------------------------------------------------------------------------------

    def prepare(self, chunk: RunChunk) -> Found:
        """Find the classifier that holds for these categories, or say on how large a sample one is to be fitted."""
        found = classifiers.current(self.run.project, self.provider, self.categories)
        known = {"model_name": self.provider.model_name, "classifier": found}
        if not self.provider.can_embed or (found and found.kind == ClassifierKind.LEARNED):
            return known
        size = min(self.run.project.texts.count(), zero_shot.pool_sample_size(len(self.categories)))
        if found and size < found.fitted_on["pool"] * REFIT_GROWTH:
            return known
        return {**known, "classifier": None, "sample_size": size}

    def read(self, chunk: RunChunk) -> Found:
        """Compute the vectors of a part of the sample."""
        for end, vectors in self._read_sample(chunk.reached, chunk.last):
            self.keep_on(Step(end, len(vectors)))
        return {}

    def fit(self, chunk: RunChunk) -> Found:
        """Fit a zero-shot head to the sample."""
        parts: list[NDArray[np.float32]] = []
        for _, vectors in self._read_sample(0, self.run.sample_size):
            parts.append(vectors)
            self.keep_on()
        pool = np.concatenate(parts)
        return {"classifier": classifiers.fit_zero_shot(self.run.project, self.provider, self.categories, pool)}

    def _read_sample(self, after: int, last: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Vectors (n, dim) of a part of a random sample of the project's texts, with the place that they reach to.

        Hashes are uniform and know nothing of the content's meaning, so their order is a random order, and the same in
        each process.
        """
        texts = self.run.project.texts.order_by("content_hash").values_list("pk", "content", "content_hash")
        for begin in range(after, last, SLICE):
            end = min(begin + SLICE, last)
            yield end, self.encoder.read_ahead([TextRow(*values) for values in texts[begin:end]])
            self.on_progress(RunPhase.READ.label, end, self.run.sample_size)

    # --- Labeling -----------------------------------------------------------------------------------------------------

    def label(self, chunk: RunChunk) -> Found:
        """Label the texts of a chunk: a whole project again from its cached vectors, else by the model."""
        before = chunks.tally(self.run).texts - chunk.texts
        is_rescored = self.run.relabel and self.run.text_ids is None and isinstance(self.labeler, HeadLabeler)
        for step in (self._rescore if is_rescored else self._label_all)(self._texts(chunk)):
            self.keep_on(step)
            self.on_progress(RunPhase.LABEL.label, min(before + chunk.texts, self.run.total), self.run.total)
            if step.failed:
                self.refuse_to_go_on_in_vain()
        return {}

    def _texts(self, chunk: RunChunk) -> TextQuerySet:
        return Text.objects.of_chunk(self.run, after=chunk.reached, last=chunk.last)

    def _rescore(self, texts: TextQuerySet) -> Iterator[Step]:
        """A step for each batch. What has no vector yet goes through the model, with a step for each slice."""
        assert isinstance(self.labeler, HeadLabeler)
        for held in rescoring.batches(texts, fingerprint=self.provider.fingerprint):
            changed = rescoring.rescore(self.run, self.labeler, held)
            logger.info("Run %s: %s of %s texts changed", self.run.pk, changed, len(held.ids))
            counted = 0
            for step in self._label_all(texts.filter(pk__in=held.without_vector)):
                before = int(np.searchsorted(held.ids, step.reached))  # texts on the way that had a vector
                yield step._replace(texts=step.texts + before - counted)
                counted = before
            yield Step(held.last_id, len(held.ids) - counted)

    def _label_all(self, texts: TextQuerySet) -> Iterator[Step]:
        """A step for each slice."""
        for ids in texts.in_batches(lambda: self._at_once):
            rows = Text.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "content", "content_hash")
            if self.labeler.reader is not None:
                spending.require_means(self.run, len(ids))
            begun = time.monotonic()
            failed = self._label([TextRow(*values) for values in rows])
            self._pace(time.monotonic() - begun)
            yield self._step(ids[-1], len(ids), failed)

    def _step(self, reached: int, texts: int, failed: int = 0) -> Step:
        """With what asking took since the last one."""
        usage = self.labeler.reader.take_usage() if self.labeler.reader else Usage()
        return Step(reached, texts, failed, usage, spending.cost_of(usage, self.run.project))

    @cached_property
    def _at_once(self) -> int:
        """Texts in the next slice."""
        return SLICE if self.provider.can_embed else min(FIRST_ASKED, SLICE)

    def _pace(self, seconds: float) -> None:
        """After a slice that took so long: the next one is twice or half as large, until it takes some seconds."""
        if seconds < QUICK_SECONDS:
            self._at_once = min(2 * self._at_once, SLICE)
        elif seconds > SLOW_SECONDS:
            self._at_once = max(self._at_once // 2, 1)

    def _label(self, rows: list[TextRow]) -> int:
        """Label some texts; returns how many could not be.

        What a model or a library breaks on is halved until the bad text stands alone, and fails alone.
        """
        try:
            predictions = self.labeler.label(rows, audit_share=self.run.audit_share)
        except TextsFailed as failed:
            answered = failed.answered(rows)
            return self._refuse(rows, failed) + (self._label(answered) if answered else 0)
        except (Error, ServerDown):  # of the database or the server, and not of a text
            raise
        except Exception as error:  # each library has its own, of which one text must not stop all others
            if isinstance(error, ProviderError) and error.permanent:
                raise
            if len(rows) > 1:
                self.keep_on()  # each half may take as long as the whole
                middle = len(rows) // 2
                return self._label(rows[:middle]) + self._label(rows[middle:])
            reason = str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"
            logger.warning("Run %s: text %s failed: %s", self.run.pk, rows[0].id, reason)
            annotations.record_failures(self.run, [rows[0].id], reason)
            return 1
        if self.run.relabel and self.run.text_ids is None:
            predictions, same = rescoring.split(predictions, self.run.threshold)
            rescoring.move_in_queue(same)
        held = annotations.record_predictions(self.run, predictions)
        logger.info("Run %s: labeled %s of %s texts", self.run.pk, held, len(rows))
        return 0

    def _refuse(self, rows: list[TextRow], failed: TextsFailed) -> int:
        """Keep why single texts could not be labeled; returns how many."""
        by_reason: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if row.content_hash in failed.errors:
                by_reason[str(failed.errors[row.content_hash])].append(row.id)
        for reason, ids in by_reason.items():
            logger.warning("Run %s: %s texts failed: %s", self.run.pk, len(ids), reason)
            annotations.record_failures(self.run, ids, reason)
        return sum(map(len, by_reason.values()))

    def refuse_to_go_on_in_vain(self) -> None:
        """Raises ProviderError when many texts were gone through by all processes and not one could be labeled."""
        texts, failed = chunks.tally(self.run)
        if failed == texts and failed >= HOPELESS:
            reasons = runs.failed_texts(self.run).order_by("-pk").values_list("error", flat=True)
            raise ProviderError(f"None of the first {failed} texts could be labeled. {reasons[0]}", permanent=True)

    # --- After labeling -----------------------------------------------------------------------------------------------

    def finish(self, chunk: RunChunk) -> Found:
        """What is done once all is labeled: for the first reviews, for learning, and to notice other kinds of texts."""
        if self.run.text_ids is None and self.run.limit is None:
            reader = self.labeler.reader
            for reached, texts in decided.read(self.run, reader, after=chunk.reached) if reader else ():
                self.keep_on(self._step(reached, texts))
        if self.run.classifier and self.run.text_ids is None:
            cold_start.put_first(self.run.project, fingerprint=self.run.classifier.model_fingerprint)
        self.keep_on()
        finding = drifting.compare(self.run)
        if finding and finding["is_warning"]:
            logger.warning("Run %s: the new texts differ from those before", self.run.pk)
        return {}


_PHASES: dict[RunPhase, Callable[[Work, RunChunk], Found]] = {
    RunPhase.PREPARE: Work.prepare,
    RunPhase.READ: Work.read,
    RunPhase.FIT: Work.fit,
    RunPhase.LABEL: Work.label,
    RunPhase.FINISH: Work.finish,
}
