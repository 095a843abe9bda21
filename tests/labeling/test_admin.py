import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from labeling import runs
from labeling.admin import marked
from labeling.choices import LabelOrigin, RunStatus, TextStatus
from labeling.models import Category, Label, LabelingRun, Project, Text
from reviews.models import Reviewer

LISTS = ["project", "text", "label", "labelingrun", "importrecord", "classifier"]


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def text(project: Project, add_texts) -> Text:
    text = add_texts(project, "The <b>striker</b> scored.")[0]
    label = Label.objects.create(
        text=text,
        version=1,
        category=project.categories.get(name="Sports"),
        origin=LabelOrigin.MODEL,
        confidence=0.91,
        evidence=[[7, 14, 1.0]],
        explanation="Sports 0.91; because of: striker",
    )
    Text.objects.filter(pk=text.pk).update(status=TextStatus.ACCEPTED, current_label=label)
    return text


def page(desk: Client, name: str, *args: object) -> str:
    response = desk.get(reverse(f"admin:labeling_{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens(desk: Client, text: Text, name: str) -> None:
    page(desk, f"{name}_changelist")


def test_the_index_leads_to_the_start_page(desk: Client) -> None:
    assert desk.get(reverse("admin:index")).url == reverse("home")


@pytest.mark.parametrize("name", LISTS)
def test_a_stranger_sees_no_list(client: Client, stranger: User, name: str) -> None:
    client.force_login(stranger)
    assert client.get(reverse(f"admin:labeling_{name}_changelist")).status_code == 302


def test_a_text_page_marks_the_words_that_made_the_label(desk: Client, text: Text) -> None:
    content = page(desk, "text_change", text.pk)
    assert ">striker</mark>" in content
    assert "Sports 0.91; because of: striker" in content


def test_words_that_two_pieces_of_evidence_share_are_shown_once() -> None:
    text = Text(content="The striker scored.", current_label=Label(evidence=[[4, 11, 0.6], [7, 11, 0.4]]))
    assert marked(text).count("iker") == 1


def test_markup_inside_a_text_stays_text(desk: Client, text: Text) -> None:
    content = page(desk, "text_change", text.pk)
    assert "<b>striker" not in content
    assert "&lt;b&gt;" in content


def test_a_text_is_found_by_its_words(desk: Client, text: Text) -> None:
    url = reverse("admin:labeling_text_changelist")
    assert "striker" in desk.get(url, {"q": "scored"}).content.decode()
    assert f"/text/{text.pk}/" not in desk.get(url, {"q": "volcano"}).content.decode()


@pytest.mark.parametrize("verb", ["delete", "change"])
def test_a_label_is_read_only_even_for_a_manager(desk: Client, text: Text, verb: str) -> None:
    label = Label.objects.get()
    response = desk.post(reverse(f"admin:labeling_label_{verb}", args=[label.pk]), {"confidence": "0.1", "post": "yes"})
    assert response.status_code == 403
    assert Label.objects.get().confidence == 0.91


@pytest.mark.parametrize("name", ["text", "importrecord"])
def test_lists_of_what_is_imported_say_where_that_is_done(desk: Client, name: str) -> None:
    assert 'href="/projects/">project</a>, then "Import"' in page(desk, f"{name}_changelist")


def test_a_text_cannot_be_typed_in_past_the_import(desk: Client) -> None:
    assert desk.get(reverse("admin:labeling_text_add")).status_code == 403


def act(desk: Client, name: str, action: str, *keys: int) -> str:
    url = reverse(f"admin:labeling_{name}_changelist")
    return desk.post(url, {"action": action, "_selected_action": keys}, follow=True).content.decode()


def test_label_with_ai_queues_a_run_over_the_project(desk: Client, project: Project, add_texts) -> None:
    add_texts(project, "Rain is expected.")
    assert "is queued: 1 texts" in act(desk, "project", "label_with_ai", project.pk)
    assert (LabelingRun.objects.get().status, OrmQ.objects.count()) == (RunStatus.QUEUED, 1)


def test_label_with_ai_on_texts_queues_a_run_over_those(desk: Client, text: Text, add_texts) -> None:
    add_texts(text.project, "Rain is expected.")
    assert "is queued: 1 texts" in act(desk, "text", "label_with_ai", text.pk)
    run = LabelingRun.objects.get()
    assert (run.text_ids, run.total) == ([text.pk], 1)


def test_label_with_ai_says_why_it_cannot(desk: Client, project: Project) -> None:
    assert "has no text to label" in act(desk, "project", "label_with_ai", project.pk)
    assert not OrmQ.objects.exists()


def test_check_the_model_leaves_it_to_the_worker_and_says_where_the_answer_will_be(
    desk: Client, project: Project
) -> None:
    page = act(desk, "project", "check_model", project.pk)
    assert "labels two texts" in page and f"/admin/labeling/project/{project.pk}/history/" in page
    assert OrmQ.objects.get().func() == "labeling.tasks.check_model"


def test_a_merged_category_does_not_come_back(desk: Client, project: Project) -> None:
    sports, business, _ = project.shown_categories()
    Category.objects.filter(pk=sports.pk).update(is_active=False, merged_into=business)
    address = reverse("admin:labeling_project_change", args=[project.pk])
    shown = desk.get(address).context["adminform"].form.initial
    rows = list(project.categories.order_by("position", "pk"))
    sent = {name: value for name, value in shown.items() if value is not None and name != "is_archived"}
    sent |= {"categories-TOTAL_FORMS": 3, "categories-INITIAL_FORMS": 3}
    for place, row in enumerate(rows):
        values = {"id": row.pk, "project": project.pk, "name": row.name, "examples": "[]", "position": place}
        sent |= {f"categories-{place}-{name}": value for name, value in values.items()} | {
            f"categories-{place}-is_active": "on"
        }
    assert "It was merged into Business" in desk.post(address, sent).content.decode()


def test_a_project_is_not_archived_past_its_run(desk: Client, project: Project, add_texts) -> None:
    add_texts(project, "Rain is expected.")
    runs.start_in_background(project)
    address = reverse("admin:labeling_project_change", args=[project.pk])
    shown = desk.get(address).context["adminform"].form.initial
    sent = {name: value for name, value in shown.items() if value is not None} | {"is_archived": "on"}
    assert desk.post(address, sent | {"categories-TOTAL_FORMS": 0, "categories-INITIAL_FORMS": 0}).status_code == 302
    project.refresh_from_db()
    assert not project.is_archived


def test_a_viewer_cannot_start_a_run(client: Client, stranger: User, text: Text) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="view_text"))
    client.force_login(stranger)
    act(client, "text", "label_with_ai", text.pk)
    assert not LabelingRun.objects.exists()


