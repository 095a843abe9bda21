"""Many people at the same moment, each with a connection of their own, on SQLite and on PostgreSQL."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from labeling.models import Project, Text
from reviews import audit_trail, queue
from reviews.batches import record_all
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer, Seal
from reviews.queue import Nothing
from reviews.refusals import AlreadyDecided, NothingToUndo
from reviews.undoing import undo
from tests.threads import at_once

CLIENTS = 16
DECISIONS = 1_000


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(project: Project) -> list[Reviewer]:
    with transaction.atomic():
        made = [Reviewer.objects.create(user=User.objects.create_user(f"person-{n}")) for n in range(CLIENTS)]
        project.reviewers.add(*made)
    return made


@pytest.fixture
def texts(add_labeled: Callable[..., list[Text]]) -> Callable[[int], list[Text]]:
    def add(count: int) -> list[Text]:
        with transaction.atomic():
            return add_labeled(*[0.4] * count)

    return add


def approve(text: Text, **values: Any) -> Decision:
    return Decision(Action.APPROVE, label_id=text.current_label_id, **values)


def decide_until_the_end(reviewer: Reviewer, project: Project) -> int:
    count = 0
    while True:
        answer = queue.claim_next(reviewer, project)
        if isinstance(answer, Nothing):
            assert answer.reason in ("finished", "on_other_desks"), answer
            if answer.reason == "finished":
                return count
            time.sleep(0.01)
            continue
        record(reviewer, answer.text_id, approve(answer.text, idempotency_key=f"{reviewer.pk}-{count}"))
        count += 1


def test_sixteen_people_decide_each_text_once(project: Project, people: list[Reviewer], texts) -> None:
    texts(DECISIONS)
    done = at_once(*(lambda one=one: decide_until_the_end(one, project) for one in people))
    assert all(isinstance(count, int) for count in done), done
    assert sum(done) == DECISIONS
    assert set(Counter(Review.objects.values_list("text_id", flat=True)).values()) == {1}
    assert not Assignment.objects.exists()
    assert audit_trail.seal() == Review.objects.count() == DECISIONS
    report = audit_trail.verify()
    assert (report.problems, report.checked, report.unsealed) == ([], DECISIONS, 0)


def test_nobody_is_sent_away_while_a_text_is_free(project: Project, people: list[Reviewer], texts) -> None:
    texts(CLIENTS)
    got = at_once(*(lambda one=one: queue.claim_next(one, project) for one in people))
    assert all(isinstance(one, Assignment) for one in got), got
    assert len({one.text_id for one in got}) == CLIENTS


def test_the_text_of_somebody_who_left_comes_back(project: Project, people: list[Reviewer], texts) -> None:
    anna, ben, *_ = people
    (text,) = texts(1)
    queue.claim_next(anna, project)
    assert queue.claim_next(ben, project) == Nothing("on_other_desks", 1)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queue.claim_next(ben, project).text == text
    record(ben, text.pk, approve(text))
    with pytest.raises(AlreadyDecided):
        record(anna, text.pk, approve(text))
    assert not Assignment.objects.exists()


def test_one_key_from_many_requests_is_one_review(people: list[Reviewer], texts) -> None:
    (text,) = texts(1)
    got = at_once(*[lambda: record(people[0], text.pk, approve(text, idempotency_key="k"))] * 8)
    assert {getattr(one, "pk", one) for one in got} == {Review.objects.get().pk}


def test_one_key_for_two_texts_is_one_review(people: list[Reviewer], texts) -> None:
    both = texts(2)
    works = [lambda text=text: record(people[0], text.pk, approve(text, idempotency_key="k")) for text in both] * 4
    got = at_once(*works)
    assert {getattr(one, "pk", one) for one in got} == {Review.objects.get().pk}


def test_of_two_who_decide_an_unclaimed_text_one_wins(people: list[Reviewer], texts) -> None:
    for text in texts(5):
        got = at_once(*(lambda one=one, text=text: record(one, text.pk, approve(text)) for one in people[:2]))
        assert sorted(type(one).__name__ for one in got) == ["AlreadyDecided", "Review"], got


def test_of_two_who_undo_one_decision_one_wins(people: list[Reviewer], texts) -> None:
    for text in texts(5):
        review = record(people[0], text.pk, approve(text))
        got = at_once(*[lambda review=review: undo(people[0], review.pk)] * 2)
        assert sorted(type(one).__name__ for one in got) == [NothingToUndo.__name__, "Review"], got


def test_batches_that_overlap_do_not_wait_for_each_other_for_ever(people: list[Reviewer], texts) -> None:
    labels = {text.pk: text.current_label_id for text in texts(60)}
    got = at_once(
        lambda: record_all(people[0], labels),
        lambda: record_all(people[1], dict(reversed(labels.items()))),
    )
    assert sum(batch.done for batch in got) == 60
    assert sum(batch.left_out for batch in got) == 60
    assert Review.objects.count() == 60


def test_two_sealers_make_one_chain(people: list[Reviewer], texts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "BATCH", 7)
    record_all(people[0], {text.pk: text.current_label_id for text in texts(100)})
    assert sum(at_once(*[audit_trail.seal] * 4)) == 100
    assert list(Seal.objects.values_list("position", flat=True)) == list(range(1, 101))
    assert audit_trail.verify().problems == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="it has one writer at a time: ids are visible in order")
def test_a_review_that_is_committed_late_is_sealed_later(people: list[Reviewer], texts) -> None:
    first, second = texts(2)
    written, go_on = threading.Event(), threading.Event()

    def slowly() -> int:
        with transaction.atomic():
            review = record(people[0], first.pk, approve(first))
            written.set()
            assert go_on.wait(timeout=30)
        return review.pk

    def quickly() -> int:
        assert written.wait(timeout=30)
        review = record(people[1], second.pk, approve(second))
        audit_trail.seal()
        go_on.set()
        return review.pk

    late, early = at_once(slowly, quickly)
    assert late < early
    assert audit_trail.seal() == 1
    assert list(Seal.objects.values_list("review_id", flat=True)) == [early, late]
    assert audit_trail.verify().problems == []
