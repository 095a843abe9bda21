import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from labeling import answering, execution, prompts, runs
from labeling.models import Embedding, Label, Project, PromptVersion, Text
from labeling.providers import get_provider
from labeling.providers.base import Example, Prompt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def texts(project: Project, add_texts) -> list[Text]:
    Project.objects.filter(pk=project.pk).update(instructions="Read twice.")
    project.refresh_from_db()
    return list(add_texts(project, "sports news", "business news"))


def asked_with() -> list[Prompt]:
    return get_provider("obedient").prompts  # type: ignore[attr-defined, no-any-return]


def shown() -> list[list[Example]]:
    return get_provider("obedient").examples  # type: ignore[attr-defined, no-any-return]


def test_without_a_prompt_the_project_gives_its_guidelines(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="obedient"))
    assert asked_with() == [Prompt(instructions="Read twice.")]
    assert set(Label.objects.values_list("prompt_version", flat=True)) == {None}


def test_the_newest_version_holds_and_labels_name_it(project: Project, texts: list[Text]) -> None:
    prompts.save(PromptVersion(project=project, template="Old {text}"))
    prompts.save(PromptVersion(project=project, template="Sort this: {text}", hypothesis="It is {}."))
    execution.execute(runs.start(project, provider="obedient"))
    assert asked_with()[0].template == "Sort this: {text}"
    assert set(Label.objects.values_list("prompt_version", flat=True)) == {2}


def test_a_run_keeps_the_prompt_of_its_start(project: Project, texts: list[Text]) -> None:
    run = runs.start(project, provider="obedient")
    prompts.save(PromptVersion(project=project, template="Too late: {text}"))
    execution.execute(run)
    assert asked_with()[0].template == ""


def test_another_prompt_is_another_question(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="obedient"))
    prompts.save(PromptVersion(project=project, template="Sort this: {text}"))
    execution.execute(runs.start(project, provider="obedient", relabel=True))
    assert Embedding.objects.count() == 4
    assert len(asked_with()) == 2


def test_the_same_prompt_is_not_asked_again(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="obedient"))
    execution.execute(runs.start(project, provider="obedient", relabel=True))
    assert len(asked_with()) == 1


def test_a_provider_that_follows_no_prompt_does_not_mind_it(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="scores"))
    prompts.save(PromptVersion(project=project, template="Sort this: {text}"))
    execution.execute(runs.start(project, provider="scores", relabel=True))
    assert Embedding.objects.count() == 2


def test_one_text_is_answered_by_the_prompt_too(project: Project, texts: list[Text]) -> None:
    prompts.save(PromptVersion(project=project, template="Sort this: {text}"))
    answering.answer(project, "more sports", provider="obedient")
    assert asked_with()[0].template == "Sort this: {text}"


def test_versions_are_numbered_and_say_who_made_them(project: Project, django_user_model: type[User]) -> None:
    user = django_user_model.objects.create_user("maria")
    made = [prompts.save(PromptVersion(project=project), user=user) for _ in range(2)]
    assert [(prompt.version, prompt.created_by) for prompt in made] == [(1, user), (2, user)]


def test_a_text_of_a_retired_category_is_no_example(project: Project, texts: list[Text], decide) -> None:
    decide("rain all day", "Weather")
    decide("match on sunday", "Sports")
    project.categories.filter(name="Weather").update(is_active=False)
    prompts.save(PromptVersion(project=project, examples=3))
    execution.execute(runs.start(project, provider="obedient"))
    answering.answer(project, "more rain", provider="obedient")
    assert {example.category for examples in shown() for example in examples} == {"Sports"}


def test_examples_name_the_categories_as_the_run_does(project: Project, texts: list[Text], decide) -> None:
    decide("match on sunday", "Sports")
    prompts.save(PromptVersion(project=project, examples=3))
    run = runs.start(project, provider="obedient")
    project.categories.filter(name="Sports").update(name="Games", is_active=False)
    execution.execute(run)
    assert shown()[0] == [Example("match on sunday", "Sports")]


def test_the_preview_shows_no_example_of_a_retired_category(project: Project, texts: list[Text], decide) -> None:
    decide("rain all day", "Weather")
    project.categories.filter(name="Weather").update(is_active=False)
    shown = prompts.preview(PromptVersion(project=project, examples=3))
    assert not any("rain all day" in message["content"] for message in shown.messages)


def test_decided_texts_are_shown_where_the_prompt_asks_for_them(
    project: Project, texts: list[Text], decide, settings: LazySettings
) -> None:
    settings.LABELING_ENCODER = "keyword"
    decide("sports yesterday", "Sports")
    prompts.save(PromptVersion(project=project, examples=3))
    execution.execute(runs.start(project, provider="obedient"))
    assert get_provider("obedient").examples[0] == [Example("sports yesterday", "Sports")]  # type: ignore[attr-defined]
