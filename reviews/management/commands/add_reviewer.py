"""manage.py add_reviewer: let a user review a project."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from labeling.management.projects import add_project_argument, find_project
from reviews import members


class Command(BaseCommand):
    help = "Let an existing user review a project, at the desk and through the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        add_project_argument(parser)

    @transaction.atomic
    def handle(self, *, username: str, project: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}. Add one in the admin under Reviewers.")
        chosen = find_project(project)
        try:
            members.add(chosen, user)
        except members.WrongMember as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(f"{username} reviews for project {chosen}: /admin/review/{chosen.pk}/")
