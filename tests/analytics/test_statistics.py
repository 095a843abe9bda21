"""Each statistic against numbers worked out by hand."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from analytics import accuracy, choosing, figures, keeping, quality, report, statistics
from analytics.activity import ReviewerActivity
from analytics.choosing import Filters, Names
from analytics.statistics import Statistics
from labeling import annotations, certification
from labeling.models import Category, Label, LabelingRun, Project, RunChunk, Text
from reviews.models import Action, QueueReason, Review, Reviewer
from tests.analytics.budgets import add_audited, add_learned
from tests.labeling.certificates import add_machine_labeled, decide

Answer = Callable[..., Review]


def found(project: Project) -> Statistics:
    project.refresh_from_db()
    return statistics.of_project(project)


def of(project: Project, name: str) -> ReviewerActivity:
    return next(one for one in found(project).activity_by_reviewer if one.reviewer == name)


# --- Progress ---------------------------------------------------------------------------------------------------------


def test_the_rates_are_of_what_was_labeled_and_of_all(
    project: Project, anna: Reviewer, add_texts: Callable[..., list[Text]]
) -> None:
    add_texts(project, "Not labeled", "Nor this")
    surest, *_ = add_machine_labeled(project, [0.95, 0.9, 0.85, 0.3, 0.2, 0.1])
    decide([surest], anna.user)
    told = found(project).progress
    assert (told.texts, told.machine_labeled, told.accepted, told.reviewed, told.needs_review) == (8, 6, 2, 1, 3)
    assert told.auto_labeling_rate == 2 / 6
    assert told.review_coverage == 1 / 8
    assert {row.status: row.texts for row in told.by_status if row.texts} == {
        "unlabeled": 2,
        "needs_review": 3,
        "accepted": 2,
        "reviewed": 1,
    }


def test_categories_are_what_machine_and_people_said_and_what_holds(project: Project, anna: Reviewer) -> None:
    first, second, _ = add_machine_labeled(project, [0.9, 0.9, 0.9])
    decide([first], anna.user)
    decide([second], anna.user, category=project.categories.get(name="Weather"))
    told = {row.category: (row.machine, row.human, row.now) for row in found(project).categories}
    assert told == {"Sports": (3, 1, 2), "Business": (0, 0, 0), "Weather": (0, 1, 1)}


def test_imported_labels_are_of_people_alone(project: Project, add_texts: Callable[..., list[Text]]) -> None:
    (text,) = add_texts(project, "Brought its label along")
    annotations.record_imported_labels([(text, project.categories.get(name="Weather"))], source="old.csv")
    told = {row.category: (row.machine, row.human, row.now) for row in found(project).categories}
    assert told["Weather"] == (0, 1, 1)
    assert found(project).progress.machine_labeled == 0


@pytest.mark.parametrize(("confidence", "low"), [(0.35, 0.35), (0.3499, 0.3), (1.0, 0.95), (0.0, 0.0), (0.55, 0.55)])
def test_a_confidence_lies_in_the_bin_that_begins_with_it(project: Project, confidence: float, low: float) -> None:
    add_machine_labeled(project, [confidence])
    (one,) = [one for one in found(project).confidence.bins if one.texts]
    assert one.low == pytest.approx(low)


# --- Accuracy ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def audit(project: Project, anna: Reviewer, categories: dict[str, Category]) -> Callable[..., Review]:
    """Writes a blind decision about a new text that the machine called Sports."""

    def write(letter: str, *, reviewer: Reviewer = anna, text: Text | None = None, **more: Any) -> Review:
        shown = text or add_machine_labeled(project, [0.9], audit_every=1)[0]
        values = {"action": Action.DECIDE, "is_blind": True, "queue_reason": QueueReason.AUDIT, **more}
        return Review.objects.create(
            text=shown,
            reviewer=reviewer,
            label=Label.objects.filter(text=shown, version=1).get(),
            category_before=categories["S"],
            category_after=categories[letter],
            status_before="needs_review",
            **values,
        )

    return write


def test_accuracy_is_of_the_blind_audit(project: Project, audit: Callable[..., Review]) -> None:
    for letter in "SSSW":
        audit(letter)
    told = found(project).accuracy
    assert (told.audited, told.right, told.accuracy) == (4, 3, 0.75)
    assert (told.low, told.high) == (pytest.approx(0.3006, abs=1e-4), pytest.approx(0.9544, abs=1e-4))  # Wilson


def test_a_text_that_two_audited_counts_once_as_the_last_said(
    project: Project, ben: Reviewer, audit: Callable[..., Review]
) -> None:
    first = audit("S")
    audit("W", reviewer=ben, text=first.text)
    assert (found(project).accuracy.audited, found(project).accuracy.right) == (1, 0)


@pytest.mark.parametrize(
    "more", [{"is_blind": False}, {"queue_reason": QueueReason.GOLD}, {"queue_reason": QueueReason.SECOND_LOOK}]
)
def test_what_was_not_blind_does_not_count(project: Project, audit: Callable[..., Review], more: Any) -> None:
    audit("S", **more)
    assert found(project).accuracy.audited == 0


def test_accuracy_by_category_begins_with_the_worst(project: Project, audit: Callable[..., Review]) -> None:
    audit("S")
    (row,) = found(project).accuracy_by_category
    assert (row.category, row.accuracy.audited, row.accuracy.right) == ("Sports", 1, 1)


@pytest.mark.parametrize(
    ("length", "begin", "end"),
    [(45, "2026-02-11", "2026-02-11"), (46, "2026-02-09", "2026-02-15"), (400, "2026-02-01", "2026-02-28")],
)
def test_time_is_shown_in_days_weeks_or_months(length: int, begin: str, end: str) -> None:
    period = accuracy.period_of(date(2026, 2, 11), length)
    assert period == (date.fromisoformat(begin), date.fromisoformat(end))


def test_periods_hold_what_was_decided_in_them(project: Project, audit: Callable[..., Review]) -> None:
    now = timezone.now()
    audit("S", created_at=now - timedelta(days=3))
    audit("W", created_at=now)
    told = [(row.begin, row.accuracy.right) for row in found(project).accuracy_over_time]
    assert told == [(timezone.localdate() - timedelta(days=3), 1), (timezone.localdate(), 0)]


def test_reliability_is_as_it_was_measured(project: Project) -> None:
    assert "No classifier has been fitted" in found(project).reliability.missing
    add_learned(project)
    told = found(project).reliability
    assert (told.ece, told.reviews, len(told.points), told.missing) == (0.041, 240, 15, "")


def test_confusion_counts_texts(project: Project, anna: Reviewer) -> None:
    first, second, third = add_machine_labeled(project, [0.9, 0.9, 0.9])
    decide([first], anna.user)
    decide([second, third], anna.user, category=project.categories.get(name="Weather"))
    told = [(cell.machine, cell.human, cell.texts) for cell in found(project).confusion]
    assert told == [("Sports", "Weather", 2), ("Sports", "Sports", 1)]


# --- People -----------------------------------------------------------------------------------------------------------


def test_actions_rates_and_pace(project: Project, anna: Reviewer, add_texts: Any, answer: Answer) -> None:
    texts = add_texts(project, *(f"Text {place}" for place in range(7)))
    now, before = timezone.now(), timezone.now() - timedelta(days=2)
    shown = {"is_blind": False, "queue_reason": QueueReason.UNCERTAIN}
    answer(anna, texts[0], "S", action=Action.APPROVE, seconds_spent=2.0, created_at=before, **shown)
    answer(anna, texts[1], "S", action=Action.APPROVE, seconds_spent=4.0, created_at=now, **shown)
    answer(anna, texts[2], "B", action=Action.REJECT, seconds_spent=9.0, created_at=now, **shown)
    answer(anna, texts[3], "B", action=Action.MODIFY, seconds_spent=5.0, created_at=now, **shown)
    answer(anna, texts[4], "W", action=Action.DECIDE, created_at=now)
    answer(anna, texts[5], "", action=Action.SKIP, created_at=now, **shown)
    gone = answer(anna, texts[6], "S", action=Action.APPROVE, seconds_spent=90.0, created_at=now, **shown)
    answer(anna, texts[6], "", action=Action.UNDO, reverts=gone, created_at=now)
    one = of(project, "anna")
    assert (one.decisions, one.days, one.per_day, one.median_seconds) == (5, 2, 2.5, 4.5)
    assert (one.approve_rate, one.reject_rate, one.modify_rate) == (0.5, 0.25, 0.25)
    assert (one.actions.decide, one.actions.skip, one.actions.undone) == (1, 1, 1)
    told = [(day.day, day.decisions) for day in found(project).activity_by_day]
    assert told == [(timezone.localdate(before), 1), (timezone.localdate(), 4)]


def test_reviewers_agree_with_others_and_with_gold(
    project: Project, anna: Reviewer, ben: Reviewer, both_answer: Callable[..., list[Text]], answer: Answer
) -> None:
    (text, *_) = both_answer("SS", "SB", "WW", "BB")
    for known in ("S", "B"):
        answer(anna, text, "S", known=known, queue_reason=QueueReason.GOLD)
    assert of(project, "anna").agreement.value == of(project, "ben").agreement.value == 0.75
    assert (of(project, "anna").gold.value, of(project, "anna").gold.units) == (0.5, 2)
    (pair,) = found(project).agreement.pairs
    assert pair.percent.value == 0.75
    assert pair.kappa.value == pytest.approx((0.75 - 5 / 16) / (1 - 5 / 16))  # by chance 1/4*... of three categories
    assert found(project).agreement.whole == quality.of_project(quality.answers_of(project))


def test_the_page_of_agreement_tells_the_same_of_reviewers(
    project: Project, both_answer: Callable[..., list[Text]]
) -> None:
    both_answer("SS", "SB", "WW", seconds_spent=3.3)
    for other in quality.by_reviewer(project):
        one = of(project, other.reviewer)
        assert (one.decisions, one.median_seconds, one.gold) == (other.decisions, other.median_seconds, other.gold)


# --- Costs and proofs -------------------------------------------------------------------------------------------------


def run_with(project: Project, provider: str, **chunk: Any) -> LabelingRun:
    run = LabelingRun.objects.create(
        project=project, provider=provider, model_name="m", threshold=0.8, audit_share=0.0, status="succeeded"
    )
    shared = {"phase": "label", "reached": 5, "state": "done", "heartbeat_at": timezone.now()}
    for after in (0, 10):
        RunChunk.objects.create(run=run, after=after, last=after + 10, **shared, **chunk)
    return run


def test_costs_are_summed_by_provider_and_runs_have_their_speed(project: Project) -> None:
    paid = {"texts": 100, "seconds": 4.0, "prompt_tokens": 500, "completion_tokens": 20, "cost": Decimal("0.125")}
    run_with(project, "paid", **paid)
    newest = run_with(project, "paid", **paid)
    run_with(project, "local", texts=1000, seconds=1.0, failed=3)
    told = found(project)
    first, second = told.providers
    assert (first.provider, first.runs, first.texts, first.cost, first.cost_per_1000_texts) == (
        "paid",
        2,
        400,
        0.5,
        1.25,
    )
    assert (first.prompt_tokens, first.completion_tokens) == (2000, 80)
    assert (second.provider, second.cost, second.failed) == ("local", 0.0, 6)
    assert [run.per_second for run in told.runs] == [1000.0, 25.0, 25.0]
    only = statistics.of_counted(project, keeping.count(project), Names.of(project), Filters(run=newest.pk))
    assert [run.run_id for run in only.runs] == [newest.pk]


def test_all_runs_are_paid_for_however_few_are_listed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST_RUNS", 2)
    runs = [run_with(project, "paid", texts=100, cost=Decimal("0.125")) for _ in range(3)]
    told = found(project)
    assert [run.run_id for run in told.runs] == [runs[2].pk, runs[1].pk]
    (row,) = told.providers
    assert (row.runs, row.texts, row.cost) == (3, 600, 0.75)


def test_certificates_say_what_became_of_them(project: Project, anna: Reviewer) -> None:
    add_audited(project, anna)
    made = certification.certify(project, promise="dataset", budget=0.1)
    certification.apply(made)
    (row,) = found(project).certificates
    assert (row.certificate_id, row.standing, row.budget, row.confidence) == (made.pk, "In use", 0.1, 0.95)
    add_machine_labeled(project, [0.9])
    (row,) = found(project).certificates
    assert (row.standing, row.ended) == ("Ended", "Texts have been added since.")


def test_a_certificate_in_use_promises_whatever_dates_are_looked_at(project: Project, anna: Reviewer) -> None:
    add_audited(project, anna)
    made = certification.certify(project, promise="dataset", budget=0.1)
    certification.apply(made)
    project.refresh_from_db()
    tomorrow = Filters(since=timezone.localdate() + timedelta(days=1))
    told = statistics.of_counted(project, keeping.count(project), Names.of(project), tomorrow)
    assert told.certificates == ()
    assert figures.one_of(told, "certificates").summary == made.sentence
    assert made.sentence in dict(report.main_points(told))["Promised"]
