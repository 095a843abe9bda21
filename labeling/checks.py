"""System checks: wrong settings are reported with an id and a hint that names the key."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register
def environment_values_are_usable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(wrong.message, hint=wrong.hint, id="labeling.E001") for wrong in settings.WRONG_VALUES]


@register
def provider_is_configured(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LLM_PROVIDER not in settings.LABELING_PROVIDERS:
        known = ", ".join(settings.LABELING_PROVIDERS)
        return [
            Warning(  # not an error: importing, reviewing and exporting work without a model
                f"LLM_PROVIDER is {settings.LLM_PROVIDER}, which this version does not have: nothing can be labeled.",
                hint=f"Set LLM_PROVIDER to one of: {known}.",
                id="labeling.W001",
            )
        ]
    if settings.LLM_PROVIDER == "huggingface" and not settings.HUGGINGFACE_MODEL:
        return [
            Warning(
                "LLM_PROVIDER is huggingface, but no model is named: nothing can be labeled.",
                hint="Set HUGGINGFACE_MODEL to a model's name, for example BAAI/bge-small-en-v1.5.",
                id="labeling.W002",
            )
        ]
    return []
