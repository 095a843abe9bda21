"""Texts that come later and differ: found once, warned of, and what ends the warning."""

from io import StringIO
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling import annotations, certification, drifting, execution, relearning, runs
from labeling.certification import Promise
from labeling.choices import RunStatus, TextStatus
from labeling.models import LabelingRun, Project, Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

WORDS = ["sports apple", "business pear", "weather plum"]
OTHERS = ["lorem ipsum", "dolor sit", "amet elit"]


@pytest.fixture
def news(project: Project, add_texts) -> Project:
    """60 texts, labeled."""
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, *(f"{WORDS[n % 3]} {n}" for n in range(60)))
    execution.execute(runs.start(project))
    return project


def label_more(project: Project, add_texts, words: list[str], count: int = 60, **options) -> LabelingRun:
    first = project.texts.count()
    add_texts(project, *(f"{words[n % 3]} {first + n}" for n in range(count)))
    run = runs.start(project, **options)
    execution.execute(run)
    return run


def decide(project: Project, user: User, texts: list[Text]) -> None:
    weather = project.categories.get(name="Weather")
    for text in texts:
        label = annotations.record_human_label(text, weather, annotator=user)
        annotations.hold(text, label_id=label.pk, reviewed_by=user)


# --- Comparing --------------------------------------------------------------------------------------------------------


def test_the_first_texts_are_compared_with_nothing(news: Project) -> None:
    assert LabelingRun.objects.get().drift is None
    assert drifting.warning(news) is None


def test_new_texts_like_those_before_raise_no_warning(news: Project, add_texts) -> None:
    run = label_more(news, add_texts, WORDS)
    assert run.drift is not None and not run.drift["is_warning"]
    assert (run.drift["vectors"]["n_before"], run.drift["vectors"]["n_now"]) == (60, 60)
    assert drifting.warning(news) is None


def test_new_texts_that_differ_raise_one(news: Project, add_texts) -> None:
    run = label_more(news, add_texts, OTHERS)
    assert run.status == RunStatus.SUCCEEDED
    warning = drifting.warning(news)
    assert warning is not None and warning.run_id == run.pk
    assert warning.sentences[0].startswith("The new texts differ from those the classifier was fitted on")


def test_a_run_without_new_texts_compares_nothing_and_the_warning_stays(news: Project, add_texts) -> None:
    label_more(news, add_texts, OTHERS)
    again = runs.start(news, relabel=True)
    execution.execute(again)
    assert again.drift is None
    assert drifting.warning(news) is not None


def test_too_few_new_texts_wait_for_more(news: Project, add_texts) -> None:
    assert label_more(news, add_texts, OTHERS, 15).drift is None
    run = label_more(news, add_texts, OTHERS, 15)
    assert run.drift is not None and run.drift["vectors"]["n_now"] == 30


def test_the_next_import_is_compared_with_all_before(news: Project, add_texts) -> None:
    label_more(news, add_texts, OTHERS)
    run = label_more(news, add_texts, WORDS)
    assert run.drift is not None and run.drift["vectors"]["n_before"] == 120


def test_a_run_over_a_part_compares_nothing(news: Project, add_texts) -> None:
    assert label_more(news, add_texts, OTHERS, limit=30).drift is None
    run = runs.start(news)
    execution.execute(run)
    assert run.drift is not None and run.drift["vectors"]["n_now"] == 60


def test_texts_that_a_relabeling_labels_first_are_compared_too(news: Project, add_texts) -> None:
    assert label_more(news, add_texts, OTHERS, relabel=True).drift is not None


def test_a_model_without_vectors_compares_nothing(news: Project, add_texts) -> None:
    assert label_more(news, add_texts, OTHERS, provider="scores").drift is None


def test_a_second_delivery_changes_nothing(news: Project, add_texts) -> None:
    run = label_more(news, add_texts, OTHERS)
    LabelingRun.objects.filter(pk=run.pk).update(drift={"is_warning": False})
    drifting.compare(run)
    run.refresh_from_db()
    assert run.drift == {"is_warning": False}


