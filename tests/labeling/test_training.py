import pytest

from labeling import annotations, classifiers, execution, runs, training
from labeling.choices import ClassifierKind, TextStatus
from labeling.models import Classifier, Embedding, Label, Project, Text
from labeling.providers import get_provider
from labeling.providers.base import ProviderError
from labeling.training import CannotTrain, train
from tests.fakes import KeywordEncoder

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


@pytest.fixture
def answered(labeled: Project) -> Project:
    """The same texts, labeled again by a provider that only answers, and that cannot tell them apart either."""
    Project.objects.filter(pk=labeled.pk).update(provider="scores")
    labeled.refresh_from_db()
    execution.execute(runs.start(labeled, relabel=True))
    return labeled


def share_right(project: Project) -> float:
    right = [WORDS[name] == content.split()[0] for content, name in answers(project).items()]
    return sum(right) / len(right)


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
    assert share_right(labeled) >= 0.9


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


def test_a_head_for_reworded_categories_is_compared_on_all_reviews_with_one_that_learned_from_none(
    labeled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled.categories.filter(name="Sports").update(description="Games and those who play them.")
    monkeypatch.setattr(training, "log_losses", lambda *_: (0.9, 0.1))
    made = train(labeled)
    assert (made.is_active, made.quality["compared_on"]) == (False, 30)


def test_few_reviews_are_refused_with_what_is_missing(project: Project, add_texts, manager) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, "sports")
    execution.execute(runs.start(project))
    with pytest.raises(CannotTrain, match="Review 10 first"):
        train(project)


def test_texts_that_a_provider_never_answered_about_are_counted_not_guessed(labeled: Project) -> None:
    labeled.provider = "scores"
    with pytest.raises(CannotTrain, match=r"^0 reviewed texts can be learned from.* 30 more were not read"):
        train(labeled)


def test_a_provider_without_embeddings_needs_an_encoder_that_has_them(answered: Project, settings) -> None:
    settings.LABELING_ENCODER = "scores"
    with pytest.raises(ProviderError, match="LABELING_ENCODER is 'scores'"):
        train(answered)


def test_labels_are_called_calibrated_once_there_are_enough_reviews(
    labeled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "ENOUGH_TO_CALIBRATE", 30)
    train(labeled)
    execution.execute(runs.start(labeled, relabel=True))
    assert set(Label.objects.filter(run__relabel=True).values_list("is_calibrated", flat=True)) == {True}
    assert Classifier.objects.latest("version").quality["is_calibrated"] is True


# --- Providers that only answer ---------------------------------------------------------------------------------------


def test_reviews_teach_what_a_provider_without_embeddings_does_not_know(answered: Project) -> None:
    assert share_right(answered) < 0.5
    made = train(answered)
    assert (made.kind, made.is_active, made.fitted_on["reviews"]) == (ClassifierKind.LEARNED, True, 30)
    execution.execute(runs.start(answered, relabel=True))
    assert share_right(answered) >= 0.9


def test_learning_and_labeling_again_ask_the_provider_nothing(answered: Project) -> None:
    before = get_provider("scores").texts_encoded
    train(answered)
    execution.execute(runs.start(answered, relabel=True))
    train(answered)
    assert get_provider("scores").texts_encoded == before


def test_the_vectors_beside_the_answers_are_computed_once(answered: Project) -> None:
    Embedding.objects.filter(model_fingerprint=KeywordEncoder.fingerprint).delete()
    train(answered)
    execution.execute(runs.start(answered, relabel=True))
    before = get_provider("keyword").texts_encoded
    train(answered)
    execution.execute(runs.start(answered, relabel=True))
    assert get_provider("keyword").texts_encoded == before


def test_the_raw_score_stays_the_providers(answered: Project) -> None:
    train(answered)
    words = classifiers.specs(answered.active_categories())
    run = runs.start(answered, relabel=True)
    execution.execute(run)
    labels = Label.objects.filter(run=run)
    assert labels
    for label in labels:
        given = get_provider("scores").predict([label.text.content], words)[0]
        names = [spec.name for spec in words]
        assert label.raw_score == pytest.approx(given[names.index(label.category.name)], abs=1e-3)
        assert label.confidence > 0.5


def test_a_text_labeled_for_the_first_time_names_the_words_of_its_vector(answered: Project, add_texts) -> None:
    train(answered)
    (new,) = add_texts(answered, "an apple for everybody")
    execution.execute(runs.start(answered))
    label = Label.objects.get(text=new)
    assert (label.category.name, label.provider, label.model_name) == ("Sports", "scores", "scores")
    assert "because of: apple" in label.explanation


def test_the_first_head_is_compared_with_the_provider_alone(answered: Project) -> None:
    quality = train(answered).quality
    assert quality["compared_on"] == 30
    assert quality["compared_log_loss"] < quality["previous_log_loss"]
    assert quality["previous_log_loss"] == pytest.approx(1.0986, abs=0.01)  # of three categories, it knew nothing


def test_a_head_that_is_worse_than_the_provider_alone_is_not_used(
    answered: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "log_losses", lambda *_: (0.9, 0.1))
    assert train(answered).is_active is False
    run = runs.start(answered, relabel=True)
    execution.execute(run)
    assert run.classifier is None


def test_heads_of_both_kinds_do_not_mix(answered: Project) -> None:
    stacked = train(answered)
    answered.provider = "keyword"
    plain = train(answered)
    categories = answered.active_categories()
    assert classifiers.current(answered, get_provider("scores"), categories) == stacked
    assert classifiers.current(answered, get_provider("keyword"), categories) == plain


def test_other_words_of_a_category_ask_about_decided_texts_again(answered: Project) -> None:
    answered.categories.filter(name="Sports").update(description="Games and those who play them.")
    with pytest.raises(CannotTrain, match="30 more"):
        train(answered)
    execution.execute(runs.start(answered, relabel=True))
    assert train(answered).fitted_on == {"pool": 60, "reviews": 30, "left_out": 0}
