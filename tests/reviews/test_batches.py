import uuid

import pytest

from labeling.choices import TextStatus
from labeling.models import Category, Project, Text
from reviews.batches import record_all, undo_batch
from reviews.decisions import Decision, record
from reviews.models import Action, Review, Reviewer
from reviews.refusals import NothingToUndo

pytestmark = pytest.mark.django_db


@pytest.fixture
def business(project: Project) -> Category:
    return project.categories.get(name="Business")


def shown(*texts: Text) -> dict[int, int]:
    return {text.pk: text.current_label_id for text in texts}


def statuses() -> set[str]:
    return set(Text.objects.values_list("status", flat=True))


def test_a_batch_approves_all_its_texts(anna: Reviewer, add_labeled) -> None:
    batch = record_all(anna, shown(*add_labeled(0.4, 0.5, 0.6)), comment="looked through")
    assert (batch.done, batch.left_out) == (3, 0)
    assert statuses() == {TextStatus.REVIEWED}
    assert set(Review.objects.values_list("action", "comment", "batch")) == {("approve", "looked through", batch.id)}


def test_a_batch_gives_all_its_texts_one_category(anna: Reviewer, add_labeled, business: Category) -> None:
    record_all(anna, shown(*add_labeled(0.4, 0.5)), category_id=business.pk)
    assert set(Text.objects.values_list("current_label__category__name", flat=True)) == {"Business"}
    assert set(Review.objects.values_list("action", flat=True)) == {"reject"}


def test_to_give_a_text_the_category_it_has_is_to_approve(anna: Reviewer, project: Project, add_labeled) -> None:
    record_all(anna, shown(*add_labeled(0.4)), category_id=project.categories.get(name="Sports").pk)
    assert Review.objects.get().action == Action.APPROVE


def test_a_text_that_somebody_decided_meanwhile_is_left_out(anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    texts = add_labeled(0.4, 0.5)
    labels = shown(*texts)
    record(ben, texts[1].pk, Decision(Action.APPROVE, texts[1].current_label_id))
    batch = record_all(anna, labels)
    assert (batch.done, batch.left_out) == (1, 1)
    assert Review.objects.filter(text=texts[1]).get().reviewer == ben


def test_a_text_whose_label_was_replaced_since_the_preview_is_left_out(anna: Reviewer, add_labeled) -> None:
    [text] = add_labeled(0.4)
    batch = record_all(anna, {text.pk: text.current_label_id + 1000})
    assert (batch.done, batch.left_out, statuses()) == (0, 1, {TextStatus.NEEDS_REVIEW})


def test_a_batch_sent_twice_is_done_once(anna: Reviewer, add_labeled) -> None:
    labels, key = shown(*add_labeled(0.4, 0.5)), uuid.uuid4()
    assert record_all(anna, labels, batch=key).done == record_all(anna, labels, batch=key).done == 2
    assert Review.objects.count() == 2


def test_a_batch_is_undone_at_once(anna: Reviewer, add_labeled) -> None:
    batch = record_all(anna, shown(*add_labeled(0.4, 0.5, 0.6)))
    assert undo_batch(anna, batch.id).done == 3
    assert statuses() == {TextStatus.NEEDS_REVIEW}


def test_the_undo_leaves_what_was_undone_before(anna: Reviewer, add_labeled) -> None:
    from reviews.undoing import undo

    batch = record_all(anna, shown(*add_labeled(0.4, 0.5)))
    undo(anna)
    assert undo_batch(anna, batch.id).done == 1


def test_an_unknown_batch_has_nothing_to_undo(anna: Reviewer) -> None:
    with pytest.raises(NothingToUndo):
        undo_batch(anna, uuid.uuid4())


def test_somebody_elses_batch_has_nothing_to_undo(anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    batch = record_all(anna, shown(*add_labeled(0.4)))
    with pytest.raises(NothingToUndo):
        undo_batch(ben, batch.id)
