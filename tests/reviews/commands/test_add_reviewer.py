from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from labeling.models import Project
from reviews.access import reviewer_of
from reviews.models import Reviewer

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


def test_who_rested_reviews_again(project: Project, stranger: User) -> None:
    Reviewer.objects.create(user=stranger, is_active=False)
    call_command("add_reviewer", "stranger", project="news", stdout=StringIO())
    assert reviewer_of(User.objects.get(pk=stranger.pk), project).is_active


def test_an_account_that_is_switched_off_is_refused(project: Project, stranger: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="Activate it in the admin"):
        call_command("add_reviewer", "stranger", project="news")


def test_an_unknown_user_is_told_what_to_do(project: Project) -> None:
    with pytest.raises(CommandError, match="Reviewers"):
        call_command("add_reviewer", "nobody", project="news")
