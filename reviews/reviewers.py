"""Who reviews: accounts of new people, and the rights that make a user a reviewer."""

import secrets

from django.contrib.auth.models import Group, User
from django.db import transaction

GROUP = "Reviewers"
PASSWORD_BYTES = 12


def new_password() -> str:
    """A password that nobody guesses, to be passed on to the new person."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@transaction.atomic
def add_account(username: str, *, password: str) -> User:
    """A new user who can sign in and review."""
    user = User.objects.create_user(username, password=password)
    let_review(user)
    return user


@transaction.atomic
def let_review(user: User) -> None:
    """Give a user what reviewing needs: the way into the admin, and the group's permissions."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=GROUP)[0])
