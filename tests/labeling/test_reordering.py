from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from labeling import annotations, certification, cold_start, execution, priorities, reordering, runs, training
from labeling.models import Classifier, Label, Project, Text
from labeling.reordering import Learner
from reviews import decisions, queue
from reviews.decisions import Decision
from reviews.models import Action, Reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

# What the words say has nothing to do with the names of the categories: only reviews can teach it.
FRUIT = {"Sports": "apple", "Business": "pear", "Weather": "plum"}


@pytest.fixture
def labeled(project: Project, add_texts: Callable[..., list[Text]]) -> Project:
    """Thirty texts of each fruit, and ten that are of two: hard to tell even for who knows the fruit."""
    Project.objects.filter(pk=project.pk).update(provider="keyword", threshold=1.0)
    project.refresh_from_db()
    for word in FRUIT.values():
        add_texts(project, *(f"{word} {word} number{n} of{n % 7}" for n in range(30)))
    add_texts(project, *(f"apple pear number{n} of{n % 7}" for n in range(10)))
    execution.execute(runs.start(project))
    return project


@pytest.fixture
def anna(labeled: Project) -> Reviewer:
    reviewer = Reviewer.objects.create(user=User.objects.create_user("anna"))
    reviewer.projects.add(labeled)
    return reviewer


def decide(reviewer: Reviewer, project: Project, count: int) -> None:
    """The reviewer decides so many plain texts, rightly, by the same door as the desk."""
    texts = project.texts.exclude(status="reviewed").exclude(content__startswith="apple pear").order_by("content_hash")
    for text in texts[:count]:
        name = next(name for name, word in FRUIT.items() if text.content.startswith(word))
        category = project.categories.get(name=name).pk
        decisions.record(reviewer, text.pk, Decision(Action.MODIFY, text.current_label_id, category))


def first(project: Project, count: int) -> list[str]:
    texts = project.texts.filter(status="needs_review").order_by("-priority", "pk")
    return list(texts.values_list("content", flat=True)[:count])


def test_the_next_text_is_one_that_the_decisions_made_urgent(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 40)
    assert Learner().look() == 1
    claimed = queue.claim_next(anna, labeled)
    assert isinstance(claimed, queue.Assignment)
    assert claimed.text.content.startswith("apple pear")
    assert sum(text.startswith("apple pear") for text in first(labeled, 10)) >= 8


def test_labels_stay_as_they_are(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 40)
    before = (Label.objects.count(), dict(Text.objects.values_list("pk", "current_label")), Classifier.objects.count())
    Learner().look()
    after = (Label.objects.count(), dict(Text.objects.values_list("pk", "current_label")), Classifier.objects.count())
    assert after == before


def test_the_queue_follows_under_a_certificate_too(
    labeled: Project, anna: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certification, "in_force", lambda project: object())
    decide(anna, labeled, 40)
    assert Learner().look() == 1


def test_without_a_new_decision_there_is_nothing_to_do(
    labeled: Project, anna: Reviewer, django_assert_max_num_queries: Callable[..., object]
) -> None:
    learner = Learner()
    decide(anna, labeled, 40)
    learner.look()
    with django_assert_max_num_queries(2 * Project.objects.count() + 1):
        assert learner.look() == 0


def test_a_second_process_changes_nothing(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 40)
    Learner().look()
    before = dict(Text.objects.values_list("pk", "priority"))
    assert Learner().look() == 1
    assert dict(Text.objects.values_list("pk", "priority")) == before


def test_what_is_not_urgent_any_more_goes_back(
    labeled: Project, anna: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reordering, "FIRST", 5)
    learner = Learner()
    for _ in range(3):
        decide(anna, labeled, 26)
        learner.look()
    waiting = labeled.texts.filter(status="needs_review")
    assert waiting.filter(priority__gt=priorities.MOST).count() == 5


def test_a_decision_that_is_taken_back_does_not_teach(labeled: Project, anna: Reviewer) -> None:
    from reviews import undoing

    learner = Learner()
    decide(anna, labeled, 40)
    learner.look()
    undoing.undo(anna)
    assert learner.look() == 1


def test_a_skipped_text_stays_at_the_end(labeled: Project, anna: Reviewer) -> None:
    hard = labeled.texts.filter(content__startswith="apple pear").first()
    assert hard is not None
    decisions.record(anna, hard.pk, Decision(Action.SKIP, hard.current_label_id))
    decide(anna, labeled, 40)
    Learner().look()
    hard.refresh_from_db()
    assert hard.priority == decisions.SKIPPED


