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


def test_a_provider_that_is_not_there_is_a_warning(settings: LazySettings) -> None:
    settings.LLM_PROVIDER = "ollama"
    assert ids() == ["labeling.W001"]


def test_huggingface_needs_the_name_of_a_model(settings: LazySettings) -> None:
    settings.LLM_PROVIDER = "huggingface"
    settings.HUGGINGFACE_MODEL = ""
    assert ids() == ["labeling.W002"]
