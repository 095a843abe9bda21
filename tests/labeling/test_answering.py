import pytest
from django.contrib.auth.models import User

from labeling import annotations, answering, execution, runs, training
from labeling.models import Embedding, Label, Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


def category(project: Project, text: str, provider: str = "keyword") -> str:
    pk = answering.answer(project, text, provider=provider).category_id
    return project.categories.get(pk=pk).name


def test_a_project_without_a_classifier_answers_by_its_categories_words(project: Project) -> None:
    assert category(project, "a report on business") == "Business"


def test_the_newest_classifier_answers(project: Project, add_texts) -> None:
    add_texts(project, *(f"weather report {n} storm" for n in range(30)), *(f"sports {n} match" for n in range(30)))
    execution.execute(runs.start(project, provider="keyword"))
    assert category(project, "a storm is coming") == "Weather"  # learned from the pool: no category has the word


def test_the_answer_says_why(project: Project) -> None:
    answer = answering.answer(project, "a report on business", provider="keyword")
    assert "because of: business" in answer.explanation
    assert answer.evidence[0][:2] == (12, 20)


def test_nothing_is_stored(project: Project) -> None:
    answering.answer(project, "a report on business", provider="keyword")
    assert not (Embedding.objects.exists() or Label.objects.exists() or project.texts.exists())


def test_a_provider_that_only_scores_answers_too(project: Project) -> None:
    assert category(project, "a report on business", provider="scores") == "Business"


def test_what_reviews_taught_about_a_provider_that_only_scores_holds_here_too(
    project: Project, add_texts, manager: User
) -> None:
    Project.objects.filter(pk=project.pk).update(provider="scores")
    project.refresh_from_db()
    texts = add_texts(project, *(f"{word} {n}" for n in range(10) for word in ("goal", "market", "storm")))
    execution.execute(runs.start(project))
    for place, text in enumerate(texts):
        label = annotations.record_human_label(text, project.active_categories()[place % 3], annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    training.train(project)
    kept = Embedding.objects.count()
    assert category(project, "a market day", provider="scores") == "Business"
    assert Embedding.objects.count() == kept


def test_a_project_without_categories_is_told_what_to_do() -> None:
    with pytest.raises(runs.NoActiveCategories):
        answering.answer(Project.objects.get(name="Default"), "some text", provider="keyword")


def test_what_answers_is_looked_up_once_a_second(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LOOK_SECONDS", 60.0)
    answering._models.clear()
    assert category(project, "a report on business") == "Business"
    project.categories.filter(name="Business").update(is_active=False)
    assert category(project, "a report on business") == "Business"
    monkeypatch.setattr(answering, "LOOK_SECONDS", 0.0)
    assert category(project, "a report on business") != "Business"
