"""Near-duplicates among the texts that a person may decide."""

from collections.abc import Callable

import numpy as np
import pytest

from labeling.models import Classifier, Project, Text
from reviews import grouping
from reviews.decisions import Decision, record
from reviews.grouping import By
from reviews.models import Action, Assignment, QueueReason, Reviewer
from tests import vectors

pytestmark = pytest.mark.django_db

AddLabeled = Callable[..., list[Text]]
SAME = "your order number has been sent to the address that you gave us"


@pytest.fixture
def alike(add_labeled: AddLabeled) -> list[Text]:
    """Five texts that differ in their last word, after which three that are like no other."""
    texts = add_labeled(*[0.4] * 8)
    for text in texts[:5]:
        Text.objects.filter(pk=text.pk).update(content=f"{SAME} today number{text.pk}")
    for word, text in zip(("rain", "bank", "goal"), texts[5:], strict=True):
        Text.objects.filter(pk=text.pk).update(content=" ".join(f"{word}{n}" for n in range(12)))
    return texts


@pytest.fixture
def kept_vectors(project: Project, alike: list[Text]) -> None:
    """The last two texts mean the same in other words; the first has no vector."""
    Classifier.objects.create(
        project=project, version=1, kind="zero_shot", model_fingerprint="m", category_ids=[], weights=b""
    )
    rows = np.eye(8, dtype=np.float32)
    rows[7] = rows[6]
    hashes = [text.content_hash for text in alike]
    vectors.keep(hashes[1:], rows[1:], fingerprint="m")


def groups(reviewer: Reviewer, project: Project, by: By = By.WORDS) -> list[list[int]]:
    return [sorted(row.text_id for row in group.rows) for group in grouping.page_of(reviewer, project, by=by).groups]


def keys(texts: list[Text]) -> list[int]:
    return [text.pk for text in texts]


def test_texts_of_nearly_the_same_words_are_a_group(project: Project, anna: Reviewer, alike: list[Text]) -> None:
    page = grouping.page_of(anna, project, by=By.WORDS)
    assert groups(anna, project) == [keys(alike[:5])]
    assert (page.count, page.compared, page.is_all, page.next) == (1, 8, True, None)
    assert page.groups[0].count == 5
    assert page.groups[0].categories == [("Sports", 5)]


@pytest.mark.usefixtures("kept_vectors")
def test_texts_of_nearly_the_same_meaning_are_a_group(project: Project, anna: Reviewer, alike: list[Text]) -> None:
    assert groups(anna, project, By.MEANING) == [keys(alike[6:])]
    assert grouping.page_of(anna, project, by=By.MEANING).compared == 7


def test_without_vectors_nothing_is_compared_by_meaning(project: Project, anna: Reviewer, alike: list[Text]) -> None:
    page = grouping.page_of(anna, project, by=By.MEANING)
    assert (page.groups, page.compared) == ([], 0)


@pytest.mark.parametrize("blind", ["is_audit", "is_gold"])
def test_texts_decided_blind_are_in_no_group(project: Project, anna: Reviewer, alike: list[Text], blind: str) -> None:
    Text.objects.filter(pk__in=keys(alike[:2])).update(**{blind: True})
    assert groups(anna, project) == [keys(alike[2:5])]


def test_texts_decided_or_on_other_desks_are_in_no_group(
    project: Project, anna: Reviewer, ben: Reviewer, alike: list[Text]
) -> None:
    record(anna, alike[0].pk, Decision(Action.APPROVE, alike[0].current_label_id))
    Assignment.objects.create(text=alike[1], reviewer=ben, reason=QueueReason.UNCERTAIN)
    assert groups(anna, project) == [keys(alike[2:5])]


def test_the_most_urgent_texts_are_looked_at(
    project: Project, anna: Reviewer, alike: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "LOOKED_AT", 3)
    Text.objects.filter(pk__in=keys(alike[3:5])).update(priority=0.99)
    page = grouping.page_of(anna, project, by=By.WORDS)
    assert groups(anna, project) == [[alike[0].pk, *keys(alike[3:5])]]
    assert (page.compared, page.is_all) == (3, False)


def test_large_groups_are_shown_in_part(
    project: Project, anna: Reviewer, alike: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "MOST_SHOWN", 2)
    [group] = grouping.page_of(anna, project, by=By.WORDS).groups
    assert (len(group.rows), group.count) == (2, 5)


@pytest.mark.usefixtures("kept_vectors")
def test_groups_come_page_by_page(
    project: Project, anna: Reviewer, alike: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "ON_A_PAGE", 1)
    for text in alike[6:]:
        Text.objects.filter(pk=text.pk).update(content="the same words twice, and that is all there is")
    first = grouping.page_of(anna, project, by=By.WORDS)
    assert (first.count, first.next, first.groups[0].count) == (2, 1, 5)
    second = grouping.page_of(anna, project, by=By.WORDS, number=1)
    assert (second.next, second.groups[0].count) == (None, 2)


@pytest.mark.parametrize("by", By)
@pytest.mark.usefixtures("kept_vectors")
def test_the_queries_do_not_grow_with_the_groups(
    project: Project, anna: Reviewer, alike: list[Text], by: By, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(4):
        grouping.page_of(anna, project, by=by)
