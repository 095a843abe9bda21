"""Which reviewed texts are nearest, and who may see them."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from labeling.choices import TextStatus
from labeling.models import Classifier, Embedding, Project, Text
from reviews import queue, similar
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Reviewer
from reviews.undoing import undo
from tests.vectors import keep

AddLabeled = Callable[..., list[Text]]
EAST, NORTH_EAST, NORTH, WEST = [1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]


@pytest.fixture(autouse=True)
def _no_vectors_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    similar.forget_all()
    monkeypatch.setattr(similar, "REFRESH_SECONDS", -1.0)  # every question sees what was decided before it


@pytest.fixture
def classifier(project: Project) -> Classifier:
    return add_classifier(project, "model-1")


def add_classifier(project: Project, fingerprint: str) -> Classifier:
    version = project.classifiers.count() + 1
    return Classifier.objects.create(
        project=project,
        version=version,
        kind="zero_shot",
        model_fingerprint=fingerprint,
        category_ids=[],
        weights=b"",
    )


def embed(texts: list[Text], *vectors: list[float], fingerprint: str = "model-1") -> None:
    hashes, matrix = [text.content_hash for text in texts], np.array(vectors, dtype=np.float32)
    keep(hashes, matrix, fingerprint=fingerprint)


def approve(reviewer: Reviewer, *texts: Text) -> None:
    for text in texts:
        record(reviewer, text.pk, Decision(Action.APPROVE, text.current_label_id))


def found(project: Project, text: Text, count: int = 3) -> list[tuple[str, float]]:
    return [(one.excerpt, round(one.similarity, 2)) for one in similar.nearest(project, text, count).texts]


# --- Which ------------------------------------------------------------------------------------------------------------


def test_the_nearest_reviewed_texts_come_first(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5, 0.5, 0.5, 0.5)
    embed(texts, EAST, NORTH, WEST, NORTH_EAST, EAST)
    approve(anna, *texts[1:4])
    assert found(project, texts[0]) == [("Match number 3", 0.8), ("Match number 1", 0.0), ("Match number 2", 0.0)]
    assert found(project, texts[0], count=1) == [("Match number 3", 0.8)]
    [row] = similar.nearest(project, texts[0], 1).texts
    assert (row.text_id, row.category) == (texts[3].pk, "Sports")


def test_a_decision_made_since_is_found_and_one_taken_back_is_not(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5, 0.5)
    embed(texts, EAST, NORTH_EAST, NORTH)
    approve(anna, texts[2])
    assert found(project, texts[0]) == [("Match number 2", 0.0)]
    approve(anna, texts[1])
    assert found(project, texts[0]) == [("Match number 1", 0.8), ("Match number 2", 0.0)]
    undo(anna)
    assert found(project, texts[0]) == [("Match number 2", 0.0)]


def test_a_category_that_was_changed_is_shown_as_it_holds_now(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5)
    embed(texts, EAST, NORTH_EAST)
    approve(anna, texts[1])
    found(project, texts[0])
    undo(anna)
    weather = project.categories.get(name="Weather").pk
    record(anna, texts[1].pk, Decision(Action.REJECT, texts[1].current_label_id, category_id=weather))
    assert [one.category for one in similar.nearest(project, texts[0]).texts] == ["Weather"]


def test_texts_of_other_projects_and_gold_are_left_out(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5, 0.5)
    embed(texts, EAST, EAST, EAST)
    approve(anna, *texts[1:])
    Text.objects.filter(pk=texts[1].pk).update(is_gold=True)
    assert found(project, texts[0]) == [("Match number 2", 1.0)]
    Text.objects.filter(pk=texts[2].pk).update(is_gold=True)  # since it was read
    assert found(project, texts[0]) == []
    other = Project.objects.create(name="Other")
    add_classifier(other, "model-1")
    assert found(other, texts[0]) == []


def test_the_newest_classifiers_model_compares(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5)
    embed(texts, EAST, NORTH_EAST)
    embed(texts, EAST, NORTH, fingerprint="model-2")
    approve(anna, texts[1])
    assert found(project, texts[0]) == [("Match number 1", 0.8)]
    add_classifier(project, "model-2")
    assert found(project, texts[0]) == [("Match number 1", 0.0)]


def test_without_similar_texts_the_reason_is_said(project: Project, anna: Reviewer, add_labeled: AddLabeled) -> None:
    texts = add_labeled(0.5, 0.5)
    assert "No model" in similar.nearest(project, texts[0]).reason
    add_classifier(project, "model-1")
    assert "no vector" in similar.nearest(project, texts[0]).reason
    embed(texts[:1], EAST)
    assert "No similar text" in similar.nearest(project, texts[0]).reason
    approve(anna, texts[1])  # it has no vector
    assert "No similar text" in similar.nearest(project, texts[0]).reason


def test_a_full_memory_gives_up_the_oldest_text(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MOST_TEXTS", 2)
    texts = add_labeled(*[0.5] * 5)
    embed(texts, *[EAST] * 5)
    for text in texts[1:]:
        approve(anna, text)
        found(project, texts[0])
    assert [name for name, _ in found(project, texts[0])] == ["Match number 3", "Match number 4"]


def test_only_a_few_projects_are_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "MOST_PROJECTS", 2)
    for number in (1, 2, 1, 3):
        similar._index_of(Project(pk=number), "model-1")
    assert list(similar._indexes) == [(1, "model-1"), (3, "model-1")]


def test_a_long_text_is_shown_by_its_beginning(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5)
    embed(texts, EAST, EAST)
    Text.objects.filter(pk=texts[1].pk).update(content="word \n " * 1000)
    approve(anna, texts[1])
    [row] = similar.nearest(project, texts[0]).texts
    assert row.excerpt.startswith("word word word")
    assert len(row.excerpt) == similar.EXCERPT


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_get_the_same(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(*[0.5] * 6)
    embed(texts, *[EAST] * 6)
    Text.objects.filter(pk__in=[text.pk for text in texts[1:]]).update(status=TextStatus.REVIEWED)
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(found(project, texts[0], count=5))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[(f"Match number {n}", 1.0) for n in range(1, 6)]] * 8


# --- Who may see them -------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(anna: Reviewer) -> Client:
    client = Client()
    client.force_login(anna.user)
    return client


def ask(client: Client, text: Text) -> Any:
    return client.get(f"/admin/review/{text.project_id}/similar/{text.pk}/")


def claim(reviewer: Reviewer, project: Project) -> Text:
    claimed = queue.claim_next(reviewer, project)
    assert isinstance(claimed, Assignment)
    return claimed.text


def test_the_desk_is_answered_for_a_text_that_lies_on_it(
    desk: Client, project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled, classifier: Classifier
) -> None:
    texts = add_labeled(0.5, 0.5)
    embed(texts, EAST, NORTH_EAST)
    approve(ben, texts[1])
    answer = ask(desk, claim(anna, project)).json()
    [row] = answer["texts"]
    assert (row["excerpt"], row["category"], round(row["similarity"], 2)) == ("Match number 1", "Sports", 0.8)
    assert answer["reason"] == ""


def test_a_text_on_no_desk_or_on_another_is_refused(
    desk: Client, project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    assert (ask(desk, text).status_code, ask(desk, text).json()["code"]) == (404, "not_on_your_desk")
    claim(ben, project)
    assert ask(desk, text).status_code == 404
    Assignment.objects.update(reviewer=anna, expires_at=timezone.now())
    assert ask(desk, text).status_code == 404


@pytest.mark.parametrize("kind", ["is_audit", "is_gold"])
def test_blind_texts_are_refused(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled, kind: str
) -> None:
    [text] = add_labeled(0.5)
    claim(anna, project)
    Text.objects.filter(pk=text.pk).update(**{kind: True})
    answer = ask(desk, text)
    assert (answer.status_code, answer.json()["code"]) == (403, "blind")


def test_others_are_refused(desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    assert ask(Client(), text).status_code == 401
    anna.projects.clear()
    assert ask(desk, text).status_code == 403
    assert desk.post(f"/admin/review/{project.pk}/similar/{text.pk}/").status_code == 405


def test_asking_costs_few_queries(
    project: Project,
    anna: Reviewer,
    add_labeled: AddLabeled,
    classifier: Classifier,
    django_assert_max_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(similar, "REFRESH_SECONDS", 60.0)
    texts = add_labeled(*[0.5] * 5)
    embed(texts, *[EAST] * 5)
    approve(anna, *texts[1:])
    found(project, texts[0])
    Embedding.objects.exclude(content_hash=texts[0].content_hash).delete()
    with django_assert_max_num_queries(3):
        assert len(found(project, texts[0])) == 3
