from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from labeling import audits, runs
from labeling.choices import TextStatus
from labeling.models import Project, Text
from tests.labeling.certificates import add_machine_labeled, decide, evenly

pytestmark = pytest.mark.django_db


def test_a_draw_adds_texts_that_nobody_decided(project: Project, manager: User) -> None:
    texts = add_machine_labeled(project, evenly(100), audit_every=10)
    decide(texts[1:31:10], manager)
    before = set(Text.objects.filter(is_audit=True))
    assert audits.draw(project, 20) == 30
    drawn = set(Text.objects.filter(is_audit=True)) - before
    assert len(drawn) == 20
    assert not drawn & set(texts[1:31:10])


def test_every_open_text_has_the_same_chance(project: Project) -> None:
    add_machine_labeled(project, evenly(20))
    times = dict.fromkeys(Text.objects.values_list("pk", flat=True), 0)
    for _ in range(200):
        audits.draw(project, 5)
        for pk in Text.objects.filter(is_audit=True).values_list("pk", flat=True):
            times[pk] += 1
        Text.objects.update(is_audit=False)
    assert all(20 < count < 80 for count in times.values())  # 50 expected, standard deviation 6


def test_texts_without_a_label_forbid_a_draw(project: Project, add_texts) -> None:
    add_machine_labeled(project, evenly(20))
    add_texts(project, "Came later")
    with pytest.raises(audits.CannotDraw, match="1 texts have no label yet"):
        audits.draw(project, 5)


def test_a_text_that_no_model_can_label_need_not_forbid_draws_for_ever(project: Project, add_texts) -> None:
    add_machine_labeled(project, evenly(20))
    add_texts(project, "Refused")
    Text.objects.filter(content="Refused").update(status=TextStatus.FAILED)
    with pytest.raises(audits.CannotDraw, match=r"1 of them could not be labeled.*decide them at the review desk"):
        audits.draw(project, 5)


@pytest.mark.usefixtures("fake_providers")
def test_a_run_in_progress_forbids_a_draw(project: Project) -> None:
    add_machine_labeled(project, evenly(20))
    runs.start(project, provider="keyword", relabel=True)
    with pytest.raises(audits.CannotDraw, match="is labeling"):
        audits.draw(project, 5)


def test_no_more_can_be_drawn_than_there_are(project: Project) -> None:
    add_machine_labeled(project, evenly(20), audit_every=2)
    with pytest.raises(audits.CannotDraw, match="Only 10"):
        audits.draw(project, 11)


# --- The pool ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before_query", range(8))
def test_a_text_that_is_decided_while_the_pool_is_read_is_in_it_once(
    project: Project, manager: User, before_query: int
) -> None:
    texts = add_machine_labeled(project, evenly(20), audit_every=2)
    decide(texts[:2], manager)
    asked = count()

    def decide_one_more(execute: Any, *query: Any) -> Any:
        if next(asked) == before_query:
            decide(texts[2:3], manager)  # somebody else, meanwhile
        return execute(*query)

    with connection.execute_wrapper(decide_one_more):
        pool = audits.read_pool(project)
    assert pool.ids.tolist() == [text.pk for text in texts]


# --- A sample of the pool ---------------------------------------------------------------------------------------------


def test_a_sample_holds_the_whole_audit_and_stands_for_all(project: Project, manager: User) -> None:
    texts = add_machine_labeled(project, evenly(1_000), audit_every=10)
    decide(texts[:500:10], manager)
    whole, sample = audits.read_pool(project), audits.sample_pool(project, every=9)
    assert len(sample.ids) == len(whole.ids)
    for name in ("is_drawn", "is_audited", "is_open"):
        assert getattr(sample, name).sum() == getattr(whole, name).sum()
    assert abs(sample.confidence.mean() - whole.confidence.mean()) < 0.1  # standard deviation of the mean: 0.03


def test_a_sample_leans_neither_to_what_people_decided_nor_to_what_is_open(project: Project, manager: User) -> None:
    texts = add_machine_labeled(project, evenly(600))
    decide(texts[:300], manager)
    sample = audits.sample_pool(project, every=3)
    assert 200 < sample.is_open.sum() < 400  # 300 expected, standard deviation 17 times 3 / 2
