"""How many texts stand where."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries

from labeling import counting
from labeling.choices import TextStatus
from labeling.models import Project, Text

AddTexts = Callable[..., list[Text]]


def test_texts_are_counted_by_status_for_each_project(project: Project, add_texts: AddTexts) -> None:
    other = Project.objects.create(name="Mail")
    [first, *_] = add_texts(project, "one", "two", "three")
    Text.objects.filter(pk=first.pk).update(status=TextStatus.FAILED)
    found = counting.texts_by_status([project.pk, other.pk])
    assert found == {project.pk: {"unlabeled": 2, "failed": 1}, other.pk: {}}


def test_all_projects_take_one_question(
    project: Project, add_texts: AddTexts, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [project.pk, *(Project.objects.create(name=f"Project {n}").pk for n in range(20))]
    with django_assert_num_queries(1):
        counting.texts_by_status(keys)


def test_what_took_long_is_kept_for_a_while(
    project: Project,
    add_texts: AddTexts,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(counting, "FREE", 0.0)
    monkeypatch.setattr(counting, "WAITS", 1e6)
    add_texts(project, "one")
    counting.texts_by_status([project.pk])
    with django_assert_num_queries(0):
        assert counting.texts_by_status([project.pk]) == {project.pk: {"unlabeled": 1}}
