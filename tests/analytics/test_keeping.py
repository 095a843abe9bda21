"""What is counted and kept against the truth, worked out row by row after a random history."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from analytics import choosing, comparing, keeping, queries, statistics, tasks
from analytics.choosing import Filters, Names
from analytics.models import KeptFigures
from analytics.statistics import Statistics
from labeling import certification
from labeling.choices import LabelOrigin
from labeling.models import Label, Project, Text
from reviews.models import ANSWERS, DECISIONS, Action, QueueReason, Review, Reviewer
from tests.analytics import histories


@pytest.fixture
def history(project: Project, anna: Reviewer, ben: Reviewer, manager: User) -> Any:
    """Goes through a history that chance writes."""

    def go(seed: int) -> None:
        chance = random.Random(seed)
        Project.objects.filter(pk=project.pk).update(audit_share=0.3, reviews_per_text=2, overlap_share=0.5)
        project.refresh_from_db()
        texts = histories.add_texts(project, 30)
        for _ in range(3):
            histories.label(project, chance.sample(texts, 24), chance)
            histories.go_on(project, [anna, ben], manager, chance, steps=40)
        Project.objects.filter(pk=project.pk).update(threshold=0.7)

    return go


def reckoned(project: Project, filters: Filters) -> dict[str, Any]:
    """The truth, from every row by itself."""
    texts = [text for text in project.texts.select_related("current_label") if _has(text, filters)]
    reviews = [review for review in Review.objects.filter(text__project=project) if _is_among(review, filters)]
    said = {text.pk: _said(text) for text in texts}
    return {
        "status": Counter(text.status for text in texts),
        "machine": Counter(label.category_id for label in said.values() if label),
        "human": Counter(_held(text) for text in texts if text.status == "reviewed"),
        "now": Counter(_held(text) for text in texts if text.current_label),
        "bins": Counter(min(int(label.confidence * 20 + 1e-9), 19) for label in said.values() if label),
        "confusion": Counter(
            (label.category_id, _held(text)) for text in texts if text.status == "reviewed" and (label := said[text.pk])
        ),
        "actions": Counter(
            "undone" if _is_undone(review) else review.action
            for review in reviews
            if review.action not in (Action.UNDO, Action.RETURN)
        ),
        "audits": _audits(list(Review.objects.filter(text__project=project)), filters),
        "seconds": sorted(
            review.seconds_spent
            for review in reviews
            if review.action in ANSWERS and not _is_undone(review) and review.seconds_spent is not None
        ),
    }


def _said(text: Text) -> Label | None:
    return Label.objects.filter(text=text, origin=LabelOrigin.MODEL).order_by("version").last()


def _held(text: Text) -> int:
    assert text.current_label is not None
    return text.current_label.category_id


def _is_undone(review: Review) -> bool:
    return Review.objects.filter(reverts=review).exists()


def _has(text: Text, filters: Filters) -> bool:
    said, reviewer = _said(text), Reviewer.objects.filter(user=text.reviewed_by_id or 0).first()
    return (
        filters.source in (None, text.source)
        and filters.category in (None, text.current_label and text.current_label.category_id)
        and filters.run in (None, said and said.run_id)
        and filters.reviewer in (None, reviewer and reviewer.pk)
    )


def _is_among(review: Review, filters: Filters, *, category: str = "category_after_id") -> bool:
    return (
        filters.source in (None, review.text.source)
        and filters.category in (None, getattr(review, category))
        and filters.run in (None, review.label and review.label.run_id)
        and filters.reviewer in (None, review.reviewer_id)
    )


def _audits(reviews: list[Review], filters: Filters) -> Counter[bool]:
    last: dict[int, Review] = {}
    for review in sorted(reviews, key=lambda review: review.pk):
        is_decision = review.action in DECISIONS and review.is_blind and review.text.is_audit
        if is_decision and not _is_undone(review) and review.queue_reason not in (QueueReason.GOLD, "second_look"):
            last[review.text_id] = review
    counted = [review for review in last.values() if review.label and review.label.origin == LabelOrigin.MODEL]
    chosen = [review for review in counted if _is_among(review, filters, category="category_before_id")]
    return Counter(review.category_before_id == review.category_after_id for review in chosen)


def told(found: Statistics) -> dict[str, Any]:
    """The same from the statistics; nothing where nothing is."""
    actions: Counter[str] = Counter()
    for day in found.activity_by_day:
        actions.update({name: getattr(day.actions, name) for name in day.actions.__dataclass_fields__})
    audit = found.accuracy
    return {
        "status": +Counter({row.status: row.texts for row in found.progress.by_status}),
        "machine": +Counter({row.category_id: row.machine for row in found.categories}),
        "human": +Counter({row.category_id: row.human for row in found.categories}),
        "now": +Counter({row.category_id: row.now for row in found.categories}),
        "bins": +Counter({place: one.texts for place, one in enumerate(found.confidence.bins)}),
        "confusion": Counter({(cell.machine_id, cell.human_id): cell.texts for cell in found.confusion}),
        "actions": +actions,
        "audits": +Counter({True: audit.right, False: audit.audited - audit.right}),
    }


def assert_true(project: Project, found: Statistics) -> None:
    truth = reckoned(project, found.filters)
    seconds = truth.pop("seconds")
    assert told(found) == truth
    middle = sorted(seconds)[(len(seconds) - 1) // 2 : len(seconds) // 2 + 1]
    assert found.median_seconds == (pytest.approx(sum(middle) / len(middle), abs=0.11) if middle else None)


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_true_after_any_history(project: Project, history: Any, seed: int) -> None:
    history(seed)
    assert Review.objects.count() > 30
    assert_true(project, statistics.of_project(project))


def test_a_part_is_true_as_well(project: Project, anna: Reviewer, history: Any) -> None:
    history(5)
    counted, names = keeping.count(project), Names.of(project)
    run = project.runs.order_by("-pk").values_list("pk", flat=True)[1]
    for filters in (
        Filters(source="mail"),
        Filters(category=project.active_categories()[0].pk),
        Filters(reviewer=anna.pk),
        Filters(run=run),
        Filters(source="chat", reviewer=anna.pk, run=run),
    ):
        assert_true(project, statistics.of_counted(project, counted, names, filters))


def test_what_is_kept_is_what_was_counted(project: Project, history: Any) -> None:
    history(6)
    counted = keeping.refresh(project)
    kept = keeping.kept_of(project)
    assert kept is not None and kept.is_kept
    names = Names.of(project)
    assert statistics.of_counted(project, kept, names) == statistics.of_counted(project, counted, names)
    assert_true(project, statistics.of_counted(project, kept, names))


def test_dates_choose_texts_and_reviews(project: Project, history: Any) -> None:
    history(8)
    counted, names, today = keeping.count(project), Names.of(project), timezone.localdate()
    whole = statistics.of_counted(project, counted, names)
    same = statistics.of_counted(project, counted, names, Filters(since=today, until=today))
    assert told(same) == told(whole)
    before = statistics.of_counted(project, counted, names, Filters(until=today - timedelta(days=1)))
    assert (before.progress.texts, before.activity_by_day, before.accuracy.audited) == (0, (), 0)


# --- When it is counted -----------------------------------------------------------------------------------------------


@pytest.fixture
def large(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is not counted while somebody waits."""
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 10)
    histories.label(project, histories.add_texts(project, 20), random.Random(1))
    return project


