import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from labeling.models import Project, PromptVersion

pytestmark = pytest.mark.django_db

ADD = "/admin/labeling/promptversion/add/"
PREVIEW = "/admin/labeling/promptversion/preview/"


@pytest.fixture
def manager(client: Client, django_user_model: type[User]) -> Client:
    user = django_user_model.objects.create_user("maria", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    client.force_login(user)
    return client


def form(project: Project, **changes: str) -> dict[str, str]:
    return {"project": str(project.pk), "template": "", "hypothesis": "", "examples": "0", **changes}


def test_a_manager_saves_a_new_version(manager: Client, project: Project) -> None:
    manager.post(ADD, form(project, template="Sort: {text}"))
    manager.post(ADD, form(project, template="Sort this: {text}", examples="3"))
    newest = PromptVersion.objects.get(project=project, version=2)
    assert (newest.template, newest.examples, newest.created_by.username) == ("Sort this: {text}", 3, "maria")


def test_the_form_begins_with_the_newest_version(manager: Client, project: Project) -> None:
    manager.post(ADD, form(project, template="Sort: {text}"))
    assert "Sort: {text}" in manager.get(f"{ADD}?project={project.pk}").content.decode()


def test_a_version_is_never_changed(manager: Client, project: Project) -> None:
    manager.post(ADD, form(project, template="Sort: {text}"))
    address = f"/admin/labeling/promptversion/{PromptVersion.objects.get().pk}/change/"
    assert manager.get(address).status_code == 200
    assert manager.post(address, form(project)).status_code == 403


def test_the_preview_shows_what_a_model_is_told(manager: Client, project: Project, add_texts) -> None:
    Project.objects.filter(pk=project.pk).update(instructions="Read twice.")
    add_texts(project, "The striker scored.")
    said = manager.post(PREVIEW, form(project, template="{instructions} {categories} {text}")).json()
    words = "\n".join(message["content"] for message in said["messages"])
    assert "Read twice." in words and "Sports" in words and "The striker scored." in words


def test_the_preview_shows_the_providers_own_words_where_there_is_no_template(
    manager: Client, project: Project, add_texts
) -> None:
    add_texts(project, "The striker scored.")
    said = manager.post(PREVIEW, form(project)).json()
    assert [message["role"] for message in said["messages"]] == ["system", "user"]


def test_the_preview_names_a_place_that_does_not_exist(manager: Client, project: Project) -> None:
    said = manager.post(PREVIEW, form(project, template="{text} {colour}")).json()
    assert said["error"].startswith("The project's template has unknown placeholders: colour.")


def test_decided_texts_are_shown_in_the_preview(manager: Client, project: Project, add_texts, decide) -> None:
    decide("match on sunday", "Sports")
    add_texts(project, "rain")
    said = manager.post(PREVIEW, form(project, examples="1")).json()
    assert "match on sunday" in said["messages"][1]["content"]


def test_who_may_not_write_prompts_sees_no_preview(client: Client, project: Project, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    client.force_login(stranger)
    assert client.post(PREVIEW, form(project)).status_code == 403
    assert client.get(ADD).status_code == 403


def test_the_preview_changes_nothing_and_answers_to_posts_only(manager: Client, project: Project) -> None:
    assert manager.get(PREVIEW).status_code == 405
    manager.post(PREVIEW, form(project))
    assert not PromptVersion.objects.exists()