def test_a_run_can_be_cancelled(desk: Client, project: Project, add_texts) -> None:
    add_texts(project, "Rain is expected.")
    act(desk, "project", "label_with_ai", project.pk)
    assert "Cancelled 1 runs" in act(desk, "labelingrun", "cancel", LabelingRun.objects.get().pk)
    assert LabelingRun.objects.get().status == RunStatus.CANCELLED


def test_a_category_named_twice_is_a_form_error(desk: Client, project: Project) -> None:
    prefix = "categories"
    form: dict[str, str] = {
        "name": "News",
        "threshold": "0.8",
        "audit_share": "0.05",
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "0",
        f"{prefix}-0-name": "SPORTS",
        f"{prefix}-0-examples": "[]",
        f"{prefix}-0-position": "9",
        f"{prefix}-0-project": str(project.pk),
    }
    response = desk.post(reverse("admin:labeling_project_change", args=[project.pk]), form)
    assert response.status_code == 200  # shown again, with the error
    assert Category.objects.filter(project=project).count() == 3


def add_category(desk: Client, project: Project, **values: str) -> str:
    """The page that answers when the form of a project is sent with one new category."""
    address = reverse("admin:labeling_project_change", args=[project.pk])
    shown = desk.get(address).context["adminform"].form.initial
    sent = {name: value for name, value in shown.items() if value is not None and name != "is_archived"}
    sent |= {"categories-TOTAL_FORMS": 1, "categories-INITIAL_FORMS": 0, "categories-0-project": project.pk}
    category = {"name": "Chess", "examples": "[]", "position": "9", "is_active": "on", **values}
    sent |= {f"categories-0-{name}": value for name, value in category.items()}
    return desk.post(address, sent, follow=True).content.decode()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shortcut": "S"}, "is the key of &#x27;Sports&#x27; already"),
        ({"examples": json.dumps(["text"] * 51)}, "Give at most 50 examples"),
        ({"examples": '{"a": 1}'}, "Give the examples as a list of texts"),
        ({"name": "WEATHER  "}, "This project has a category &#x27;Weather&#x27; already"),
    ],
)
def test_a_category_is_checked_as_everywhere_else(
    desk: Client, project: Project, values: dict[str, str], message: str
) -> None:
    project.categories.filter(name="Sports").update(shortcut="s")
    assert message in add_category(desk, project, **values)
    assert project.categories.count() == 3


def test_a_new_category_is_kept_in_its_plain_form(desk: Client, project: Project) -> None:
    add_category(desk, project, name="Table  tennis", examples="")
    assert project.categories.get(name="Table tennis").examples == []


def test_the_list_of_texts_needs_the_same_queries_for_any_number_of_texts(
    desk: Client, text: Text, add_texts, django_assert_max_num_queries
) -> None:
    add_texts(text.project, *(f"Match number {n}" for n in range(60)))
    with django_assert_max_num_queries(12):
        page(desk, "text_changelist")


@pytest.mark.parametrize("name", LISTS)
def test_no_page_loads_anything_from_another_host(desk: Client, text: Text, name: str) -> None:
    content = page(desk, f"{name}_changelist")
    for attribute in ("src=", "<link"):
        for piece in content.split(attribute)[1:]:
            assert "http" not in piece.split(">")[0]


def test_a_reviewer_sees_only_projects_of_their_own(client: Client, anna: Reviewer, project: Project) -> None:
    other = Project.objects.create(name="Salaries", instructions="Not for everybody.")
    client.force_login(anna.user)
    listed = page(client, "project_changelist")
    assert "News" in listed and "Salaries" not in listed
    assert client.get(reverse("admin:labeling_project_change", args=[project.pk])).status_code == 200
    for name in ("change", "history"):
        refused = client.get(reverse(f"admin:labeling_project_{name}", args=[other.pk]), follow=True)
        assert "Not for everybody" not in refused.content.decode()
        assert refused.redirect_chain
