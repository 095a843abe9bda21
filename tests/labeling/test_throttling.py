"""Limits of requests a minute, over all processes."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from labeling import api_keys, throttling
from labeling.models import RequestCount

pytestmark = pytest.mark.django_db

NOW = 1_800_000_030.0  # half a minute is gone


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    time = [NOW]
    monkeypatch.setattr("labeling.throttling.time.time", lambda: time[0])
    throttling.forget_all()
    yield time
    throttling.forget_all()


def client_of(user: User, **more: str) -> Client:
    key = api_keys.create(user, name="script", scopes=["read"])
    return Client(headers={"Authorization": f"Bearer {key}", **more})


def statuses(client: Client, times: int) -> list[int]:
    return [client.get("/api/runs").status_code for _ in range(times)]


def test_a_key_is_stopped_after_its_requests_of_the_minute(settings: LazySettings, mia: User, clock) -> None:
    settings.API_RATE_PER_KEY = 3
    api = client_of(mia)
    assert statuses(api, 4) == [200, 200, 200, 429]
    answer = api.get("/api/runs")
    assert (answer["Retry-After"], answer.json()["code"]) == ("30", "throttled")
    clock[0] += 30
    assert statuses(api, 1) == [200]


def test_each_key_has_a_limit_of_its_own(settings: LazySettings, mia: User) -> None:
    settings.API_RATE_PER_KEY = 2
    assert statuses(client_of(mia), 3) == [200, 200, 429]
    assert statuses(client_of(mia), 1) == [200]


def test_processes_share_a_limit(settings: LazySettings, mia: User) -> None:
    settings.API_RATE_PER_KEY = 100
    api, answered = client_of(mia), 0
    while api.get("/api/runs").status_code == 200:
        answered += 1
        if answered % 3 == 0:
            throttling.forget_all()  # as another process, which has nothing in hand
    assert 67 <= answered <= 100  # what is left in a hand is lost, and never is there more
    assert RequestCount.objects.get().taken == 100


def test_most_requests_do_not_ask_the_database(settings: LazySettings, mia: User, django_assert_num_queries) -> None:
    settings.API_RATE_PER_KEY = 500
    throttling._spend("key:1", 500)
    with django_assert_num_queries(0):
        for _ in range(9):
            throttling._spend("key:1", 500)


def test_guessing_keys_is_slowed_down(settings: LazySettings, client: Client) -> None:
    settings.API_RATE_PER_ADDRESS = 2
    guesses = [client.get("/api/runs", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(3)]
    assert guesses == [401, 401, 429]


def test_an_address_cannot_be_made_up(settings: LazySettings, client: Client) -> None:
    settings.API_RATE_PER_ADDRESS = 1
    found = [client.get("/api/runs", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(2)]
    assert found == [401, 429]


def test_counts_of_who_does_not_come_any_more_are_forgotten(settings: LazySettings) -> None:
    throttling._spend("key:1", 10)
    assert throttling.forget_old(NOW + 3600) == 0
    assert throttling.forget_old(NOW + 2 * 24 * 3600) == 1
