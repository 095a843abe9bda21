from pathlib import Path

import numpy as np
import pytest

from labeling.providers.base import CategorySpec, Provider, ProviderError
from labeling.providers.sequence_classifier import SequenceClassifier

from . import tiny_models
from .contract import ProviderContract

TEXTS = ["red roses", "", "Stocks fell on Wednesday.", "the sky is blue " * 40]


@pytest.fixture
def provider(classifier_model: Path) -> Provider:
    return SequenceClassifier(str(classifier_model))


class TestSequenceClassifier(ProviderContract):
    pass


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> str:
    labels = dict(enumerate(["Very_Bad", "bad", "good", "LABEL_3"]))
    return str(tiny_models.bert(tmp_path_factory.mktemp("moods"), "ForSequenceClassification", id2label=labels))


def softmax_of(folder: str, columns: list[int]) -> np.ndarray:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        rows = [model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0] for text in TEXTS]
    return torch.stack(rows)[:, columns].softmax(1).numpy()


def test_probabilities_are_a_softmax_over_the_labels_that_are_categories(moods: str) -> None:
    ours = SequenceClassifier(moods).predict(TEXTS, [CategorySpec("Good"), CategorySpec("very bad")])
    np.testing.assert_allclose(ours, softmax_of(moods, [2, 0]), atol=1e-4)


def test_letter_case_spaces_and_hyphens_do_not_tell_names_apart(moods: str) -> None:
    alone, other = (
        SequenceClassifier(moods).predict(TEXTS, [CategorySpec(name), CategorySpec("GOOD")])
        for name in ("very_bad", " Very-Bad")
    )
    np.testing.assert_array_equal(alone, other)


def test_labels_of_one_category_are_added_up(moods: str) -> None:
    provider = SequenceClassifier(moods, labels={"Very_Bad": "Awful", "bad": "awful", "LABEL_3": "Mixed"})
    ours = provider.predict(TEXTS, [CategorySpec("Mixed"), CategorySpec("Awful")])
    expected = softmax_of(moods, [3, 0, 1])
    np.testing.assert_allclose(ours, np.stack([expected[:, 0], expected[:, 1:].sum(1)], axis=1), atol=1e-4)


def test_a_category_without_a_label_is_refused_with_the_labels_there_are(moods: str) -> None:
    with pytest.raises(ProviderError) as refusal:
        SequenceClassifier(moods).predict(TEXTS, [CategorySpec("good"), CategorySpec("Mixed")])
    assert refusal.value.permanent
    assert "Very_Bad, bad, good, LABEL_3" in str(refusal.value)
    assert "no label for Mixed" in str(refusal.value)
    assert "Map its labels" in str(refusal.value)


def test_a_mapping_of_labels_that_the_model_has_not_is_refused(moods: str) -> None:
    with pytest.raises(ProviderError, match="names LABEL_9") as refusal:
        SequenceClassifier(moods, labels={"LABEL_9": "Mixed"})
    assert refusal.value.permanent


def test_another_mapping_has_another_fingerprint(moods: str) -> None:
    assert SequenceClassifier(moods).fingerprint != SequenceClassifier(moods, labels={"LABEL_3": "Mixed"}).fingerprint


def test_a_model_that_is_no_classifier_is_refused(masked_model: Path) -> None:
    with pytest.raises(ProviderError, match="is a BertForMaskedLM") as refusal:
        SequenceClassifier(str(masked_model))
    assert refusal.value.permanent
