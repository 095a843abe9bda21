"""Fine-tuned classifiers whose labels are the categories."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labeling.learning.classifier import softmax
from labeling.providers.base import Answers, CategorySpec, ConfidenceSource, Example, FloatArray, Prompt, ProviderError
from labeling.providers.heads import HeadedModel, clean


class SequenceClassifier(HeadedModel):
    """A softmax over those labels of the model that are categories; labels of the same category are added up.

    A label is the category of its name, where letter case, spaces, underscores and hyphens do not count, or the one
    that `labels` maps it to (the model's label -> the category's name). Texts are cut at the model's limit.
    """

    confidence_source = ConfidenceSource.PROBABILITIES
    loader = "AutoModelForSequenceClassification"
    architectures = ("ForSequenceClassification",)

    def __init__(self, model: str, *, labels: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(model, **options)
        self._labels = {int(index): str(label) for index, label in (self._config.get("id2label") or {}).items()}
        self._mapping = dict(labels or {})
        unknown = sorted(set(self._mapping) - set(self._labels.values()))
        if unknown:
            raise self._unmatched(f"The option 'labels' names {', '.join(unknown)}")

    def _options(self) -> tuple[object, ...]:
        return (sorted(self._mapping.items()),)

    def _answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        prompt: Prompt,
        examples: Sequence[Sequence[Example]],
    ) -> Answers:
        columns, owners = self._matched(categories)
        rows = [clean(text) for text in texts]
        scores = np.zeros((len(texts), len(categories)), dtype=np.float32)
        options = {"truncation": True, "max_length": self._head.max_length, "split_special_tokens": True}
        found = self._head.tokenizer(rows, **options) if rows else {"input_ids": []}
        for batch, logits in self._head.logits(found["input_ids"], found.get("token_type_ids")):
            scores[batch] = softmax(logits[:, columns].cpu().numpy()) @ owners
        return Answers.of_scores(scores, self.confidence_source)

    def _matched(self, categories: Sequence[CategorySpec]) -> tuple[list[int], FloatArray]:
        """The columns of the labels that are categories, and to which each belongs, (n_columns, n_categories)."""
        places = {_key(category.name): place for place, category in enumerate(categories)}
        found = {
            column: places[name]
            for column, label in self._labels.items()
            if (name := _key(self._mapping.get(label, label))) in places
        }
        missing = [category.name for place, category in enumerate(categories) if place not in found.values()]
        if missing:
            raise self._unmatched(f"It has no label for {', '.join(missing)}")
        owners = np.eye(len(categories), dtype=np.float32)[list(found.values())]
        return list(found), owners

    def _unmatched(self, reason: str) -> ProviderError:
        return ProviderError(
            f"The labels of the model {self._name!r} are {', '.join(self._labels.values()) or 'not named'}. {reason}. "
            "Map its labels to the categories with the option 'labels', such as {'LABEL_0': 'Billing'}, or choose "
            "another model.",
            permanent=True,
        )


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
