import pytest
from django.conf import LazySettings
from django.core.checks import run_checks

from labeling_site.environment import WrongValue


def ids() -> list[str]:
    return [message.id for message in run_checks() if message.id and message.id.startswith("labeling.")]


def test_the_defaults_pass() -> None:
    assert ids() == []


def test_a_wrong_environment_value_is_an_error_that_names_the_key(settings: LazySettings) -> None:
    settings.WRONG_VALUES = [WrongValue("PORT", "PORT has a value that cannot be used.", "Set PORT. Use a number.")]
    (message,) = [m for m in run_checks() if m.id == "labeling.E001"]
    assert "PORT" in message.msg
    assert "Set PORT" in (message.hint or "")


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("huggingface", ["labeling.W002"]),
        ("ollama", ["labeling.W003"]),
        ("free_api", ["labeling.W004", "labeling.W005"]),
    ],
)
def test_a_provider_without_what_it_needs_is_a_warning(settings: LazySettings, alias: str, expected: list[str]) -> None:
    settings.LLM_PROVIDER = alias
    settings.HUGGINGFACE_MODEL = settings.OLLAMA_MODEL = settings.FREE_API_URL = settings.FREE_API_MODEL = ""
    assert ids() == expected


def test_a_provider_with_what_it_needs_passes(settings: LazySettings) -> None:
    settings.LLM_PROVIDER = "ollama"
    settings.OLLAMA_MODEL = "qwen3:4b"
    assert ids() == []
