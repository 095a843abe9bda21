"""The short address of the review desk."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.models import Project
from reviews.models import Reviewer


@pytest.fixture
def desk(client: Client, anna: Reviewer) -> Client:
    client.force_login(anna.user)
    return client


def test_it_leads_straight_to_the_only_desk(desk: Client, project: Project) -> None:
    assert desk.get("/review/").url == f"/admin/review/{project.pk}/"


def test_it_keeps_the_filters_and_takes_names(desk: Client, project: Project) -> None:
    sports = project.categories.get(name="Sports")
    answer = desk.get("/review/?max_confidence=0.8&category=sports&run=7&source=mail.csv&min_confidence=")
    query = f"max_confidence=0.8&category_id={sports.pk}&run_id=7&source=mail.csv"
    assert answer.url == f"/admin/review/{project.pk}/?{query}"


def test_a_wrong_filter_is_named_and_left_out(desk: Client, project: Project) -> None:
    answer = desk.get("/review/?min_confidence=high&source=mail.csv", follow=True)
    assert answer.redirect_chain == [(f"/admin/review/{project.pk}/?source=mail.csv", 302)]
    assert "The filter min_confidence was left out." in answer.content.decode()


def test_of_several_projects_one_is_chosen_and_the_filters_stay(desk: Client, anna: Reviewer, project: Project) -> None:
    anna.projects.add(Project.objects.create(name="Mail"))
    page = desk.get("/review/?max_confidence=0.8").content.decode()
    assert f"/review/?max_confidence=0.8&amp;project={project.pk}" in page


@pytest.mark.parametrize("reference", ["News", "news"])
def test_a_project_can_be_named(desk: Client, anna: Reviewer, project: Project, reference: str) -> None:
    anna.projects.add(Project.objects.create(name="Mail"))
    assert desk.get(f"/review/?project={reference}").url == f"/admin/review/{project.pk}/"
    assert desk.get(f"/review/?project={project.pk}").url == f"/admin/review/{project.pk}/"


def test_the_id_in_a_link_is_no_other_projects_name(desk: Client, anna: Reviewer, project: Project) -> None:
    anna.projects.add(Project.objects.create(name=str(project.pk)))
    assert desk.get(f"/review/?project={project.pk}").url == f"/admin/review/{project.pk}/"


def test_a_number_without_end_is_no_project(desk: Client, anna: Reviewer, project: Project) -> None:
    anna.projects.add(Project.objects.create(name="Mail"))
    assert "Choose another one" in desk.get(f"/review/?project={'9' * 5_000}").content.decode()


def test_a_project_of_others_is_not_opened(desk: Client) -> None:
    Project.objects.create(name="Secret")
    page = desk.get("/review/?project=Secret", follow=True).content.decode()
    assert "You do not review for a project &#x27;Secret&#x27;" in page


def test_a_manager_without_a_desk_sees_the_projects(client: Client, manager: User, project: Project) -> None:
    client.force_login(manager)
    assert "All projects" in client.get("/review/").content.decode()


def test_a_manager_without_the_desk_is_led_to_where_to_get_it(client: Client, manager: User, project: Project) -> None:
    client.force_login(manager)
    answer = client.get(f"/review/?project={project.pk}", follow=True)
    members = f"/projects/{project.pk}/members/"
    assert answer.redirect_chain == [(f"{members}?user=manager", 302)]
    assert "You do not review for project News yet. Add yourself here" in answer.content.decode()
    form = answer.context["form"]
    client.post(members, {"user": form["user"].value(), "role": form["role"].value()})
    assert client.get(f"/review/?project={project.pk}").url == f"/admin/review/{project.pk}/"


def test_the_anonymous_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/review/?project=1").url == "/admin/login/?next=/review/%3Fproject%3D1"
