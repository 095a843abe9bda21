from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from labeling import annotations, suspects
from labeling.choices import ClassifierKind, TextStatus
from labeling.models import Classifier, Project, Text
from labeling.suspects import NO_VECTORS, NOTES, possible_mistakes
from tests.fakes import KeywordEncoder
from tests.vectors import keep

pytestmark = pytest.mark.django_db

WORDS = {"Sports": "striker goal match", "Business": "shares bank profit", "Weather": "rain storm sunshine"}
Decide = Callable[..., list[Text]]


@pytest.fixture
def fitted(project: Project) -> Project:
    """The project, with a classifier: its vectors are the keyword encoder's."""
    Classifier.objects.create(
        project=project,
        version=1,
        kind=ClassifierKind.ZERO_SHOT,
        model_name="keyword",
        model_fingerprint=KeywordEncoder.fingerprint,
        category_ids=[category.pk for category in project.active_categories()],
        category_hash="",
        weights=b"",
    )
    return project


@pytest.fixture
def decide(project: Project, add_texts: Callable[..., list[Text]]) -> Decide:
    """Adds texts about one category that were decided, as another one if `held` names it."""

    def add(about: str, count: int, *, held: str | None = None, embedded: bool = True) -> list[Text]:
        first = Text.objects.count()
        texts = add_texts(project, *(f"{WORDS[about]} number{first + n}" for n in range(count)))
        category = project.categories.get(name=held or about)
        annotations.record_imported_labels([(text, category) for text in texts], source="an older tool")
        if embedded:
            _embed(texts)
        return texts

    return add


def _embed(texts: list[Text]) -> None:
    vectors = KeywordEncoder().embed([text.content for text in texts])
    hashes = [text.content_hash for text in texts]
    keep(hashes, vectors, fingerprint=KeywordEncoder.fingerprint)


def test_a_wrong_decision_is_found_with_what_the_others_would_say(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    [wrong] = decide("Sports", 1, held="Business")
    found = possible_mistakes(fitted, limit=10)
    sports, business = (fitted.categories.get(name=name) for name in ("Sports", "Business"))
    [row] = found.rows
    assert (row.text_id, row.category_id, row.suggested_category_id) == (wrong.pk, business.pk, sports.pk)
    assert row.self_confidence < 0.2 < 0.8 < row.suggested_confidence
    assert (found.found, found.judged, found.without_vector, found.in_small_categories, found.note) == (1, 61, 0, 0, "")


def test_the_limit_holds_and_all_are_counted(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    decide("Sports", 3, held="Business")
    found = possible_mistakes(fitted, limit=2)
    assert (len(found.rows), found.found) == (2, 3)


def test_a_decision_of_a_reviewer_counts_as_an_imported_one_does(
    fitted: Project, decide: Decide, manager: User
) -> None:
    decide("Sports", 30)
    texts = decide("Business", 30)
    with transaction.atomic():
        label = annotations.record_human_label(texts[4], fitted.categories.get(name="Sports"), annotator=manager)
        annotations.hold(texts[4], label_id=label.pk, reviewed_by=manager)
    assert [row.text_id for row in possible_mistakes(fitted, limit=10).rows] == [texts[4].pk]


def test_a_new_decision_is_seen_at_once(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    assert possible_mistakes(fitted, limit=10).note == NOTES[""]
    [wrong] = decide("Business", 1, held="Sports")
    assert [row.text_id for row in possible_mistakes(fitted, limit=10).rows] == [wrong.pk]


def test_a_second_look_at_the_same_decisions_reads_no_vector(
    fitted: Project, decide: Decide, django_assert_num_queries
) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    first = possible_mistakes(fitted, limit=10)
    with django_assert_num_queries(2):
        assert possible_mistakes(fitted, limit=10) == first


def test_gold_texts_teach_but_are_never_listed(fitted: Project, decide: Decide) -> None:
    sports = decide("Sports", 30)
    decide("Business", 30)
    [wrong, gold] = decide("Business", 2, held="Sports")
    Text.objects.filter(pk__in=[gold.pk, *(text.pk for text in sports)]).update(is_gold=True)
    found = possible_mistakes(fitted, limit=10)
    assert ([row.text_id for row in found.rows], found.judged) == ([wrong.pk], 62)


def test_texts_without_a_vector_are_left_out_and_counted(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    unread = decide("Sports", 2, held="Business", embedded=False)
    found = possible_mistakes(fitted, limit=10)
    assert (found.rows, found.judged, found.without_vector) == ((), 60, 2)
    _embed(unread)
    found = possible_mistakes(fitted, limit=10)
    assert ({row.text_id for row in found.rows}, found.without_vector) == ({text.pk for text in unread}, 0)


def test_small_categories_are_counted(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    decide("Weather", 2)
    found = possible_mistakes(fitted, limit=10)
    assert (found.judged, found.in_small_categories) == (60, 2)


def test_texts_that_nobody_decided_are_not_compared(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    undecided = decide("Business", 30)
    Text.objects.filter(pk__in=[text.pk for text in undecided[:5]]).update(status=TextStatus.FLAGGED)
    assert possible_mistakes(fitted, limit=10).judged == 55


def test_a_retired_category_is_neither_judged_nor_suggested(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    decide("Weather", 30)
    decide("Weather", 1, held="Sports")
    fitted.categories.filter(name="Weather").update(is_active=False)
    weather = fitted.categories.get(name="Weather").pk
    found = possible_mistakes(fitted, limit=10)
    assert found.judged == 61
    assert weather not in {row.suggested_category_id for row in found.rows}


def test_only_the_newest_texts_are_compared(fitted: Project, decide: Decide, monkeypatch: pytest.MonkeyPatch) -> None:
    decide("Weather", 30)
    decide("Sports", 30)
    decide("Business", 30)
    monkeypatch.setattr(suspects, "NEWEST", 60)
    assert possible_mistakes(fitted, limit=10).judged == 60


def test_another_project_does_not_speak(fitted: Project, decide: Decide) -> None:
    decide("Sports", 30)
    decide("Business", 30)
    other = Project.objects.create(name="Another")
    assert possible_mistakes(other, limit=10).judged == 0


def test_without_a_classifier_the_note_says_what_to_do(project: Project, decide: Decide) -> None:
    decide("Sports", 60)
    assert possible_mistakes(project, limit=10).note == NO_VECTORS


def test_few_decisions_and_a_single_category_are_said(fitted: Project, decide: Decide) -> None:
    assert possible_mistakes(fitted, limit=10).note == NOTES["few_texts"]
    decide("Sports", 51)
    assert possible_mistakes(fitted, limit=10).note == NOTES["one_category"]


def test_twenty_thousand_are_loaded_part_by_part(
    fitted: Project, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "LOADED_AT_ONCE", 7)
    decide("Sports", 30)
    decide("Business", 30)
    [wrong] = decide("Sports", 1, held="Business")
    assert [row.text_id for row in possible_mistakes(fitted, limit=10).rows] == [wrong.pk]
