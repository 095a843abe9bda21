"""Certificates: whether they still hold, and how their thresholds are applied and taken back."""

import pytest
from django.contrib.auth.models import User

from labeling import audits, certification, execution, runs
from labeling.choices import TextStatus
from labeling.models import Category, Project, Text
from tests.labeling.certificates import add_machine_labeled, certify, decide, label_again

pytestmark = pytest.mark.django_db


# --- Whether it still holds -------------------------------------------------------------------------------------------


def test_a_certificate_holds_while_people_go_on_reviewing(project: Project, audited: list[Text], manager: User) -> None:
    made = certify(project)
    decide(audited[1:2], manager)
    decide(audited[2:3], manager, category=project.categories.get(name="Business"))
    assert certification.ended_reason(made) is None


def test_a_certificate_ends_with_new_texts(project: Project, audited: list[Text], add_texts) -> None:
    made = certify(project)
    add_texts(project, "A text without a label is no part of the dataset yet")
    assert certification.ended_reason(made) is None
    add_machine_labeled(project, [0.9])
    assert certification.ended_reason(made) == "Texts have been added since."


def test_a_certificate_ends_when_a_category_changes(project: Project, audited: list[Text], weather: Category) -> None:
    made = certify(project)
    Category.objects.filter(pk=weather.pk).update(is_active=False)
    assert certification.ended_reason(made) == "The categories have changed since."


def test_several_are_asked_about_with_the_queries_of_one(
    project: Project, audited: list[Text], django_assert_max_num_queries
) -> None:
    made = [certify(project), certify(project, budget=0.1), certify(project, budget=0.2)]
    add_machine_labeled(project, [0.9])
    with django_assert_max_num_queries(4):
        reasons = certification.ended_reasons(project, made)
    assert reasons == dict.fromkeys([one.pk for one in made], "Texts have been added since.")


def test_a_label_made_while_the_audit_is_looked_at_ends_the_certificate(
    project: Project, audited: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_pool = audits.read_pool

    def and_label(project: Project) -> audits.Pool:
        pool = read_pool(project)
        add_machine_labeled(project, [0.9])
        return pool

    monkeypatch.setattr(audits, "read_pool", and_label)
    assert certification.ended_reason(certify(project)) == "Texts have been added since."


@pytest.mark.usefixtures("fake_providers")
def test_a_certificate_ends_when_texts_are_labeled_again(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    execution.execute(runs.start(project, provider="scores", relabel=True))
    assert certification.ended_reason(made) == "Texts have been labeled again since."


# --- Use --------------------------------------------------------------------------------------------------------------


def standing(project: Project) -> list[tuple[int, str]]:
    return list(project.texts.order_by("pk").values_list("pk", "status"))


def test_applied_it_moves_the_machines_labels_to_their_side(
    project: Project, audited: list[Text], manager: User
) -> None:
    Text.objects.filter(pk=audited[1].pk).update(status=TextStatus.FLAGGED)
    made = certify(project)
    people = dict(project.texts.filter(status__in=["reviewed", "flagged"]).values_list("pk", "status"))
    certification.apply(made, user=manager)
    project.refresh_from_db()
    assert project.threshold == made.threshold
    texts = project.texts.exclude(pk__in=people)
    assert set(texts.filter(current_label__confidence__gte=made.threshold).values_list("status")) == {("accepted",)}
    assert set(texts.filter(current_label__confidence__lt=made.threshold).values_list("status")) == {("needs_review",)}
    assert dict(project.texts.filter(pk__in=people).values_list("pk", "status")) == people


def test_taken_back_everything_stands_as_before(project: Project, audited: list[Text]) -> None:
    before, threshold = standing(project), project.threshold
    made = certify(project)
    certification.apply(made)
    assert standing(project) != before
    certification.unapply(made)
    project.refresh_from_db()
    assert (standing(project), project.threshold) == (before, threshold)


def test_what_people_decided_meanwhile_is_not_taken_back(project: Project, audited: list[Text], manager: User) -> None:
    made = certify(project)
    use = certification.apply(made)
    [text] = Text.objects.filter(pk=use.accepted_ids[0])
    decide([text], manager)
    certification.unapply(made)
    assert Text.objects.get(pk=text.pk).status == TextStatus.REVIEWED


def test_what_was_labeled_again_since_goes_back_by_its_new_confidence(project: Project, audited: list[Text]) -> None:
    Project.objects.update(threshold=0.2)
    project.texts.filter(status="needs_review", current_label__confidence__gte=0.2).update(status="accepted")
    made = certify(project)
    unsure, exact = Text.objects.filter(pk__in=certification.apply(made).held_back_ids).order_by("pk")[:2]
    label_again([(unsure, 0.1), (exact, 0.2)])
    certification.unapply(made)
    statuses = [Text.objects.get(pk=text.pk).status for text in (unsure, exact)]
    assert statuses == [TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED]


def test_what_became_sure_enough_since_stays_accepted(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    exact, unsure = Text.objects.filter(pk__in=certification.apply(made).accepted_ids).order_by("pk")[:2]
    label_again([(exact, project.threshold), (unsure, project.threshold - 0.01)])
    certification.unapply(made)
    statuses = [Text.objects.get(pk=text.pk).status for text in (exact, unsure)]
    assert statuses == [TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW]


def test_a_certificate_that_ended_or_granted_nothing_cannot_be_applied(project: Project, audited: list[Text]) -> None:
    with pytest.raises(certification.CertificateEnded, match="no threshold"):
        certification.apply(certify(project, budget=0.001))
    made = certify(project)
    add_machine_labeled(project, [0.9])
    with pytest.raises(certification.CertificateEnded, match="added since"):
        certification.apply(made)


def test_a_certificate_is_applied_once_and_again_after_another_threshold(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    certification.apply(made)
    with pytest.raises(certification.InUseAlready):
        certification.apply(made)
    Project.objects.update(threshold=0.99)
    with pytest.raises(certification.NotInUse):
        certification.unapply(made)
    certification.apply(made)
    project.refresh_from_db()
    assert project.threshold == made.threshold


def test_one_that_was_never_applied_cannot_be_taken_back(project: Project, audited: list[Text]) -> None:
    with pytest.raises(certification.NotInUse):
        certification.unapply(certify(project))


def test_what_would_be_moved_is_what_is_moved(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    expected = certification.would_move(made)
    use = certification.apply(made)
    assert (len(use.accepted_ids), len(use.held_back_ids)) == expected
    assert certification.would_move(made) == (0, 0)
