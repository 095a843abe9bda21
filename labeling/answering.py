"""Texts answered at once, as somebody waits for it. Nothing is stored; `labeling.keeping` does that."""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings

from labeling import classifiers, labelers, prompts, runs, spending
from labeling.annotations import Maker, Prediction
from labeling.asking import TextsFailed
from labeling.embeddings import CachedEncoder, TextRow
from labeling.labelers import HeadLabeler, Labeler
from labeling.learning import zero_shot
from labeling.learning.classifier import LinearHead
from labeling.models import Category, Classifier, Project
from labeling.normalizing import content_hash, normalize
from labeling.providers.base import Provider, ProviderError, ServerDown
from labeling.providers.http import CALL_FACTOR

# One less than the threads of a web process, so that a slow model never keeps it from answering others.
AT_ONCE = 3
PATIENCE_SECONDS = 1.0  # that a request waits for its turn
LOADING_SECONDS = 15.0  # and for a model that another one loads, in its turn; fetching one takes longer
LONGEST = timedelta(minutes=5)  # that a request asks servers: no call begins that could end later
KEPT_HEADS = 32
LOOK_SECONDS = 1.0
MOST_MODELS = 100

_turns = threading.BoundedSemaphore(AT_ONCE)

_models: dict[tuple[int, str], tuple[float, "Model"]] = {}

Said = Prediction | ProviderError


class Busy(RuntimeError):
    """As many texts are being answered as this process answers at once."""


def answer(project: Project, content: str, *, provider: str = "") -> Prediction:
    """What the project's model says about a text, by its newest classifier, or plain zero-shot when it has none.

    Raises NoActiveCategories, ProviderError or Busy.
    """
    [said] = Answerer(project, provider=provider).label([normalize(content)])
    if isinstance(said, ProviderError):
        raise said
    return said


@dataclass(frozen=True, eq=False)
class Model:
    """What answers for a project."""

    categories: list[Category]
    provider: Provider
    prompt_version: int | None
    classifier: Classifier | None
    head: LinearHead | None


class Answerer:
    """A project's model, ready to be asked. Made for each request; the weights stay loaded.

    `maker` says what answers. Raises NoActiveCategories, ProviderError or Busy.
    """

    def __init__(self, project: Project, *, provider: str = "") -> None:
        self.project = project
        spending.refuse_when_used_up(project)
        alias = provider or project.provider_alias
        with _turn():  # the first request loads the model, or even fetches it
            model = _model(project, alias)
            self._labeler = _labeler(model)
        self.categories = model.categories
        self.maker = Maker(
            project_id=project.pk,
            provider=alias,
            model_name=model.provider.model_name,
            threshold=project.threshold,
            classifier=model.classifier,
            prompt_version=model.prompt_version,
        )

    def label(self, texts: Sequence[str], *, audit_share: float = 0.0) -> list[Said]:
        """What the model says of each text, by its place, or why it could not. The texts are normalised.

        Raises Busy, and ProviderError when the server is down, an error stays until somebody changes something, or the
        only text left to answer fails. Of several texts whose errors may pass each has its own, even when all failed.
        """
        rows = {content_hash(text): text for text in texts}
        places = {key: place for place, key in enumerate(rows)}
        with _turn():
            said = self._each([TextRow(places[key], rows[key], key) for key in rows], audit_share)
        return [said[content_hash(text)] for text in texts]

    def keep(self) -> None:
        """Keep what the model made of the texts, so that it need not read them again."""
        self._labeler.keep()

    def _each(self, rows: Sequence[TextRow], audit_share: float) -> dict[str, Said]:
        """By content hash. What the model refuses is halved until the bad text stands alone, and fails alone."""
        if not rows:
            return {}
        try:
            found = self._labeler.label(rows, audit_share=audit_share)
            return {row.content_hash: said for row, said in zip(rows, found, strict=True)}
        except TextsFailed as failed:
            answered = [row for row in rows if row.content_hash not in failed.errors]
            return {**failed.errors, **self._each(answered, audit_share)}
        except ServerDown:
            raise
        except ProviderError as error:
            if error.permanent or len(rows) == 1:
                raise
            middle = len(rows) // 2
            return self._half(rows[:middle], audit_share) | self._half(rows[middle:], audit_share)

    def _half(self, rows: Sequence[TextRow], audit_share: float) -> dict[str, Said]:
        try:
            return self._each(rows, audit_share)
        except ServerDown:
            raise
        except ProviderError as error:
            if error.permanent:
                raise
            return {row.content_hash: error for row in rows}


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise Busy("Other texts are being answered. Try again in a moment, or let many texts be labeled by a run.")
    try:
        yield
    finally:
        _turns.release()


def _model(project: Project, alias: str) -> Model:
    """Looked up once a second: what changes, such as a category, holds for answers a second later."""
    key, now = (project.pk, alias), time.monotonic()
    looked_at, model = _models.get(key, (-math.inf, None))
    if model is None or now - looked_at >= LOOK_SECONDS:
        model = _look_up(project, alias)
        if len(_models) >= MOST_MODELS:
            _models.clear()
        _models[key] = now, model
    return model


def _look_up(project: Project, alias: str) -> Model:
    categories = project.active_categories()
    if not categories:
        raise runs.NoActiveCategories(
            f"Project {project} has no active categories. Add some on its page, under Categories."
        )
    provider, prompt_version = prompts.provider_and_version(project, alias, patience=LOADING_SECONDS)
    classifier = classifiers.current(project, provider, categories)
    head = None if classifier is None else classifiers.load_head(classifier.pk)
    if head is None and provider.can_embed:
        head = _plain_head(provider, _Words(categories))
    return Model(categories, provider, prompt_version, classifier, head)


def _labeler(model: Model) -> Labeler:
    if not model.provider.can_embed:
        until = time.monotonic() + LONGEST.total_seconds() - CALL_FACTOR * settings.LLM_TIMEOUT_SECONDS
        return labelers.of_answers(
            model.provider, model.categories, model.head, explained=True, keeps=False, until=until
        )
    assert model.head is not None
    encoder = CachedEncoder(model.provider, explained=True, keeps=False)
    return HeadLabeler(encoder, model.categories, model.head)


class _Words:
    """Categories as a key: equal while no word of them changes."""

    def __init__(self, categories: list[Category]) -> None:
        self.categories = categories
        self.key = classifiers.category_hash(categories)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Words) and self.key == other.key


@lru_cache(maxsize=KEPT_HEADS)
def _plain_head(provider: Provider, words: _Words) -> LinearHead:
    """Kept, since the model has to read every category's words for it."""
    return zero_shot.plain_head(classifiers.prototypes(provider, words.categories))