def test_a_learned_head_is_judged_by_the_audit_alone(news: Project, add_texts, manager: User) -> None:
    """Of other texts it knows the answers, and would be less sure of any new one."""
    audit = list(news.texts.order_by("pk")[:24])
    Text.objects.filter(pk__in=[text.pk for text in audit]).update(is_audit=True)
    decide(news, manager, list(news.texts.filter(is_audit=False)))
    assert relearning.learn(news)
    execution.execute(LabelingRun.objects.latest("pk"))
    run = label_more(news, add_texts, WORDS)
    assert run.classifier is not None and run.classifier.kind == "learned"
    assert run.drift is not None and run.drift["confidence"]["before"]["n"] == 24


def test_a_process_that_dies_while_comparing_leaves_it_to_the_next(
    news: Project, add_texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(drifting, "compare", Mock(side_effect=KeyboardInterrupt))
        label_more(news, add_texts, OTHERS)
    run = LabelingRun.objects.latest("pk")
    assert (run.status, run.drift) == (RunStatus.PAUSED, None)
    runs.resume(run)
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED
    assert drifting.warning(news) is not None


# --- Warning ----------------------------------------------------------------------------------------------------------


def test_a_certificate_ends_and_says_that_the_new_texts_differ(news: Project, add_texts, manager: User) -> None:
    Text.objects.update(is_audit=True)
    decide(news, manager, list(news.texts.order_by("content_hash")[:30]))  # as the desk shows them
    certificate = certification.certify(news, promise=Promise.DATASET, budget=0.1)
    label_more(news, add_texts, WORDS)
    assert certification.ended_reason(certificate) == "Texts have been added since."
    label_more(news, add_texts, OTHERS)
    reason = certification.ended_reason(certificate)
    assert reason == "Texts have been added since, and they differ from those before."


def test_the_warning_ends_when_a_classifier_learned_from_those_texts(news: Project, add_texts, manager: User) -> None:
    run = label_more(news, add_texts, OTHERS)
    assert run.drift is not None
    new = list(news.texts.filter(pk__gt=run.drift["after_text_id"]))
    decide(news, manager, list(news.texts.filter(pk__lte=run.drift["after_text_id"])[:30]) + new[:24])
    relearning.learn(news)
    assert drifting.warning(news) is not None
    execution.execute(LabelingRun.objects.latest("pk"))
    decide(news, manager, new[24:25])
    assert drifting.warning(news) is not None
    relearning.learn(news)
    assert drifting.warning(news) is None


def test_the_command_prints_the_warning_of_its_own_run(news: Project, add_texts) -> None:
    def said() -> str:
        out = StringIO()
        call_command("label_texts", project=news.name, stdout=out)
        return out.getvalue()

    add_texts(news, *(f"{OTHERS[n % 3]} {n}" for n in range(60)))
    assert "The new texts differ" in said()
    add_texts(news, "one more")
    assert "differ" not in said()


def test_the_warnings_of_many_projects_take_one_query(
    news: Project, add_texts, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    label_more(news, add_texts, WORDS)
    others = [Project.objects.create(name=f"Other {n}") for n in range(3)]
    with django_assert_num_queries(1):
        assert drifting.warnings([news, *others]) == {}


def test_the_admin_shows_it_at_the_project_and_the_run(news: Project, add_texts, client: Client, manager: User) -> None:
    client.force_login(manager)
    project_page = f"/admin/labeling/project/{news.pk}/change/"
    assert "No warning." in client.get(project_page).content.decode()
    label_more(news, add_texts, OTHERS)
    assert "The new texts differ" in client.get(project_page).content.decode()
    assert "Differ" in client.get("/admin/labeling/labelingrun/").content.decode()
    assert "No warning." in client.get("/admin/labeling/project/add/").content.decode()
    assert Text.objects.filter(status=TextStatus.UNLABELED).count() == 0


def test_a_head_that_reads_answers_beside_vectors_is_compared_too(project: Project, add_texts, manager: User) -> None:
    Project.objects.filter(pk=project.pk).update(provider="scores")
    project.refresh_from_db()
    add_texts(project, *(f"{WORDS[n % 3]} {n}" for n in range(60)))
    execution.execute(runs.start(project))
    decide(project, manager, list(project.texts.order_by("pk")[:30]))
    assert relearning.learn(project)
    execution.execute(LabelingRun.objects.latest("pk"))
    run = label_more(project, add_texts, OTHERS)
    assert run.classifier is not None and run.classifier.answers_fingerprint
    assert run.drift is not None and run.drift["vectors"]["is_warning"]
