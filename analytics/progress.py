"""How far the work is: texts by status, what the machine does by itself, and which categories there are."""

from dataclasses import dataclass

from analytics.cells import NOTHING, Cells
from analytics.choosing import Names
from analytics.queries import BINS, STATUSES
from labeling.choices import TextStatus


@dataclass(frozen=True)
class StatusCount:
    status: str
    name: str
    texts: int


@dataclass(frozen=True)
class Progress:
    """`auto_labeling_rate`: of the texts that a model labeled the share that was accepted without a person.

    `review_coverage`: of all texts the share that people decided. None where there are none.
    """

    texts: int
    machine_labeled: int
    accepted: int
    reviewed: int
    needs_review: int
    auto_labeling_rate: float | None
    review_coverage: float | None
    by_status: tuple[StatusCount, ...]


@dataclass(frozen=True)
class CategoryCount:
    """`machine`: texts that a model called so last. `human`: texts that people decided to be so. `now`: what holds."""

    category_id: int
    category: str
    machine: int
    human: int
    now: int


@dataclass(frozen=True)
class ConfidenceBin:
    """Texts whose model's label has a confidence from `low` up to, and for the last one including, `high`."""

    low: float
    high: float
    texts: int


@dataclass(frozen=True)
class ConfidenceHistogram:
    """Of so many labels of models. From the project's threshold on they are accepted without a person."""

    threshold: float
    bins: tuple[ConfidenceBin, ...]
    labels: int


def progress(texts: Cells) -> Progress:
    by_status = {STATUSES[key]: count for (key,), count in texts.by("status").items()}
    total, labeled = texts.total(), texts.total(texts["machine"] != NOTHING)
    accepted, reviewed = by_status.get(TextStatus.ACCEPTED, 0), by_status.get(TextStatus.REVIEWED, 0)
    return Progress(
        texts=total,
        machine_labeled=labeled,
        accepted=accepted,
        reviewed=reviewed,
        needs_review=by_status.get(TextStatus.NEEDS_REVIEW, 0),
        auto_labeling_rate=share(accepted, labeled),
        review_coverage=share(reviewed, total),
        by_status=tuple(StatusCount(one.value, one.label, by_status.get(one.value, 0)) for one in TextStatus),
    )


def categories(texts: Cells, names: Names) -> tuple[CategoryCount, ...]:
    """The active categories in their order, and retired ones that texts still have."""
    reviewed = texts.where(texts["status"] == STATUSES.index(TextStatus.REVIEWED))
    machine, human, now = texts.by("machine"), reviewed.by("category"), texts.by("category")
    active = [key for key, category in names.categories.items() if category.is_active]
    used = {key for (key,) in [*machine, *human, *now]} - {NOTHING}
    keys = [*active, *sorted(used - set(active))]
    return tuple(
        CategoryCount(key, names.category(key), *(counts.get((key,), 0) for counts in (machine, human, now)))
        for key in keys
    )


def histogram(texts: Cells, threshold: float) -> ConfidenceHistogram:
    """Confidences of what a model said last of each text, also of those that people decided since."""
    counts = texts.where(texts["bin"] >= 0).by("bin")
    bins = tuple(ConfidenceBin(n / BINS, (n + 1) / BINS, counts.get((n,), 0)) for n in range(BINS))
    return ConfidenceHistogram(threshold, bins, sum(one.texts for one in bins))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
