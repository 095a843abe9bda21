from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from labeling.providers.base import ProviderError
from labeling.providers.statuses import Reader, SettingNames, TextRefused, seconds_to_wait

KEY = "sk-secret"
READER = Reader("http://server", SettingNames(url="THE_URL", model="THE_MODEL", key="THE_KEY"), KEY)


def refusal(response: httpx.Response) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        READER.read(response, lambda answer: answer["found"])
    return caught.value


def openai_error(status: int, **error: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "No.", **error}})


def test_a_good_response_is_read() -> None:
    assert READER.read(httpx.Response(200, json={"found": 7}), lambda answer: answer["found"]) == 7


@pytest.mark.parametrize(
    ("status", "setting"), [(401, "THE_KEY"), (403, "THE_KEY"), (402, "THE_KEY"), (404, "THE_MODEL"), (410, "THE_URL")]
)
def test_what_stays_is_permanent_and_names_the_setting(status: int, setting: str) -> None:
    error = refusal(openai_error(status))
    assert error.permanent
    assert not isinstance(error, TextRefused)
    assert setting in str(error)


def test_a_quota_that_is_used_up_is_permanent_although_openai_sends_it_as_too_many_requests() -> None:
    error = refusal(openai_error(429, code="insufficient_quota"))
    assert error.permanent
    assert "quota" in str(error)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_temporary(status: int) -> None:
    assert not refusal(openai_error(status)).permanent


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_about_the_text_fails_that_text_with_the_servers_words(status: int) -> None:
    error = refusal(httpx.Response(status, json={"detail": "the prompt is too long"}))
    assert isinstance(error, TextRefused)
    assert "the prompt is too long" in str(error)


def test_a_moved_address_is_told() -> None:
    error = refusal(httpx.Response(301, headers={"location": "https://elsewhere"}))
    assert error.permanent
    assert "https://elsewhere" in str(error)
    assert "THE_URL" in str(error)


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_instead_of_json_is_temporary_and_shown_as_words(status: int) -> None:
    page = "<html><style>p { color: red }</style><h1>Bad\n gateway</h1>" + "<p>so sorry</p>" * 500
    error = refusal(httpx.Response(status, html=page))
    assert not error.permanent
    assert "Bad gateway" in str(error)
    assert "<" not in str(error)
    assert "color" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize("content", [b"", b'{"found": ', b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_json_of_another_kind_is_temporary(content: bytes) -> None:
    assert not refusal(httpx.Response(200, content=content)).permanent


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500])
def test_the_key_is_not_shown_when_the_server_repeats_it(status: int) -> None:
    assert KEY not in str(refusal(httpx.Response(status, json={"error": f"Wrong key {KEY}."})))


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(READER)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "model is loading"}, "model is loading"),
        ({"error": {"message": "no such user"}}, "no such user"),
        ({"message": "slow down"}, "slow down"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
    ],
)
def test_the_servers_words_are_found_wherever_it_puts_them(body: Any, words: str) -> None:
    assert words in str(refusal(httpx.Response(400, json=body)))


def test_retry_after_is_read_as_seconds() -> None:
    assert seconds_to_wait(httpx.Response(429, headers={"retry-after": "17"})) == 17


def test_retry_after_is_read_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < seconds_to_wait(httpx.Response(503, headers={"retry-after": date})) <= 30


def test_a_date_that_is_past_is_no_wait() -> None:
    assert seconds_to_wait(httpx.Response(503, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})) == 0


def test_a_model_that_loads_says_how_long() -> None:
    response = httpx.Response(503, json={"error": "Model is currently loading", "estimated_time": 12.5})
    assert seconds_to_wait(response) == 12.5


@pytest.mark.parametrize("asked", ["soon", "-5", "", "nan"])
def test_a_wait_that_makes_no_sense_is_none(asked: str) -> None:
    assert seconds_to_wait(httpx.Response(429, headers={"retry-after": asked})) == 0


def test_a_good_response_asks_for_no_wait() -> None:
    assert seconds_to_wait(httpx.Response(200, headers={"retry-after": "17"})) == 0