def test_a_small_project_is_counted_when_somebody_asks(project: Project) -> None:
    counted = keeping.of_project(project)
    assert counted is not None and not counted.is_kept
    assert keeping.refresh_due() == 0


def test_a_large_project_is_counted_in_the_background(large: Project) -> None:
    assert keeping.of_project(large) is None
    assert tasks.count_due() == 1
    counted = keeping.of_project(large)
    assert counted is not None and counted.is_kept
    assert counted.tables.texts.total() == 20


def test_how_reviewers_compare_is_kept_of_a_large_project(
    project: Project, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(3)
    keeping.refresh(project)
    assert keeping.compared(project).counted_at is None
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 10)
    kept, now = keeping.compared(project), comparing.count(project)
    assert now.everything.whole.texts > 0
    assert replace(kept, counted_at=None) == now
    assert kept.counted_at == KeptFigures.objects.get().counted_at


def test_it_is_counted_again_when_something_happened(large: Project, anna: Reviewer) -> None:
    now = timezone.now()
    assert keeping.refresh_due(now) == 1
    assert keeping.refresh_due(now + timedelta(minutes=3)) == 0
    chance = random.Random(2)
    histories.go_on(large, [anna], anna.user, chance, steps=5)
    assert keeping.refresh_due(now + timedelta(seconds=30)) == 0  # nobody counts all the time
    assert keeping.refresh_due(now + timedelta(minutes=3)) == 1


@pytest.mark.parametrize("what", ["run", "import", "certificate"])
def test_what_happens_is_seen(large: Project, anna: Reviewer, what: str) -> None:
    before = keeping.mark_of(large)
    if what == "run":
        histories.label(large, list(large.texts.all()), random.Random(3))
    elif what == "import":
        large.imports.create(file_format="csv", added=3)
    else:
        certification.certify(large, promise="dataset", budget=0.5)
    assert keeping.mark_of(large) != before


def test_what_is_not_seen_is_counted_within_the_hour(large: Project) -> None:
    now = timezone.now()
    keeping.refresh_due(now)
    assert keeping.refresh_due(now + timedelta(hours=1, minutes=1)) == 1


def test_a_slow_count_is_made_less_often(large: Project) -> None:
    kept = KeptFigures(project=large, seconds=30.0, counted_at=timezone.now(), mark="another")
    assert not keeping.is_due(large, kept, kept.counted_at + timedelta(minutes=9))
    assert keeping.is_due(large, kept, kept.counted_at + timedelta(minutes=11))


def test_somebody_can_have_it_counted_now(large: Project) -> None:
    keeping.ask_for(large)
    assert OrmQ.objects.count() == 1
    tasks.count_project(large.pk)
    assert keeping.of_project(large) is not None


def test_the_schedule_counts_every_minute(db: None) -> None:
    schedule = Schedule.objects.get(func="analytics.tasks.count_due")
    assert (schedule.minutes, schedule.cluster) == (1, "interactive")


def test_rare_sources_count_as_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_SOURCES", 2)
    histories.add_texts(project, 30)
    project.texts.filter(pk__in=[text.pk for text in project.texts.filter(source="")[:3]]).update(source="rare")
    counted, names = keeping.count(project), Names.of(project)
    assert counted.tables.sources == ("chat", "mail", queries.OTHER_SOURCES)
    found = statistics.of_counted(project, counted, names, Filters(source=queries.OTHER_SOURCES))
    assert found.progress.texts == 10
    assert choosing.sources_to_choose(counted.tables) == ["chat", "mail"]
