"""`manage.py create_api_key`: a key by which a program uses the API in a user's name."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from labeling import api_keys
from labeling.access import projects_of
from labeling.lookups import by_name_or_id
from labeling.models import Project
from labeling.models.api_key import Scope

LONGEST_DAYS = 3650
LONGEST_NAME = 100


class Command(BaseCommand):
    help = "Creates an API key and prints it. It is shown this once: keep it where your program reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose rights the key has")
        parser.add_argument("--name", required=True, help="what uses the key")
        parser.add_argument(
            "--scopes", required=True, metavar="SCOPE,SCOPE", help=f"what it may be used for: {', '.join(Scope.values)}"
        )
        parser.add_argument(
            "--projects",
            default="",
            metavar="P,P",
            help="the only projects it may touch (default: all)",
        )
        parser.add_argument("--expires-days", type=int, metavar="N", help="days until it ends (default: never)")

    def handle(
        self, *, username: str, name: str, scopes: str, projects: str, expires_days: int | None, **_: Any
    ) -> None:
        user, checked_name, expires_at = _find_user(username), _checked_name(name), _end(expires_days)
        bound = [_find_project(user, reference) for reference in _listed(projects)]
        try:
            key = api_keys.create(
                user, name=checked_name, scopes=_listed(scopes), projects=bound, expires_at=expires_at
            )
        except api_keys.UnknownScope as error:
            raise CommandError(str(error)) from None
        self.stdout.write(key)


def _find_user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(
            f"There is no user '{username}'. Add one in the admin under Users, or with: manage.py createsuperuser"
        )
    if not user.is_active:
        raise CommandError(f"User '{username}' is not active, so the key would not work. Activate the user first.")
    return user


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def _find_project(user: User, reference: str) -> Project:
    if project := by_name_or_id(projects_of(user), reference):
        return project
    raise CommandError(f"'{user}' may see no project '{reference}'. Make them a member, or name another one.")


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise CommandError(f"--name must have 1 to {LONGEST_NAME} characters. Name the program that uses the key.")
    return name.strip()


def _end(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST_DAYS:
        raise CommandError(f"--expires-days must be 1 to {LONGEST_DAYS}. Leave it out for a key that never ends.")
    return timezone.now() + timedelta(days=days)
