"""API keys: made once, shown once, known afterwards by their hash only."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling.models import ApiKey, Project
from labeling.models.api_key import Scope

KEY_BYTES = 32
PREFIX_LENGTH = 8
USE_IS_NOTED_EVERY = timedelta(minutes=1)  # a write for each request would make every read of the API a write


class UnknownScope(ValueError):
    """A scope that does not exist, or none at all. The message lists those there are."""


def create(
    user: AbstractBaseUser,
    *,
    name: str,
    scopes: Iterable[str],
    projects: Sequence[Project] = (),
    expires_at: datetime | None = None,
) -> str:
    """A new key of the user, as `make` makes it. This is the only time that it can be seen. Raises UnknownScope."""
    return make(user, name=name, scopes=scopes, projects=projects, expires_at=expires_at)[1]


@transaction.atomic
def make(
    user: AbstractBaseUser,
    *,
    name: str,
    scopes: Iterable[str],
    projects: Sequence[Project] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """What is kept of a new key, and the key itself; for these projects only where any are named."""
    key = secrets.token_hex(KEY_BYTES)
    made = ApiKey.objects.create(
        user_id=user.pk,
        name=name,
        prefix=key[:PREFIX_LENGTH],
        key_hash=_hash(key),
        scopes=_checked(scopes),
        is_bound=bool(projects),
        expires_at=expires_at,
    )
    made.projects.set(projects)
    return made, key


def authenticate(key: str) -> ApiKey | None:
    """The usable key that this is, with its user.

    One hash and one look-up by it, whatever comes in. A guess learns nothing from the time that takes: the database
    compares hashes, and a caller cannot choose the hash.
    """
    found = ApiKey.objects.usable().select_related("user").filter(key_hash=_hash(key)).first()
    if found is not None:
        _note_use(found)
    return found


def revoke(keys: Iterable[int]) -> int:
    """End keys for good; returns how many were not revoked before."""
    return ApiKey.objects.filter(pk__in=keys, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _hash(key: str) -> str:
    # The key is 256 random bits: there is nothing to guess, so a slow password hash would protect nothing more.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _checked(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    known = ", ".join(Scope.values)
    if not wanted:
        raise UnknownScope(f"Name at least one scope of: {known}.")
    if unknown := sorted(wanted - set(Scope.values)):
        raise UnknownScope(f"There is no scope '{unknown[0]}'. Scopes: {known}.")
    return [scope for scope in Scope.values if scope in wanted]


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is not None and key.last_used_at > now - USE_IS_NOTED_EVERY:
        return
    not_noted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
    ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now)
