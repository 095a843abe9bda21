"""How projects ask models that follow instructions: versions of their prompts, and providers that are told them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from labeling.classifiers import specs
from labeling.few_shot import FewShot, newest_examples
from labeling.models import Category, LabelingRun, Project, PromptVersion
from labeling.providers import get_provider
from labeling.providers.base import Prompt, Provider, ProviderError
from labeling.providers.hypotheses import hypotheses
from labeling.providers.prompting import Briefing, Form, Message
from labeling.providers.told import Told

MOST_HYPOTHESES = 8  # that a preview shows

Said = TypeVar("Said")


def provider_for(project: Project, alias: str = "") -> Provider:
    """The provider of this alias, by default the project's own, told how the project asks now. Raises ProviderError."""
    return provider_and_version(project, alias)[0]


def provider_and_version(
    project: Project, alias: str = "", *, patience: float | None = None
) -> tuple[Provider, int | None]:
    """The same with the version of the prompt, if the project has one. Raises ProviderError as `get_provider` does."""
    values = snapshot(project)
    provider = get_provider(alias or project.provider_alias, patience=patience)
    return _told(project, provider, values), values["version"]


def provider_of(run: LabelingRun) -> Provider:
    """The run's provider, told how the project asked when the run was started. Raises ProviderError."""
    return _told(run.project, get_provider(run.provider), run.prompt or snapshot(run.project), run.categories)


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


def _told(
    project: Project, provider: Provider, values: dict[str, Any], categories: Sequence[Mapping[str, Any]] | None = None
) -> Provider:
    """With examples of these categories, by default of those that the project has now."""
    if not provider.can_be_told:
        return provider
    prompt = _prompt(values)
    if not values["examples"]:
        return Told(provider, prompt)
    until = datetime.fromisoformat(values["examples_until"])
    offered: Sequence[Mapping[str, Any]] = project.category_snapshot() if categories is None else categories
    names = {category["id"]: category["name"] for category in offered}
    few = FewShot(project, count=values["examples"], until=until, names=names)
    return Told(provider, prompt, choose=few, key=few.key)


def _prompt(values: dict[str, Any]) -> Prompt:
    return Prompt(**{field.name: values[field.name] for field in fields(Prompt)})


@dataclass(frozen=True)
class Preview:
    """What models would be told about one of the project's texts; where a part cannot be, its error says why.

    `messages` are for chat models, `hypotheses` for models that judge whether a text entails a sentence: the first few.
    """

    text_id: int | None
    messages: list[Message]
    error: str
    hypotheses: list[str]
    hypothesis_error: str
    more_hypotheses: int


def preview(draft: PromptVersion, *, text_id: int | None = None, is_next: bool = False) -> Preview:
    """What models would be told by this draft about a text of the project, or about the one after it.

    Examples are the newest decided texts: to find the most similar ones takes a model.
    """
    shown_id, content = _text_to_show(draft.project, text_id, is_next=is_next)
    categories = draft.project.active_categories()
    messages, error = _said(lambda: _messages(draft, categories, content))
    names = [category.name for category in categories]
    sentences, hypothesis_error = _said(lambda: hypotheses(names, draft.hypothesis))
    shown = sentences[:MOST_HYPOTHESES]
    return Preview(shown_id, messages, error, shown, hypothesis_error, len(sentences) - len(shown))


def _said(ask: Callable[[], list[Said]]) -> tuple[list[Said], str]:
    try:
        return ask(), ""
    except ProviderError as reason:
        return [], str(reason)


def _messages(draft: PromptVersion, categories: Sequence[Category], content: str) -> list[Message]:
    values = {**snapshot(draft.project), "template": draft.template, "wants_reason": draft.wants_reason}
    form = Form(tuple(category.name for category in categories), wants_reason=draft.wants_reason)
    names = {category.pk: category.name for category in categories}
    examples = newest_examples(draft.project, draft.examples, names=names)
    return Briefing(_prompt(values), specs(categories), form).messages([content], examples)


def _text_to_show(project: Project, text_id: int | None, *, is_next: bool) -> tuple[int | None, str]:
    """In the order of the hashes, which is a random one, and from its beginning again after the last."""
    texts = project.texts.order_by("content_hash").values_list("pk", "content")
    found = None
    if text_id is not None and is_next:
        before = project.texts.filter(pk=text_id).values_list("content_hash", flat=True).first()
        found = texts.filter(content_hash__gt=before or "").first()
    elif text_id is not None:
        found = texts.filter(pk=text_id).first()
    return found or texts.first() or (None, "(The project has no text.)")


@transaction.atomic
def save(prompt: PromptVersion, *, user: AbstractBaseUser | None = None) -> PromptVersion:
    """Keep a new version of a project's prompt, which holds from now on. Runs that have begun keep theirs."""
    Project.objects.select_for_update().get(pk=prompt.project_id)  # so that no version number is given twice
    newest = PromptVersion.objects.filter(project=prompt.project).aggregate(newest=Max("version"))["newest"]
    prompt.version = (newest or 0) + 1
    prompt.created_by_id = user.pk if user else None
    prompt.save()
    return prompt
