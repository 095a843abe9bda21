from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from labeling.models import Project
from reviews.access import reviewer_of

pytestmark = pytest.mark.django_db


def test_a_user_becomes_a_reviewer_of_the_project(project: Project, stranger: User) -> None:
    out = StringIO()
    call_command("add_reviewer", "stranger", project="news", stdout=out)
    user = User.objects.get(pk=stranger.pk)
    assert reviewer_of(user, project).user == user
    assert f"/admin/review/{project.pk}/" in out.getvalue()


def test_adding_twice_changes_nothing(project: Project, stranger: User) -> None:
    for _ in range(2):
        call_command("add_reviewer", "stranger", project="news", stdout=StringIO())
    assert reviewer_of(User.objects.get(pk=stranger.pk), project).projects.count() == 1


def test_an_unknown_user_is_told_what_to_do(project: Project) -> None:
    with pytest.raises(CommandError, match="Reviewers"):
        call_command("add_reviewer", "nobody", project="news")
