"""Categories as hypotheses: a model of natural language inference says which of them a text entails."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.learning.classifier import softmax
from labeling.providers.base import (
    Answers,
    CategorySpec,
    ConfidenceSource,
    Example,
    FloatArray,
    Prompt,
    Provider,
    ProviderError,
)
from labeling.providers.heads import HeadedModel, clean
from labeling.providers.hypotheses import HYPOTHESIS, hypotheses

# The model reads each text once for each category. With more than MANY, an encoder leaves the KEPT nearest.
MANY = 15
KEPT = 10

PAIRS_AT_ONCE = 4096  # their tokens are in memory together, to find neighbours of like length


class Nli(HeadedModel):
    """Zero-shot classification by entailment [YIN19]: a softmax over the categories' entailment logits.

    The hypothesis is the prompt's, with {} for the category's name. `preselect`: with more than 15 categories only the
    10 that `encoder` finds nearest are asked about, the others get 0; without an encoder all are asked about.
    """

    can_be_told = True
    confidence_source = ConfidenceSource.PROBABILITIES
    loader = "AutoModelForSequenceClassification"
    architectures = ("ForSequenceClassification",)

    def __init__(self, model: str, *, encoder: Provider | None = None, preselect: bool = True, **options: Any) -> None:
        super().__init__(model, **options)
        self._encoder = encoder if preselect else None
        self._entailment = entailment_label(self._config)
        if self._entailment is None:
            raise self._refused("has no label for entailment")

    @property
    def model_name(self) -> str:
        return f"{self._name} + {self._encoder.model_name}" if self._encoder else self._name

    @property
    def preselects(self) -> bool:
        """True when many categories are narrowed down by an encoder first."""
        return self._encoder is not None

    def _options(self) -> tuple[object, ...]:
        return (HYPOTHESIS, self._encoder and (MANY, KEPT, self._encoder.fingerprint))

    def _answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        prompt: Prompt,
        examples: Sequence[Sequence[Example]],
    ) -> Answers:
        hypotheses = self._hypotheses(categories, prompt)
        beginnings = [self._head.beginning(text) for text in texts]
        logits = np.full((len(texts), len(categories)), -np.inf, dtype=np.float32)
        pairs = np.argwhere(self._candidates(texts, categories))
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            rows, columns = pairs[start : start + PAIRS_AT_ONCE].T
            logits[rows, columns] = self._entailed([beginnings[row] for row in rows], [hypotheses[c] for c in columns])
        return Answers.of_scores(softmax(logits), self.confidence_source)

    def _hypotheses(self, categories: Sequence[CategorySpec], prompt: Prompt) -> list[str]:
        """One sentence a category. Each must leave room for a text, because it is never cut."""
        found = [clean(one) for one in hypotheses([category.name for category in categories], prompt.hypothesis)]
        special = self._head.tokenizer.num_special_tokens_to_add(pair=True)
        for hypothesis in found:
            if len(self._head.plain(hypothesis)) + special >= self._head.max_length:
                raise ProviderError(
                    f"The hypothesis {hypothesis[:50]!r}... is as long as all that the model reads "
                    f"({self._head.max_length} tokens). Shorten the category's name or the hypothesis.",
                    permanent=True,
                )
        return found

    def _candidates(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> NDArray[np.bool_]:
        """Which pairs (n_texts, n_categories) the model is asked about."""
        if self._encoder is None or len(categories) <= MANY:
            return np.ones((len(texts), len(categories)), dtype=bool)
        nearest = np.argsort(-self._encoder.predict(texts, categories), axis=1, kind="stable")[:, :KEPT]
        chosen = np.zeros((len(texts), len(categories)), dtype=bool)
        np.put_along_axis(chosen, nearest, True, axis=1)
        return chosen

    def _entailed(self, premises: list[str], hypotheses: list[str]) -> FloatArray:
        """The entailment logit of each pair, (n_pairs,). A premise that is too long is cut, its hypothesis never."""
        head = self._head
        found = head.tokenizer(
            premises, hypotheses, truncation="only_first", max_length=head.max_length, split_special_tokens=True
        )
        logits = np.empty(len(premises), dtype=np.float32)
        for batch, scores in head.logits(found["input_ids"], found.get("token_type_ids")):
            logits[batch] = scores[:, self._entailment].cpu().numpy()
        return logits


def entailment_label(config: dict[str, Any]) -> int | None:
    """The index of the label that stands for entailment; of two-way models, not that of "not_entailment"."""
    for index, label in (config.get("id2label") or {}).items():
        name = str(label).casefold()
        if "entail" in name and not name.startswith("no"):
            return int(index)
    return None
