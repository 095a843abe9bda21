"""How often the machine is right, as people found who did not see its answer; and what it takes for what."""

from dataclasses import dataclass
from datetime import date, timedelta

from analytics import agreement, classifier_quality
from analytics.cells import NOTHING, Cells
from analytics.choosing import Names
from analytics.queries import STATUSES
from labeling.choices import TextStatus
from labeling.models import Project

DAYS, WEEKS = 45, 45 * 7  # so many days are shown one by one, so many in weeks, and more in months


@dataclass(frozen=True)
class Accuracy:
    """Of `audited` decisions of the blind audit `right` are what the machine said; with Wilson's 95 % interval."""

    audited: int
    right: int
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AccuracyOfTime:
    begin: date
    end: date
    accuracy: Accuracy


@dataclass(frozen=True)
class AccuracyOfCategory:
    """Of the audited texts that the machine called so."""

    category_id: int
    category: str
    accuracy: Accuracy


@dataclass(frozen=True)
class ConfusionCell:
    """So many texts that the machine called `machine` last and people decided to be `human`."""

    machine_id: int
    machine: str
    human_id: int
    human: str
    texts: int


@dataclass(frozen=True)
class ReliabilityPoint:
    confidence: float
    accuracy: float
    share: float


@dataclass(frozen=True)
class Reliability:
    """Of the classifier in use, on reviews that it had not seen (out of fold). `missing` says why there is none."""

    classifier: int | None
    reviews: int
    is_calibrated: bool
    accuracy: float | None
    ece: float | None
    brier: float | None
    points: tuple[ReliabilityPoint, ...]
    missing: str


def overall(audits: Cells) -> Accuracy:
    return _accuracy(audits)


def over_time(audits: Cells) -> tuple[AccuracyOfTime, ...]:
    """By days, weeks or months, whichever are few enough to look at; periods without an audit are left out."""
    if not len(audits):
        return ()
    days = [date.fromordinal(key) for (key,) in audits.by("day")]
    length = (max(days) - min(days)).days
    periods = sorted({period_of(day, length) for day in days})
    return tuple(AccuracyOfTime(begin, end, _accuracy(_between(audits, begin, end))) for begin, end in periods)


def period_of(day: date, length: int) -> tuple[date, date]:
    """The first and last day of the period in which a day lies, where so many days are shown in all."""
    if length <= DAYS:
        return day, day
    if length <= WEEKS:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def by_category(audits: Cells, names: Names) -> tuple[AccuracyOfCategory, ...]:
    """The least right first."""
    rows = [
        AccuracyOfCategory(key, names.category(key), _accuracy(audits.where(audits["before"] == key)))
        for (key,) in audits.by("before")
    ]
    return tuple(sorted(rows, key=lambda row: (row.accuracy.accuracy or 0.0, -row.accuracy.audited, row.category)))


def confusion(texts: Cells, names: Names) -> tuple[ConfusionCell, ...]:
    """Of the texts that people decided what the machine had said; most frequent first."""
    is_reviewed = texts["status"] == STATUSES.index(TextStatus.REVIEWED)
    decided = texts.where(is_reviewed & (texts["machine"] != NOTHING))
    cells = [
        ConfusionCell(machine, names.category(machine), human, names.category(human), count)
        for (machine, human), count in decided.by("machine", "category").items()
    ]
    return tuple(sorted(cells, key=lambda cell: (-cell.texts, cell.machine, cell.human)))


def reliability(project: Project) -> Reliability:
    """As it was measured when the classifier was trained: filters do not change it."""
    measured = classifier_quality.measure(project)
    return Reliability(
        classifier=measured.classifier.version if measured.classifier else None,
        reviews=measured.reviews,
        is_calibrated=measured.is_calibrated,
        accuracy=measured.accuracy,
        ece=measured.ece,
        brier=measured.brier,
        points=tuple(ReliabilityPoint(one["confidence"], one["accuracy"], one["share"]) for one in measured.points),
        missing=measured.missing,
    )


def _between(cells: Cells, begin: date, end: date) -> Cells:
    return cells.where((cells["day"] >= begin.toordinal()) & (cells["day"] <= end.toordinal()))


def _accuracy(audits: Cells) -> Accuracy:
    audited, right = audits.total(), audits.total(audits["before"] == audits["after"])
    estimate = agreement.wilson(right, audited)
    return Accuracy(audited, right, estimate.value, estimate.low, estimate.high)
