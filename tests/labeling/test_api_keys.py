from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling import api_keys
from labeling.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(stranger: User) -> str:
    return api_keys.create(stranger, name="script", scopes=["review", "read"])


def test_a_key_is_its_users(key: str, stranger: User) -> None:
    found = api_keys.authenticate(key)
    assert found is not None
    assert (found.user, found.scopes) == (stranger, ["read", "review"])


def test_the_key_itself_is_not_stored(key: str) -> None:
    row = ApiKey.objects.values().get()
    assert key not in str(row)
    assert row["prefix"] == key[:8]
    assert len(row["key_hash"]) == 64


def test_two_keys_differ(key: str, stranger: User) -> None:
    assert api_keys.create(stranger, name="script", scopes=["read"]) != key


@pytest.mark.parametrize("wrong", ["", "x", "é\udcff", "0" * 64, "a" * 10_000])
def test_a_wrong_key_is_nobodys(key: str, wrong: str) -> None:
    assert api_keys.authenticate(wrong) is None


def test_the_hash_of_a_key_is_no_key(key: str) -> None:
    assert api_keys.authenticate(ApiKey.objects.get().key_hash) is None


def test_an_expired_key_is_refused(stranger: User) -> None:
    key = api_keys.create(stranger, name="old", scopes=["read"], expires_at=timezone.now() - timedelta(seconds=1))
    assert api_keys.authenticate(key) is None


def test_a_revoked_key_is_refused(key: str) -> None:
    assert api_keys.revoke([ApiKey.objects.get().pk]) == 1
    assert api_keys.authenticate(key) is None


def test_a_key_ends_with_its_user(key: str, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert api_keys.authenticate(key) is None


def test_the_first_use_is_noted(key: str) -> None:
    api_keys.authenticate(key)
    assert ApiKey.objects.get().last_used_at is not None


def test_a_second_use_within_a_minute_writes_nothing(key: str, django_assert_num_queries) -> None:
    api_keys.authenticate(key)
    with django_assert_num_queries(1):
        api_keys.authenticate(key)


def test_a_use_after_a_minute_is_noted_again(key: str) -> None:
    before = timezone.now() - timedelta(minutes=2)
    ApiKey.objects.update(last_used_at=before)
    api_keys.authenticate(key)
    assert ApiKey.objects.get().last_used_at > before


@pytest.mark.parametrize("scopes", [[], ["fly"], ["read", "fly"]])
def test_a_scope_must_exist(stranger: User, scopes: list[str]) -> None:
    with pytest.raises(api_keys.UnknownScope, match="read, label, review, manage"):
        api_keys.create(stranger, name="script", scopes=scopes)
    assert not ApiKey.objects.exists()


def test_the_admin_shows_the_prefix_and_neither_key_nor_hash(client: Client, manager: User, key: str) -> None:
    client.force_login(manager)
    row = ApiKey.objects.get()
    for page in (reverse("admin:labeling_apikey_changelist"), reverse("admin:labeling_apikey_change", args=[row.pk])):
        content = client.get(page).content.decode()
        assert f"{key[:8]}..." in content
        assert key not in content
        assert row.key_hash not in content


def test_the_admin_revokes_a_key(client: Client, manager: User, key: str) -> None:
    client.force_login(manager)
    form = {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]}
    client.post(reverse("admin:labeling_apikey_changelist"), form)
    assert api_keys.authenticate(key) is None


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_the_admin_neither_changes_nor_deletes_a_key(client: Client, manager: User, key: str, verb: str) -> None:
    client.force_login(manager)
    url = reverse(f"admin:labeling_apikey_{verb}", args=[ApiKey.objects.get().pk])
    assert client.post(url, {"scopes": "[]", "post": "yes"}).status_code == 403
    assert ApiKey.objects.get().scopes == ["read", "review"]
