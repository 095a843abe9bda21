from collections.abc import Callable

import numpy as np
import pytest
from django.utils import timezone

from labeling.models import Category, Classifier, Project, Text
from reviews import listing
from reviews.batches import MOST_TEXTS
from reviews.decisions import Decision, record
from reviews.filters import NO_FILTERS, Filters
from reviews.listing import Count, Order, Page, Place, page_of, preview_chosen, preview_matching
from reviews.models import Action, Assignment, QueueReason, Reviewer
from tests import vectors

pytestmark = pytest.mark.django_db

AddLabeled = Callable[..., list[Text]]


def ids(page: Page) -> list[int]:
    return [row.text_id for row in page.rows]


def keys(*texts: Text) -> list[int]:
    return [text.pk for text in texts]


def shown(*texts: Text) -> dict[int, int]:
    return {text.pk: text.current_label_id for text in texts}


def first(reviewer: Reviewer, project: Project, **options) -> Page:
    return page_of(reviewer, project, **{"filters": NO_FILTERS, "order": Order.URGENT, "size": 10, **options})


def walk(reviewer: Reviewer, project: Project, order: Order, size: int) -> list[list[int]]:
    """All pages, one after the other."""
    pages, place = [], Place()
    while place is not None:
        page = first(reviewer, project, order=order, size=size, place=place)
        pages.append(ids(page))
        place = page.next
    return pages


@pytest.fixture
def business(project: Project) -> Category:
    return project.categories.get(name="Business")


