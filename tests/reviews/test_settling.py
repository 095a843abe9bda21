import pytest

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews.decisions import Decision, record
from reviews.models import Action, Reviewer
from reviews.settling import settle_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def half_decided(project: Project, anna: Reviewer, add_labeled) -> Text:
    """Anna has decided it, and the project asks for two people."""
    ask_for(project, 2)
    text: Text = add_labeled(0.4)[0]
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    return text


def ask_for(project: Project, people: int) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=people)
    project.refresh_from_db()


def status(text: Text) -> str:
    return Text.objects.get(pk=text.pk).status


def test_fewer_reviews_asked_for_settle_what_has_enough(project: Project, anna: Reviewer, half_decided: Text) -> None:
    ask_for(project, 1)
    assert settle_waiting(project) == 1
    settled = Text.objects.get(pk=half_decided.pk)
    assert (settled.status, settled.reviewed_by) == (TextStatus.REVIEWED, anna.user)


def test_a_text_that_still_needs_reviews_waits_on(project: Project, half_decided: Text) -> None:
    assert settle_waiting(project) == 0
    assert status(half_decided) == TextStatus.NEEDS_REVIEW


def test_disagreement_that_becomes_complete_goes_to_a_manager(
    project: Project, anna: Reviewer, ben: Reviewer, add_labeled
) -> None:
    ask_for(project, 3)
    [text] = add_labeled(0.4)
    weather = project.categories.get(name="Weather").pk
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    record(ben, text.pk, Decision(Action.REJECT, text.current_label_id, category_id=weather))
    ask_for(project, 2)
    assert settle_waiting(project) == 1
    assert status(text) == TextStatus.FLAGGED


def test_one_person_decides_the_texts_outside_the_share(project: Project, anna: Reviewer, add_labeled) -> None:
    ask_for(project, 2)
    Project.objects.filter(pk=project.pk).update(overlap_share=0.0)
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    assert status(text) == TextStatus.REVIEWED