def test_the_blind_audit_stays_as_it_was_drawn(labeled: Project, anna: Reviewer) -> None:
    labeled.texts.filter(content__startswith="apple pear").update(is_audit=True)
    decide(anna, labeled, 40)
    Learner().look()
    assert not labeled.texts.filter(is_audit=True, priority__gt=1, priority__lte=2).exists()


def test_too_few_decisions_leave_the_queue_alone(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, training.FEWEST_REVIEWS - 1)
    assert Learner().look() == 0


def test_new_texts_are_taken_in(
    labeled: Project, anna: Reviewer, add_texts: Callable[..., list[Text]], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner()
    decide(anna, labeled, 40)
    learner.look()
    [new] = add_texts(labeled, "apple pear apple pear")
    execution.execute(runs.start(labeled))
    assert learner.look() == 1
    new.refresh_from_db()
    assert new.priority > priorities.MOST


def test_the_choices_of_the_last_training_are_held(
    labeled: Project, anna: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(anna, labeled, 40)
    training.train(labeled)
    monkeypatch.setattr(reordering.learned, "fit", lambda *args, **options: pytest.fail("No folds are needed."))
    assert Learner().look() == 1


def test_new_categories_wait_for_a_run(labeled: Project, anna: Reviewer) -> None:
    learner = Learner()
    decide(anna, labeled, 40)
    learner.look()
    labeled.categories.create(name="Other", position=9)
    decide(anna, labeled, 1)
    assert learner.look() == 0


def test_a_provider_that_fails_is_named_and_not_asked_again(labeled: Project, anna: Reviewer) -> None:
    Project.objects.filter(pk=labeled.pk).update(provider="broken")
    decide(anna, labeled, 40)
    assert Learner().look() == 0


def test_the_command_looks_once(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 40)
    call_command("keep_learning", once=True)
    assert first(labeled, 1)[0].startswith("apple pear")


def test_a_project_where_nobody_decided_lately_is_left_at_the_start(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 40)
    labeled.texts.filter(reviewed_at__isnull=False).update(reviewed_at=timezone.now() - 2 * reordering.RECENT)
    assert Learner().look() == 0


# --- Cold start -------------------------------------------------------------------------------------------------------


def test_the_first_texts_are_unlike_each_other(labeled: Project) -> None:
    shown = first(labeled, cold_start.COUNT)
    assert {text.split()[0] for text in shown} == set(FRUIT.values())
    assert labeled.texts.filter(priority__gt=priorities.FOLLOWED).count() == cold_start.COUNT


def test_they_stay_first_until_as_many_are_decided(labeled: Project, anna: Reviewer) -> None:
    learner = Learner()
    decide(anna, labeled, cold_start.COUNT - 1)
    learner.look()
    assert labeled.texts.filter(status="needs_review", priority__gt=priorities.FOLLOWED).exists()
    decide(anna, labeled, 1)
    learner.look()
    assert not labeled.texts.filter(status="needs_review", priority__gt=priorities.FOLLOWED).exists()


def test_there_is_no_cold_start_once_somebody_decided(labeled: Project, anna: Reviewer) -> None:
    decide(anna, labeled, 1)
    assert cold_start.put_first(labeled, fingerprint="keyword-1") == 0


def test_a_handful_of_texts_needs_no_cold_start(project: Project, add_texts: Callable[..., list[Text]]) -> None:
    add_texts(project, "apple", "pear", "plum")
    execution.execute(runs.start(project, provider="keyword"))
    assert not project.texts.filter(priority__gt=priorities.MOST).exists()


def test_more_texts_before_the_first_decision_begin_no_second_cold_start(
    labeled: Project, add_texts: Callable[..., list[Text]]
) -> None:
    add_texts(labeled, *(f"fig number{n}" for n in range(30)))
    execution.execute(runs.start(labeled))
    assert labeled.texts.filter(priority__gt=priorities.FOLLOWED).count() == cold_start.COUNT


def test_the_place_of_a_text_needs_no_label(labeled: Project) -> None:
    text = labeled.texts.first()
    assert text is not None
    assert annotations.place_in_queue([(0.25, text.pk)]) == 1
    text.refresh_from_db()
    assert text.priority == 0.25
