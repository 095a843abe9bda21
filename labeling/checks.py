"""System checks: wrong settings are reported with an id and a hint that names the key."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

NEEDED = (  # id, value of LLM_PROVIDER, key that it needs, example
    ("labeling.W002", "huggingface", "HUGGINGFACE_MODEL", "BAAI/bge-small-en-v1.5"),
    ("labeling.W003", "ollama", "OLLAMA_MODEL", "qwen3:4b"),
    ("labeling.W004", "free_api", "FREE_API_URL", "http://localhost:8080/v1"),
    ("labeling.W005", "free_api", "FREE_API_MODEL", "the name that the server gives its model"),
)


@register
def environment_values_are_usable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(wrong.message, hint=wrong.hint, id="labeling.E001") for wrong in settings.WRONG_VALUES]


@register
def provider_is_configured(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warnings, not errors: importing, reviewing and exporting work without a model."""
    return [
        Warning(
            f"LLM_PROVIDER is {alias}, but {key} is not set: nothing can be labeled.",
            hint=f"Set {key}, for example to {example}, and run: python manage.py providers check {alias}",
            id=identifier,
        )
        for identifier, alias, key, example in NEEDED
        if alias == settings.LLM_PROVIDER and not getattr(settings, key)
    ]
