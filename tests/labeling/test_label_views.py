"""The page that labels texts."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling import annotations, importing, label_forms, runs
from labeling.models import Label, LabelingRun, Project, Text
from reviews.models import Reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]
PAGE, MANY = "/label/", "/label/many/"


@pytest.fixture(autouse=True)
def model(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword", threshold=0.1)
    project.refresh_from_db()


@pytest.fixture
def desk(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


@pytest.fixture
def ask(desk: Client, project: Project) -> Any:
    """Sends one text; what the page shows, or where it leads."""

    def sent(text: str = "a report on <business>", **more: str) -> Any:
        return desk.post(PAGE, {"project": project.pk, "text": text, "do": "ask", **more})

    return sent


def shown(answer: Any) -> str:
    found = re.search(r'name="shown" value="([^"]+)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_the_page_offers_projects_and_providers(desk: Client, project: Project) -> None:
    content = desk.get(f"{PAGE}?project={project.pk}").content.decode()
    assert f'<option value="{project.pk}" selected>News</option>' in content
    assert '<option value="keyword">keyword</option>' in content
    assert "style=" not in content


def test_one_text_is_answered_and_nothing_is_stored(ask: Any) -> None:
    content = ask().content.decode()
    assert "Business" in content
    assert "Not calibrated" in content
    assert "Would be accepted" in content
    assert "a report on &lt;<mark>business</mark>&gt;" in content
    assert not (Text.objects.exists() or Label.objects.exists())


def test_another_provider_may_be_asked(ask: Any) -> None:
    assert "of scores in" in ask(provider="scores").content.decode()


def test_what_was_shown_is_stored(ask: Any, desk: Client, project: Project) -> None:
    answer = ask(do="store", source="mail", shown=shown(ask()))
    text = Text.objects.get()
    assert (text.status, text.source, answer.url) == ("accepted", "mail", f"{PAGE}?project={project.pk}&provider=")
    assert f"Text {text.pk}: accepted." in desk.get(answer.url).content.decode()


def test_a_text_is_sent_to_review_however_sure_the_model_is(ask: Any) -> None:
    ask(do="review", shown=shown(ask()))
    text = Text.objects.get()
    assert (text.status, text.priority) == ("needs_review", 1.0)


def test_one_that_was_accepted_is_sent_to_review_after_all(ask: Any) -> None:
    first = shown(ask())
    ask(do="store", shown=first)
    ask(do="review", shown=first)
    assert Text.objects.get().status == "needs_review"


def test_an_answer_that_has_changed_since_is_shown_and_not_stored(ask: Any, project: Project) -> None:
    before = shown(ask())
    project.categories.filter(name="Weather").update(description="a report on a business")
    answer = ask(do="store", shown=before)
    assert answer.status_code == 409
    assert "Nothing was stored" in answer.content.decode()
    assert not Text.objects.exists()


def test_what_a_person_decided_stays(ask: Any, desk: Client, manager: User) -> None:
    first = shown(ask())
    ask(do="store", shown=first)
    text = Text.objects.get()
    label = annotations.record_human_label(text, text.project.categories.get(name="Weather"), annotator=manager)
    annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    answer = ask(do="review", shown=first)
    text.refresh_from_db()
    assert (text.status, text.current_label_id) == ("reviewed", label.pk)
    assert "A person has decided this text" in desk.get(answer.url).content.decode()


@pytest.mark.parametrize("provider", ["broken", "flaky"])
def test_a_model_that_fails_says_why_and_the_text_stays_on_the_page(ask: Any, provider: str) -> None:
    answer = ask("my text", provider=provider)
    assert answer.status_code == 409
    assert "The server does not answer. Start it." in answer.content.decode()
    assert "my text</textarea>" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "reason"), [("", "required"), ("x" * 101, "or raise MAX_TEXT_LENGTH."), (" ", "The text is empty.")]
)
def test_a_text_that_cannot_be_labeled_is_refused(ask: Any, settings: Any, text: str, reason: str) -> None:
    settings.MAX_TEXT_LENGTH = 100
    answer = ask(text)
    assert answer.status_code == 400
    assert reason in answer.content.decode()


def test_a_project_without_categories_is_told_what_to_do(ask: Any) -> None:
    answer = ask(project=str(Project.objects.get(name="Default").pk))
    assert "has no active categories" in answer.content.decode()


# --- Many -------------------------------------------------------------------------------------------------------------


def test_lines_are_stored_and_a_run_is_followed(desk: Client, project: Project, mia: User) -> None:
    answer = desk.post(MANY, {"project": project.pk, "lines": "Rain.\n\n Shares fell. \nRain."})
    run = LabelingRun.objects.get()
    assert (answer.url, run.total, run.created_by) == (reverse("runs:run", args=[run.pk]), 2, mia)
    assert "2 texts added, 1 known already" in desk.get(answer.url).content.decode()


def test_a_file_is_stored_and_a_run_is_followed(desk: Client, project: Project) -> None:
    file = SimpleUploadedFile("texts.csv", b"text,source\nRain.,mail\nShares fell.,mail\n")
    desk.post(MANY, {"project": project.pk, "file": file, "provider": "scores"})
    assert LabelingRun.objects.get().provider == "scores"
    assert set(Text.objects.values_list("source", flat=True)) == {"mail"}


def test_beside_a_run_in_progress_the_texts_join_it(desk: Client, project: Project, add_texts: Any) -> None:
    add_texts(project, "Snow.")
    run = runs.start(project)
    answer = desk.post(MANY, {"project": project.pk, "lines": "Rain."}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("runs:run", args=[run.pk])
    assert "takes them in" in answer.content.decode()


def test_a_table_without_a_likely_column_leads_to_where_columns_are_chosen(desk: Client, project: Project) -> None:
    file = SimpleUploadedFile("own.csv", b"id,comment\n1,Rain.\n")
    answer = desk.post(MANY, {"project": project.pk, "file": file})
    assert answer.status_code == 409
    assert f"href='/projects/{project.pk}/import/'" in answer.content.decode()
    assert "Columns found: id, comment." in answer.content.decode()
    assert "--text-column" not in answer.content.decode()


def test_one_of_lines_and_file_is_needed(desk: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = desk.post(MANY, {"project": project.pk})
    assert answer.status_code == 400
    assert "one of the two" in answer.content.decode()
    monkeypatch.setattr(label_forms, "MOST_BYTES", 3)
    large = desk.post(MANY, {"project": project.pk, "file": SimpleUploadedFile("texts.txt", b"Rain.")})
    assert "Import it, then label the project" in large.content.decode()


def test_a_file_that_cannot_be_read_says_why_and_what_is_stored(
    desk: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)
    file = SimpleUploadedFile("texts.csv", b"text\nRain.\nSnow.\nAn old caf\xe9.\n")
    answer = desk.post(MANY, {"project": project.pk, "file": file})
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "name its encoding with “Encoding”" in said and f"href='/projects/{project.pk}/import/'" in said
    assert "2 texts before that place are stored." in said and Text.objects.count() == 2
    assert not LabelingRun.objects.exists()


def test_more_than_a_form_may_hold_says_so_and_what_to_do(desk: Client, project: Project) -> None:
    answer = desk.post(MANY, {"project": project.pk, "lines": "Rain.\n" * 500_000})
    assert answer.status_code == 413
    assert "send it as a file" in answer.content.decode()


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_reviewers_who_decide_blind_strangers_and_the_anonymous_are_kept_out(
    client: Client, project: Project, stranger: User
) -> None:
    rosa = User.objects.create_user("rosa", is_staff=True)
    rosa.groups.add(Group.objects.get(name="Reviewers"))
    Reviewer.objects.create(user=rosa).projects.add(project)
    asked = {"project": project.pk, "text": "Rain."}
    assert client.get(PAGE).status_code == client.post(PAGE, asked).status_code == 302
    for user in (rosa, stranger):
        client.force_login(user)
        assert client.get(PAGE).status_code == client.post(PAGE, asked).status_code == 403
        assert client.post(MANY, asked).status_code == 403


def test_archived_projects_are_not_offered(ask: Any, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(is_archived=True)
    assert ask().status_code == 400


def test_the_page_costs_few_queries(desk: Client, ask: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(15):
        desk.get(PAGE)
    with django_assert_max_num_queries(19):  # the answer itself takes four
        ask()
