"""Who reviews: accounts of new people, and the rights that make a user a reviewer."""

import secrets

from django.contrib.auth.models import Group, User
from django.db import transaction

from reviews.models import Reviewer

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


def profile_of_manager(manager: User) -> Reviewer:
    """The profile that signs a manager's decisions. One made here is not active: it gets no texts from the queue."""
    return Reviewer.objects.get_or_create(user=manager, defaults={"is_active": False})[0]
