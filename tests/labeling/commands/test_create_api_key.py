"""`create_api_key`: prints the key and nothing else, and says what is wrong."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from labeling import api_keys
from labeling.models import ApiKey

pytestmark = pytest.mark.django_db
REST = ("--name", "script", "--scopes")


def test_it_prints_only_a_key_that_works(stranger: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "stranger", *REST, "read, review")
    printed = capsys.readouterr().out
    found = api_keys.authenticate(printed.strip())
    assert printed.count("\n") == 1
    assert found is not None
    assert (found.user, found.name, found.scopes, found.expires_at) == (stranger, "script", ["read", "review"], None)


def test_a_key_ends_after_the_days_given(stranger: User) -> None:
    call_command("create_api_key", "stranger", *REST, "read", "--expires-days", "30")
    left = ApiKey.objects.get().expires_at - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


def test_an_unknown_user_is_told_how_to_make_one(db: None) -> None:
    with pytest.raises(CommandError, match=r"There is no user 'nobody'.*createsuperuser"):
        call_command("create_api_key", "nobody", *REST, "read")


def test_a_user_who_cannot_sign_in_gets_no_key(stranger: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="not active"):
        call_command("create_api_key", "stranger", *REST, "read")


@pytest.mark.parametrize("scopes", ["fly", "read,fly", "", ","])
def test_an_unknown_scope_is_told_the_known_ones(stranger: User, scopes: str) -> None:
    with pytest.raises(CommandError, match="read, label, review, manage"):
        call_command("create_api_key", "stranger", *REST, scopes)


@pytest.mark.parametrize("days", ["0", "-1", "3651", "999999999999"])
def test_days_out_of_range_are_refused(stranger: User, days: str) -> None:
    with pytest.raises(CommandError, match="1 to 3650"):
        call_command("create_api_key", "stranger", *REST, "read", f"--expires-days={days}")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_is_needed(stranger: User, name: str) -> None:
    with pytest.raises(CommandError, match="--name"):
        call_command("create_api_key", "stranger", "--name", name, "--scopes", "read")
