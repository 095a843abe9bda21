import pytest

from labeling import annotations, execution, runs, training
from labeling.choices import ClassifierKind, TextStatus
from labeling.models import Classifier, Label, Project, Text
from labeling.training import CannotTrain, train

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

# What the words say has nothing to do with the names of the categories: only reviews can teach it.
WORDS = {"Sports": "apple", "Business": "pear", "Weather": "plum"}


@pytest.fixture
def labeled(project: Project, add_texts, manager) -> Project:
    """Sixty texts that the model cannot tell apart, of which people decided thirty."""
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    for name, word in WORDS.items():
        texts = add_texts(project, *(f"{word} number{n} {name.lower()[:1]}{n}" for n in range(20)))
        text_ids = [text.pk for text in texts[:10]]
        Text.objects.filter(pk__in=text_ids).update(external_id=name)
    execution.execute(runs.start(project))
    for text in project.texts.exclude(external_id=""):
        decide(text, manager)
    return project


def decide(text: Text, user) -> None:
    category = text.project.categories.get(name=text.external_id)
    label = annotations.record_human_label(text, category, annotator=user)
    annotations.hold(text, label_id=label.pk, reviewed_by=user)


def answers(project: Project) -> dict[str, str]:
    open_texts = project.texts.exclude(status=TextStatus.REVIEWED)
    return dict(open_texts.values_list("content", "current_label__category__name"))


def test_reviews_teach_what_the_names_do_not_say(labeled: Project) -> None:
    made = train(labeled)
    assert (made.kind, made.is_active, made.fitted_on["reviews"]) == (ClassifierKind.LEARNED, True, 30)
    execution.execute(runs.start(labeled, relabel=True))
    right = [WORDS[name] == content.split()[0] for content, name in answers(labeled).items()]
    assert sum(right) / len(right) >= 0.9


def test_the_quality_is_measured_on_texts_not_seen(labeled: Project) -> None:
    quality = train(labeled).quality
    assert quality["accuracy"] > 0.8
    assert {"macro_f1", "log_loss", "ece", "brier", "categories"} <= quality.keys()
    assert [one["n"] for one in quality["categories"]] == [10, 10, 10]


def test_the_reliability_diagram_is_kept(labeled: Project) -> None:
    quality = train(labeled).quality
    points = quality["reliability"]
    assert 1 <= len(points) <= 15
    assert sum(point["share"] for point in points) == pytest.approx(1, abs=0.01)
    gaps = sum(point["share"] * abs(point["confidence"] - point["accuracy"]) for point in points)
    assert gaps == pytest.approx(quality["ece"], abs=0.001)


def test_decided_texts_are_not_labeled_again(labeled: Project) -> None:
    train(labeled)
    before = dict(labeled.texts.filter(status=TextStatus.REVIEWED).values_list("pk", "current_label"))
    execution.execute(runs.start(labeled, relabel=True))
    assert dict(labeled.texts.filter(pk__in=before).values_list("pk", "current_label")) == before


def test_the_blind_audit_does_not_teach(labeled: Project) -> None:
    labeled.texts.filter(external_id="Sports").update(is_audit=True)
    assert train(labeled).fitted_on["reviews"] == 20


def test_each_training_is_a_new_version(labeled: Project) -> None:
    first, second = train(labeled), train(labeled)
    assert second.version == first.version + 1
    assert second.quality["previous_version"] == first.version


def test_a_head_that_is_worse_on_new_reviews_is_kept_but_not_used(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(labeled)
    for text in labeled.texts.filter(external_id="")[:15]:
        Text.objects.filter(pk=text.pk).update(
            external_id=next(name for name, word in WORDS.items() if text.content.startswith(word))
        )
        decide(Text.objects.get(pk=text.pk), manager)
    monkeypatch.setattr(training, "log_losses", lambda *_: (0.9, 0.1))
    second = train(labeled)
    assert (second.is_active, second.quality["compared_on"]) == (False, 15)
    execution.execute(runs.start(labeled, relabel=True))
    assert set(Label.objects.filter(run__relabel=True).values_list("classifier", flat=True)) == {first.pk}


def test_few_reviews_are_refused_with_what_is_missing(project: Project, add_texts, manager) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, "sports")
    execution.execute(runs.start(project))
    with pytest.raises(CannotTrain, match="Review 10 first"):
        train(project)


def test_a_provider_without_embeddings_is_refused(labeled: Project) -> None:
    labeled.provider = "scores"
    with pytest.raises(CannotTrain, match="no embeddings"):
        train(labeled)


def test_labels_are_called_calibrated_once_there_are_enough_reviews(
    labeled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "ENOUGH_TO_CALIBRATE", 30)
    train(labeled)
    execution.execute(runs.start(labeled, relabel=True))
    assert set(Label.objects.filter(run__relabel=True).values_list("is_calibrated", flat=True)) == {True}
    assert Classifier.objects.latest("version").quality["is_calibrated"] is True
