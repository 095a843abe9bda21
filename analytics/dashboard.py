"""Where the work stands, for the start page: a bounded number of questions for all projects together. Reads only.

What is slow to reckon, the error budget, is only taken from what was reckoned lately; pages ask for it afterwards.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Substr
from django.urls import reverse
from django.utils.text import Truncator

from analytics import budget, first_run
from analytics.first_run import Facts, Step
from analytics.remembering import remembered
from analytics.wording import number, percent
from labeling import counting, drifting, planning, run_progress, standing, wording
from labeling.choices import UNDONE, UNFINISHED_RUNS, ClassifierKind, TextStatus
from labeling.counting import StatusCounts
from labeling.models import Category, Certificate, Classifier, LabelingRun, Project, Text
from labeling.models.certificate import PromiseChoice
from labeling.projects import DEFAULT

MOST_PROJECTS = 20
NEXT_TEXTS = 3  # of each project
EXCERPT = 110  # characters
TREND = 12  # newest classifiers
BUDGET = 0.05  # whose costs the start page tells
SHOWN_FIRST = (  # from done to undone, as the bar is drawn
    TextStatus.REVIEWED,
    TextStatus.ACCEPTED,
    TextStatus.NEEDS_REVIEW,
    TextStatus.FLAGGED,
    TextStatus.FAILED,
    TextStatus.UNLABELED,
)
DONE = tuple(status for status in SHOWN_FIRST if status not in UNDONE)


@dataclass(frozen=True)
class Part:
    """A part of the bar of all texts: where it begins and how wide it is, of 100."""

    status: str
    name: str
    texts: int
    start: float
    width: float


@dataclass(frozen=True)
class Texts:
    """All texts of a project by status. `words` say the same."""

    total: int
    parts: tuple[Part, ...]
    words: str


@dataclass(frozen=True)
class NextText:
    excerpt: str
    category: str
    confidence: float | None


@dataclass(frozen=True)
class Trend:
    """The measured accuracy of the newest classifiers, oldest first: points of a line in a box of 100 by 30."""

    line: str
    last: str
    words: str


@dataclass(frozen=True)
class Card:
    """One project. `proof` is what was reckoned of its error budget lately, None where nothing was."""

    project: Project
    texts: Texts
    waiting: int
    run: dict[str, Any] | None
    next_texts: tuple[NextText, ...]
    trend: Trend | None
    steps: tuple[Step, ...]
    proof: dict[str, Any] | None

    @property
    def next_step(self) -> Step | None:
        return next((step for step in self.steps if step.is_next), None)


def shown_projects(projects: QuerySet[Project]) -> list[Any]:
    """The newest ones that have something to show; not the default project while nobody uses it beside others."""
    running = LabelingRun.objects.filter(project=OuterRef("pk"), status__in=UNFINISHED_RUNS)
    granted = Certificate.objects.filter(project=OuterRef("pk"), threshold__isnull=False)
    categories = Category.objects.filter(project=OuterRef("pk"), is_active=True).order_by().values("project")
    annotated = projects.filter(is_archived=False).annotate(
        is_running=Exists(running),
        is_certified=Exists(granted),
        # Asked anew, not from counts that are kept for a while: who has just labeled is not told to label.
        **{f"some_{status}": _some_text(status) for status in SHOWN_FIRST},
        n_categories=Subquery(categories.annotate(n=Count("*")).values("n")),
        **{f"next_text_{place}": _next_text(place) for place in range(NEXT_TEXTS)},
    )
    found: list[Any] = list(annotated.order_by("-is_running", "-pk")[: MOST_PROJECTS + 1])
    used = [project for project in found if project.name != DEFAULT or project.n_categories]
    return (used or found)[:MOST_PROJECTS]


def _some_text(status: TextStatus) -> Subquery:
    """One with this status, or NULL. By an index, in its order: asked whether one EXISTS, PostgreSQL goes through a
    million others to find it."""
    texts = Text.objects.filter(project=OuterRef("pk"), status=status)
    return Subquery(texts.order_by("-priority", "pk").values("pk")[:1])


def _next_text(place: int) -> Subquery:
    """One of those that the desk would give first. By an index alone, however many wait."""
    waiting = Text.objects.filter(project=OuterRef("pk"), status=TextStatus.NEEDS_REVIEW, is_audit=False)
    return Subquery(waiting.order_by("-priority", "pk").values("pk")[place : place + 1])


def cards(projects: Sequence[Any]) -> list[Card]:
    """What managers see of these projects, which `shown_projects` found."""
    keys = [project.pk for project in projects]
    counts, waiting = counting.texts_by_status(keys), counting.waiting_for_people(keys)
    runs, next_texts, trends = running(keys), _next_texts(projects), _trends(keys)
    proofs = cache.get_many([budget.proof_key(pk) for pk in keys])
    return [
        Card(
            project=project,
            texts=texts_in_parts(counts[project.pk]),
            waiting=waiting[project.pk],
            run=runs.get(project.pk),
            next_texts=next_texts.get(project.pk, ()),
            trend=trends.get(project.pk),
            steps=_steps(project),
            proof=proofs.get(budget.proof_key(project.pk)),
        )
        for project in projects
    ]


def live(projects: Sequence[Any]) -> dict[str, Any]:
    """What changes while somebody looks at the page, as JSON, of projects that `shown_projects` found."""
    project_ids = [project.pk for project in projects]
    counts, waiting = counting.texts_by_status(project_ids), counting.waiting_for_people(project_ids)
    runs = running(project_ids)
    return {
        "projects": [
            {
                "id": project.pk,
                **asdict(texts_in_parts(counts[project.pk])),
                "waiting": number(waiting[project.pk]),
                "run": runs.get(project.pk),
                "step": next(step.title for step in _steps(project) if step.is_next),
            }
            for project in projects
        ]
    }


# --- Texts ------------------------------------------------------------------------------------------------------------


def texts_in_parts(counts: StatusCounts) -> Texts:
    total, begun = sum(counts.values()), 0
    parts = []
    for status in SHOWN_FIRST:
        texts = counts.get(status, 0)
        parts.append(Part(status.value, status.label, texts, _of_100(begun, total), _of_100(texts, total)))
        begun += texts
    shown = ", ".join(f"{number(part.texts)} {part.name.lower()}" for part in parts if part.texts)
    return Texts(total, tuple(parts), f"{wording.texts(total)}: {shown}." if total else "No texts yet.")


def _of_100(texts: int, total: int) -> float:
    return round(100 * texts / total, 3) if total else 0.0


def _steps(project: Any) -> tuple[Step, ...]:
    present = {status for status in SHOWN_FIRST if getattr(project, f"some_{status}")}
    facts = Facts(
        categories=project.n_categories or 0,
        has_texts=bool(present),
        is_labeled=not present.isdisjoint(DONE),
        is_reviewed=TextStatus.REVIEWED in present,
        is_certified=project.is_certified,
    )
    return first_run.steps(project, facts)


def _next_texts(projects: Sequence[Any]) -> dict[int, tuple[NextText, ...]]:
    ids = {
        project.pk: [pk for place in range(NEXT_TEXTS) if (pk := getattr(project, f"next_text_{place}"))]
        for project in projects
    }
    texts = Text.objects.filter(pk__in=[pk for keys in ids.values() for pk in keys]).order_by()
    beginning = Substr("content", 1, EXCERPT + 1)
    rows = texts.values_list("pk", beginning, "current_label__category__name", "current_label__confidence")
    found = {pk: NextText(Truncator(start).chars(EXCERPT), name, value) for pk, start, name, value in rows}
    return {project: tuple(found[pk] for pk in keys if pk in found) for project, keys in ids.items()}


# --- Runs and quality -------------------------------------------------------------------------------------------------


def running(project_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The unfinished run of each project that has one, and how far it is."""
    runs = list(LabelingRun.objects.filter(project__in=project_ids, status__in=UNFINISHED_RUNS).defer("text_ids"))
    done = run_progress.texts_done(runs) if runs else {}
    return {
        run.project_id: {
            "id": run.pk,
            "url": reverse("runs:run", args=[run.pk]),
            "percent": min(100, 100 * done[run.pk] // max(run.total, 1)),
            "words": f"{run.get_status_display()}: {run.get_phase_display().lower()}, {number(done[run.pk])} of "
            f"{wording.texts(run.total)}",
        }
        for run in runs
    }


def _trends(project_ids: Sequence[int]) -> dict[int, Trend]:
    """From the newest classifiers that learned from reviews, each measured on what it had not seen."""
    learned = Classifier.objects.filter(kind=ClassifierKind.LEARNED, project__in=project_ids).order_by()
    newest = Classifier.objects.filter(project=OuterRef("project")).order_by("-version").values("version")[:1]
    lately = learned.annotate(newest=Subquery(newest)).filter(version__gt=F("newest") - TREND)
    measured: dict[int, list[float]] = {}
    for pk, accuracy in lately.order_by("project", "version").values_list("project", "quality__accuracy"):
        if accuracy is not None:
            measured.setdefault(pk, []).append(float(accuracy))
    return {pk: _trend(values) for pk, values in measured.items()}


def _trend(values: Sequence[float]) -> Trend:
    step, low = 100 / max(len(values) - 1, 1), min(0.5, *values)
    points = [(place * step, 28 - 26 * (value - low) / (1 - low or 1)) for place, value in enumerate(values)]
    first, last = percent(values[0], digits=2), percent(values[-1], digits=2)
    words = f"{first} right at first, {last} now, over the last {len(values)} classifiers." if len(values) > 1 else ""
    return Trend(" ".join(f"{x:.1f},{y:.1f}" for x, y in points), last, words)


# --- The error budget -------------------------------------------------------------------------------------------------


def proof_of(project: Project) -> dict[str, Any]:
    """What is proven, what is missing, what is left to do and what to look at, in words; as it was some seconds ago."""
    return remembered(budget.proof_key(project.pk), lambda: _proof(project))


def _proof(project: Project) -> dict[str, Any]:
    outlook, proofs = budget.outlook(project), budget.proofs(project)
    in_use = next((proof for proof in proofs if proof.use), None)
    granted = next((proof for proof in proofs if proof.certificate.is_granted), None)
    row = next((row for row in outlook["rows"] if row["budget"] == BUDGET), None)
    return {
        "is_proven": in_use is not None,
        "proven": in_use.certificate.sentence if in_use else "Nothing is promised about its labels yet.",
        "missing": [todo["words"] for todo in outlook["missing"] if todo["words"] != planning.NOT_CALIBRATED],
        "left": _left(in_use, outlook["undecided_words"], row),
        "warnings": _warnings(project, "" if in_use or granted is None else granted.ended or ""),
    }


def _left(in_use: budget.Proof | None, undecided: str, row: dict[str, Any] | None) -> str:
    """What a budget of 5 % still costs; where that is promised already, what is left of that promise."""
    if in_use and in_use.certificate.promise == PromiseChoice.DATASET and in_use.certificate.budget <= BUDGET:
        return undecided
    if row is None:
        return ""
    if not row["is_possible"] or row["note"]:
        return str(row["note"])
    time = f", {row['time']}" if row["time"] else ""
    return f"For at most {row['percent']} wrong people decide {row['texts']} texts{time}."


def _warnings(project: Project, ended: str) -> list[str]:
    found = []
    newest = standing.newest_label(project)
    if newest is not None and not newest.is_calibrated:
        found.append(planning.NOT_CALIBRATED)
    if ended:
        found.append(f"The certificate has ended. {ended}")
    if warning := drifting.warning(project):
        found.append(f"New texts differ from those before. {' '.join(warning.sentences)}")
    return found
