"""How projects ask models that follow instructions: versions of their prompts, and providers that are told them."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from labeling.classifiers import specs
from labeling.few_shot import FewShot, newest_examples
from labeling.models import LabelingRun, Project, PromptVersion
from labeling.providers import get_provider
from labeling.providers.base import Prompt, Provider
from labeling.providers.prompting import Briefing, Form, Message
from labeling.providers.told import Told


def provider_for(project: Project, alias: str = "") -> Provider:
    """The provider of this alias, by default the project's own, told how the project asks now. Raises ProviderError."""
    return provider_and_version(project, alias)[0]


def provider_and_version(project: Project, alias: str = "") -> tuple[Provider, int | None]:
    """The same with the version of the prompt, if the project has one. Raises ProviderError."""
    values = snapshot(project)
    return _told(project, get_provider(alias or project.provider_alias), values), values["version"]


def provider_of(run: LabelingRun) -> Provider:
    """The run's provider, told how the project asked when the run was started. Raises ProviderError."""
    return _told(run.project, get_provider(run.provider), run.prompt or snapshot(run.project))


def snapshot(project: Project) -> dict[str, Any]:
    """How the project asks now, as plain values that a run keeps: those of `Prompt`, and the version."""
    newest = project.prompts.first()
    return {
        "version": newest.version if newest else None,
        "instructions": project.instructions,
        "template": newest.template if newest else "",
        "hypothesis": newest.hypothesis if newest else "",
        "wants_reason": newest.wants_reason if newest else False,
        "examples": newest.examples if newest else 0,
        "examples_until": newest.created_at.isoformat() if newest else None,
    }


def _told(project: Project, provider: Provider, values: dict[str, Any]) -> Provider:
    if not provider.can_be_told:
        return provider
    prompt = _prompt(values)
    if not values["examples"]:
        return Told(provider, prompt)
    few = FewShot(project, count=values["examples"], until=datetime.fromisoformat(values["examples_until"]))
    return Told(provider, prompt, choose=few, key=few.key)


def _prompt(values: dict[str, Any]) -> Prompt:
    return Prompt(**{field.name: values[field.name] for field in fields(Prompt)})


def preview(draft: PromptVersion) -> list[Message]:
    """What a chat model would be told about one of the project's texts. Raises ProviderError for a wrong template.

    Examples are the newest decided texts: to find the most similar ones takes a model.
    """
    project = draft.project
    categories = project.active_categories()
    values = {**snapshot(project), "template": draft.template, "wants_reason": draft.wants_reason}
    form = Form(tuple(category.name for category in categories), wants_reason=draft.wants_reason)
    text = project.texts.order_by("content_hash").values_list("content", flat=True).first()
    examples = newest_examples(project, draft.examples)
    return Briefing(_prompt(values), specs(categories), form).messages([text or "(The project has no text.)"], examples)


@transaction.atomic
def save(prompt: PromptVersion, *, user: AbstractBaseUser | None = None) -> PromptVersion:
    """Keep a new version of a project's prompt, which holds from now on. Runs that have begun keep theirs."""
    Project.objects.select_for_update().get(pk=prompt.project_id)  # so that no version number is given twice
    newest = PromptVersion.objects.filter(project=prompt.project).aggregate(newest=Max("version"))["newest"]
    prompt.version = (newest or 0) + 1
    prompt.created_by_id = user.pk if user else None
    prompt.save()
    return prompt
