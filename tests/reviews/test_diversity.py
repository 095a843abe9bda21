import numpy as np
import pytest

from labeling.models import Classifier, Project, Text
from reviews import diversity, queue
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Reviewer
from tests import vectors

pytestmark = pytest.mark.django_db
MODEL = "model"


@pytest.fixture
def classifier(project: Project) -> Classifier:
    return Classifier.objects.create(
        project=project, version=1, kind="zero_shot", model_name="m", model_fingerprint=MODEL, category_ids=[]
    )


def at(texts: list[Text], *degrees: float) -> None:
    """Gives each text a vector in the plane, at this angle."""
    angles = np.radians(degrees)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    vectors.keep([text.content_hash for text in texts], rows, fingerprint=MODEL)


def test_near_duplicates_of_an_earlier_text_come_last(project: Project, classifier: Classifier, add_texts) -> None:
    one, twin, other = texts = add_texts(project, "one", "twin", "other")
    at(texts, 0, 5, 60)
    assert diversity.spread(project, texts) == [one, other, twin]


def test_near_duplicates_of_what_is_shown_come_last(project: Project, classifier: Classifier, add_texts) -> None:
    shown, twin, other = texts = add_texts(project, "shown", "twin", "other")
    at(texts, 0, 5, 60)
    assert diversity.spread(project, [twin, other], shown=[shown.content_hash]) == [other, twin]


def test_the_border_is_a_cosine_of_95_hundredths(project: Project, classifier: Classifier, add_texts) -> None:
    one, near, far = texts = add_texts(project, "one", "near", "far")
    at(texts, 0, 18.0, 36.5)  # the cosine of 18 degrees is .951, that of 18.5 is .948
    assert diversity.spread(project, texts) == [one, far, near]


def test_texts_without_a_vector_keep_their_place(project: Project, classifier: Classifier, add_texts) -> None:
    texts = add_texts(project, "one", "two", "three")
    assert diversity.spread(project, texts) == texts


def test_a_project_without_a_model_keeps_its_order(project: Project, add_texts) -> None:
    texts = add_texts(project, "one", "two")
    assert diversity.spread(project, texts) == texts


def claimed(reviewer: Reviewer, project: Project, *besides: Text) -> Text:
    found = queue.claim_next(reviewer, project, besides=[text.pk for text in besides])
    assert isinstance(found, Assignment)
    return found.text


def test_the_text_fetched_ahead_is_no_twin_of_the_one_shown(
    project: Project, classifier: Classifier, anna: Reviewer, add_labeled
) -> None:
    first, twin, other = texts = add_labeled(0.3, 0.4, 0.5)
    at(texts, 0, 5, 60)
    assert claimed(anna, project) == first
    assert claimed(anna, project, first) == other
    assert claimed(anna, project, first, other) == twin


def test_a_twin_of_what_was_just_decided_waits(
    project: Project, classifier: Classifier, anna: Reviewer, add_labeled
) -> None:
    first, _, other = texts = add_labeled(0.3, 0.4, 0.5)
    at(texts, 0, 5, 60)
    record(anna, first.pk, Decision(Action.APPROVE, first.current_label_id))
    assert claimed(anna, project) == other


def test_the_blind_audit_stays_a_random_draw(
    project: Project, classifier: Classifier, anna: Reviewer, add_labeled
) -> None:
    texts = sorted(add_labeled(0.3, 0.4, 0.5, audit=True), key=lambda text: text.content_hash)
    at(texts, 0, 1, 60)
    assert claimed(anna, project) == texts[0]
    assert claimed(anna, project, texts[0]) == texts[1]


@pytest.mark.parametrize("strategy", ["margin", "entropy", "least_confidence"])
def test_a_project_without_the_guard_shows_twins_in_their_order(
    project: Project, classifier: Classifier, anna: Reviewer, add_labeled, strategy: str
) -> None:
    Project.objects.filter(pk=project.pk).update(sampling=strategy)
    project.refresh_from_db()
    first, twin, _ = texts = add_labeled(0.3, 0.4, 0.5)
    at(texts, 0, 5, 60)
    assert claimed(anna, project) == first
    assert claimed(anna, project, first) == twin