@pytest.fixture
def give_vectors(project: Project) -> Callable[..., None]:
    """Cached vectors of texts, each given by its angle in degrees: near-duplicates are less than 18 apart."""
    Classifier.objects.create(
        project=project,
        version=1,
        kind="zero_shot",
        model_name="a-model",
        model_fingerprint="f",
        category_ids=[],
        category_hash="",
        weights=b"",
    )

    def give(texts: list[Text], *degrees: float) -> None:
        angles = np.radians(degrees)
        rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        vectors.keep([text.content_hash for text in texts], rows, fingerprint="f")

    return give


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_most_urgent_come_first(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    sure, unsure = add_labeled(0.7, 0.3)
    page = first(anna, project)
    assert (ids(page), page.count, page.next) == (keys(unsure, sure), Count(2, is_capped=False), None)


def test_the_surest_come_first_when_asked(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    unsure, sure = add_labeled(0.3, 0.7)
    assert ids(first(anna, project, order=Order.SURE)) == keys(sure, unsure)


@pytest.mark.parametrize("order", Order)
def test_the_pages_together_show_each_text_once_in_order(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, order: Order
) -> None:
    texts = add_labeled(*[0.2 + (n % 5) / 10 for n in range(75)])
    pages = walk(anna, project, order, 10)
    assert [len(page) for page in pages] == [10] * 7 + [5]
    every = [text_id for page in pages for text_id in page]
    by_priority = sorted(texts, key=lambda text: (-text.priority, text.pk))
    assert every == keys(*(by_priority if order == Order.URGENT else by_priority[::-1]))


def test_a_page_that_was_decided_is_filled_again(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    texts = add_labeled(*[0.3] * 15)
    for text in texts[:10]:
        record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    assert ids(first(anna, project)) == keys(*texts[10:])


def test_near_duplicates_go_to_a_later_screen(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, give_vectors: Callable[..., None]
) -> None:
    texts = add_labeled(*[0.3] * 20)
    twins = [angle for n in range(10) for angle in (n * 36, n * 36 + 1)]
    give_vectors(texts, *twins)
    assert walk(anna, project, Order.URGENT, 10) == [keys(*texts[::2]), keys(*texts[1::2])]


def test_near_duplicates_come_when_nothing_else_is_left(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, give_vectors: Callable[..., None]
) -> None:
    texts = add_labeled(*[0.3] * 4)
    give_vectors(texts, 0, 1, 2, 90)
    assert ids(first(anna, project)) == keys(texts[0], texts[3], texts[1], texts[2])


def test_blind_texts_are_never_listed(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    add_labeled(0.3, audit=True)
    [gold] = add_labeled(0.4)
    Text.objects.filter(pk=gold.pk).update(is_gold=True)
    for order in Order:
        page = first(anna, project, order=order)
        assert (page.rows, page.count.number) == ([], 0)


def test_texts_on_other_desks_and_decided_ones_are_not_listed(
    anna: Reviewer, ben: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    free, held, decided = add_labeled(0.3, 0.3, 0.3)
    Assignment.objects.create(text=held, reviewer=ben, reason=QueueReason.UNCERTAIN)
    record(ben, decided.pk, Decision(Action.APPROVE, decided.current_label_id))
    assert ids(first(anna, project)) == keys(free)


def test_where_several_decide_each_lists_what_they_have_not_decided(
    anna: Reviewer, ben: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    project.refresh_from_db()
    [text] = add_labeled(0.3)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    assert ids(first(anna, project)) == []
    assert ids(first(ben, project)) == keys(text)


def test_filters_narrow_the_list(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    _, sure = add_labeled(0.3, 0.7)
    page = first(anna, project, filters=Filters(min_confidence=0.5))
    assert (ids(page), page.count.number) == (keys(sure), 1)


def test_skipped_texts_are_not_among_the_surest(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    skipped, other = add_labeled(0.7, 0.3)
    record(anna, skipped.pk, Decision(Action.SKIP))
    assert ids(first(anna, project, order=Order.SURE)) == keys(other)
    assert ids(first(anna, project)) == keys(other, skipped)


def test_long_texts_are_cut_and_said_to_be(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.3)
    Text.objects.filter(pk=text.pk).update(content="x" * (listing.MOST_CHARACTERS + 1))
    [row] = first(anna, project).rows
    assert (len(row.content), row.is_cut, row.is_long) == (listing.MOST_CHARACTERS, True, True)


def test_the_count_ends_just_above_its_limit(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 1234)
    monkeypatch.setattr(listing, "MOST_COUNTED_WITH_FILTERS", 32)
    add_labeled(*[0.3] * 33)
    assert str(first(anna, project).count) == "33"
    assert str(first(anna, project, filters=Filters(words="Match")).count) == "more than 32"
    assert str(listing.Count(10_000, is_capped=True)) == "more than 10,000"


# --- The preview ------------------------------------------------------------------------------------------------------


def test_an_approval_names_the_categories(anna: Reviewer, project: Project, add_labeled: AddLabeled) -> None:
    texts = add_labeled(0.3, 0.5)
    preview = preview_chosen(anna, project, shown(*texts), None)
    [change] = preview.changes
    assert (change.is_approval, change.after, change.count) == (True, "Sports", 2)
    assert (preview.mean_confidence, preview.lowest_confidence) == (pytest.approx(0.4), 0.3)
    assert preview.labels == shown(*texts)


def test_a_new_category_changes_some_and_approves_others(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, business: Category
) -> None:
    texts = add_labeled(0.3, 0.4, 0.5)
    label = texts[0].labels.create(version=2, category=business, origin="human", created_at=timezone.now())
    Text.objects.filter(pk=texts[0].pk).update(current_label=label)
    texts[0].refresh_from_db()
    changes = preview_chosen(anna, project, shown(*texts), business).changes
    assert [(one.before, one.after, one.count) for one in changes] == [
        ("Sports", "Business", 2),
        ("Business", "Business", 1),
    ]


def test_texts_that_are_gone_or_have_a_newer_label_are_left_out(
    anna: Reviewer, ben: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    kept, decided, replaced = add_labeled(0.3, 0.3, 0.3)
    labels = shown(kept, decided, replaced) | {replaced.pk: replaced.current_label_id + 1000}
    record(ben, decided.pk, Decision(Action.APPROVE, decided.current_label_id))
    preview = preview_chosen(anna, project, labels, None)
    assert (preview.labels, preview.gone) == (shown(kept), 2)


def test_a_newer_label_of_the_same_category_is_decided_as_the_one_that_was_shown(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, business: Category, django_assert_num_queries
) -> None:
    kept, again, other = add_labeled(0.3, 0.3, 0.3)
    labels = shown(kept, again, other)
    sports = kept.current_label.category
    for text, category in ((again, sports), (other, business)):
        newer = text.labels.create(version=2, category=category, origin="model", confidence=0.6)
        Text.objects.filter(pk=text.pk).update(current_label=newer)
        text.refresh_from_db()
    with django_assert_num_queries(3):
        preview = preview_chosen(anna, project, labels, None)
    assert (preview.labels, preview.gone) == (shown(kept, again), 1)


def test_blind_texts_cannot_be_chosen_by_their_number(
    anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [blind] = add_labeled(0.3, audit=True)
    preview = preview_chosen(anna, project, shown(blind), None)
    assert (preview.labels, preview.changes, preview.excerpts) == ({}, [], [])


def test_all_that_match_are_as_many_as_one_batch_takes(
    anna: Reviewer, project: Project, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_TEXTS == listing.MOST_TEXTS
    monkeypatch.setattr(listing, "MOST_TEXTS", 2)
    *_, last = add_labeled(0.7, 0.3, 0.4, 0.2)
    preview = preview_matching(anna, project, Filters(max_confidence=0.5), Order.URGENT, None)
    assert (len(preview.labels), preview.count) == (2, Count(3, is_capped=False))
    assert next(iter(preview.labels)) == last.pk


def test_what_became_blind_since_is_not_open_any_more(project: Project, add_labeled: AddLabeled) -> None:
    kept, drawn = add_labeled(0.3, 0.3)
    Text.objects.filter(pk=drawn.pk).update(is_audit=True)
    assert listing.still_open(shown(kept, drawn)) == shown(kept)
