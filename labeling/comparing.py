"""Providers side by side on texts that people decided: right, sure, fast, and what they cost.

Each answers as it does before anything was learned, because what was learned was learned from these very texts.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from labeling import classifiers, prompts, spending
from labeling.asking import CachedAnswers, TextsFailed
from labeling.choices import TextStatus
from labeling.embeddings import TextRow
from labeling.learning import calibration, zero_shot
from labeling.learning.classifier import softmax
from labeling.models import Category, Project
from labeling.providers.base import ConfidenceSource, Provider, ProviderError, Usage


class NothingToCompareOn(ValueError):
    """Nobody has decided a text of the project."""


@dataclass(frozen=True)
class Compared:
    """One provider. Shares are of the texts it answered; None where it answered none. `error` says why."""

    alias: str
    model_name: str
    confidence_source: str
    answered: int
    failed: int
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None  # 95 %, Wilson
    calibration_error: float | None
    brier: float | None
    texts_per_second: float | None  # None: all answers were there already
    tokens: int
    cost: float
    error: str = ""


@dataclass(frozen=True)
class Comparison:
    """`audited` of the `texts` are of the blind audit, so a fair sample; the others were doubtful to some model."""

    texts: int
    audited: int
    providers: tuple[Compared, ...]
    agreement: tuple[tuple[str, str, float], ...]  # two aliases, share of texts where both answered the same


def compare(project: Project, aliases: Sequence[str], *, sample: int = 200) -> Comparison:
    """Let each provider answer the same decided texts. Raises NothingToCompareOn.

    A provider that cannot answer is in the result with its error. Answers are kept, so that a run need not ask again.
    """
    categories = project.active_categories()
    texts = project.texts.filter(status=TextStatus.REVIEWED, current_label__category__in=categories)
    fields = ("pk", "content", "content_hash", "current_label__category_id", "is_audit")
    chosen = list(texts.order_by("-is_audit", "content_hash").values_list(*fields)[:sample])
    if not chosen:
        raise NothingToCompareOn(f"Nobody has decided a text of project {project}. Review some, then compare.")
    rows = [TextRow(*values[:3]) for values in chosen]
    places = {category.pk: place for place, category in enumerate(categories)}
    truth = np.array([places[values[3]] for values in chosen])
    found = [_compared(project, alias, categories, rows, truth) for alias in aliases]
    answers = {compared.alias: said for compared, said in found}
    return Comparison(
        texts=len(rows),
        audited=sum(values[4] for values in chosen),
        providers=tuple(compared for compared, _ in found),
        agreement=tuple(_agreement(answers, *pair) for pair in combinations(dict.fromkeys(aliases), 2)),
    )


Answered = NDArray[np.int64]  # (n_texts,): the place of the category, or -1


def _compared(
    project: Project, alias: str, categories: Sequence[Category], rows: Sequence[TextRow], truth: Answered
) -> tuple[Compared, Answered]:
    try:
        provider = prompts.provider_for(project, alias)
        said = (_ask_encoder if provider.can_embed else _ask)(project, provider, categories, rows)
    except ProviderError as error:
        nothing = Compared(alias, "", "", 0, len(rows), None, None, None, None, None, 0, 0.0, str(error))
        return nothing, np.full(len(rows), -1)
    known = said.scores.any(axis=1)
    best = np.where(known, said.scores.argmax(axis=1), -1)
    compared = Compared(
        alias,
        provider.model_name,
        said.source,
        int(known.sum()),
        int((~known).sum()),
        *_quality(said.scores[known], truth[known]),
        texts_per_second=said.asked / said.seconds if said.asked else None,
        tokens=said.usage.prompt_tokens + said.usage.completion_tokens,
        cost=float(spending.cost_of(said.usage, project)),
        error=said.error,
    )
    return compared, best


def _quality(
    scores: NDArray[np.float32], truth: Answered
) -> tuple[float | None, tuple[float, float] | None, float | None, float | None]:
    """Accuracy, its interval, calibration error and Brier score; None where nothing was answered."""
    if not len(truth):
        return None, None, None, None
    right = scores.argmax(axis=1) == truth
    interval = binomtest(int(right.sum()), len(truth)).proportion_ci(method="wilson")
    return (
        float(right.mean()),
        (float(interval.low), float(interval.high)),
        calibration.expected_calibration_error(scores.max(axis=1), right),
        calibration.brier_score(scores, truth),
    )


@dataclass(frozen=True, eq=False)
class _Said:
    scores: NDArray[np.float32]  # (n_texts, n_categories); zero where there is no answer
    source: str
    asked: int  # texts that were not answered before
    seconds: float
    usage: Usage = field(default_factory=Usage)
    error: str = ""


def _ask_encoder(
    project: Project, provider: Provider, categories: Sequence[Category], rows: Sequence[TextRow]
) -> _Said:
    prior = classifiers.newest_prior(project, provider, categories)
    if prior is None:
        head = zero_shot.plain_head(classifiers.prototypes(provider, categories))
    else:
        head = classifiers.load_head(prior.pk)
    begun = time.monotonic()
    scores = head.probabilities(provider.embed([row.content for row in rows]))
    return _Said(scores, ConfidenceSource.PROBABILITIES, len(rows), time.monotonic() - begun)


def _ask(project: Project, provider: Provider, categories: Sequence[Category], rows: Sequence[TextRow]) -> _Said:
    answers = CachedAnswers(provider, categories)
    missing, errors = answers.count_missing(rows), dict[str, ProviderError]()
    begun = time.monotonic()
    try:
        answers.read(rows)
    except TextsFailed as failed:
        errors = failed.errors
    seconds = time.monotonic() - begun
    known = np.array([row.content_hash not in errors for row in rows])
    asked = answers.read([row for row, is_known in zip(rows, known, strict=True) if is_known])
    scores = np.zeros((len(rows), len(categories)), dtype=np.float32)
    scores[known] = softmax(asked.logs)
    source = ", ".join(sorted(set(asked.sources)))
    reason = str(next(iter(errors.values()), ""))
    return _Said(scores, source, missing, seconds, answers.take_usage(), reason)


def _agreement(answers: dict[str, Answered], one: str, other: str) -> tuple[str, str, float]:
    both = (answers[one] >= 0) & (answers[other] >= 0)
    return one, other, float((answers[one] == answers[other])[both].mean()) if both.any() else 0.0
