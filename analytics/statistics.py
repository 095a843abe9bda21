"""All statistics of a project, or of a part of it: what the page, the API and the report show alike."""

from dataclasses import dataclass
from datetime import datetime

from analytics import accuracy, activity, choosing, costs, keeping, progress
from analytics.accuracy import Accuracy, AccuracyOfCategory, AccuracyOfTime, ConfusionCell, Reliability
from analytics.activity import Agreement, DayActivity, ReviewerActivity
from analytics.choosing import EVERYTHING, Filters, Names
from analytics.costs import CertificateRow, ProviderCost, RunThroughput
from analytics.keeping import Counted
from analytics.progress import CategoryCount, ConfidenceHistogram, Progress
from labeling.models import Project


@dataclass(frozen=True)
class Statistics:
    """As of `counted_at`. `part` says in words what the filters leave; it is empty for the whole project.

    `is_cut`: there are more reviews than are counted, and the oldest are left out. `runs` are the
    newest 200; `promise` is of the whole project.
    """

    project_id: int
    project: str
    counted_at: datetime
    is_cut: bool
    filters: Filters
    part: str
    progress: Progress
    categories: tuple[CategoryCount, ...]
    confidence: ConfidenceHistogram
    reliability: Reliability
    accuracy: Accuracy
    accuracy_over_time: tuple[AccuracyOfTime, ...]
    accuracy_by_category: tuple[AccuracyOfCategory, ...]
    confusion: tuple[ConfusionCell, ...]
    median_seconds: float | None
    activity_by_day: tuple[DayActivity, ...]
    activity_by_reviewer: tuple[ReviewerActivity, ...]
    agreement: Agreement
    providers: tuple[ProviderCost, ...]
    runs: tuple[RunThroughput, ...]
    certificates: tuple[CertificateRow, ...]
    promise: str


def of_counted(project: Project, counted: Counted, names: Names, filters: Filters = EVERYTHING) -> Statistics:
    tables = counted.tables.followed(names.merged)
    texts, reviews = choosing.texts_of(tables, filters), choosing.reviews_of(tables, filters)
    done = activity.of(reviews, names, counted.details["with_others"])
    audits, runs = choosing.audits_of(tables, filters), costs.runs(tables.runs, names, filters)
    certificates = costs.certificates(counted.details)
    return Statistics(
        project_id=project.pk,
        project=project.name,
        counted_at=counted.counted_at,
        is_cut=tables.is_cut,
        filters=filters,
        part=choosing.in_words(filters, names),
        progress=progress.progress(texts),
        categories=progress.categories(texts, names),
        confidence=progress.histogram(texts, project.threshold),
        reliability=accuracy.reliability(project),
        accuracy=accuracy.overall(audits),
        accuracy_over_time=accuracy.over_time(audits),
        accuracy_by_category=accuracy.by_category(audits, names),
        confusion=accuracy.confusion(texts, names),
        median_seconds=done.median_seconds,
        activity_by_day=done.by_day,
        activity_by_reviewer=done.by_reviewer,
        agreement=activity.agreed(counted.details),
        providers=costs.by_provider(runs),
        runs=runs[: choosing.MOST_RUNS],
        certificates=costs.made_between(certificates, filters),
        promise=costs.promise(certificates),
    )


def of_project(project: Project) -> Statistics:
    """The whole project, counted now, however long it takes."""
    return of_counted(project, keeping.count(project), Names.of(project))
