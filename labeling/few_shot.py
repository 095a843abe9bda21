"""Decided texts that a model is shown beside the text it is asked about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import numpy as np

from labeling.choices import TextStatus
from labeling.embeddings import CachedEncoder, TextRow
from labeling.models import Project
from labeling.providers import get_encoder
from labeling.providers.base import Example
from labeling.querysets import TextQuerySet

MOST_CANDIDATES = 2_000  # the newest: more take longer to look through and are hardly nearer


class FewShot:
    """Chooses for each text the `count` most similar decided ones, with no category ahead of the others.

    Those of the categories in `names`, by id, which are the ones that the model is offered, under the same names.
    They were decided before `until`, so that a version of a prompt keeps its examples. Texts of the blind audit and
    gold are never shown: they judge. Reads vectors of an encoder, so it raises ProviderError.
    """

    def __init__(self, project: Project, *, count: int, until: datetime, names: Mapping[int, str]) -> None:
        self.count = count
        fields = ("pk", "content", "content_hash", "current_label__category")
        chosen = list(_candidates(project, names).filter(reviewed_at__lt=until).values_list(*fields)[:MOST_CANDIDATES])
        self._encoder = get_encoder()
        rows = [TextRow(*values[:3]) for values in chosen]
        self._vectors = CachedEncoder(self._encoder, explained=False).read(rows).vectors if rows else None
        self._examples = [Example(content, names[category]) for _, content, _, category in chosen]

    @property
    def key(self) -> str:
        """Changes with any of the texts to choose from."""
        words = repr([self.count, self._examples])
        return blake2b(words.encode(), digest_size=16).hexdigest()

    def __call__(self, texts: Sequence[str]) -> list[list[Example]]:
        """Examples for each text, the most similar one last, nearest to the question. Never the text itself."""
        if self._vectors is None:
            return [[] for _ in texts]
        order = np.argsort(-(self._encoder.embed(texts) @ self._vectors.T), axis=1, kind="stable")
        return [self._balanced(text, nearest) for text, nearest in zip(texts, order.tolist(), strict=True)]

    def _balanced(self, text: str, nearest: Sequence[int]) -> list[Example]:
        categories = len({example.category for example in self._examples})
        most = -(-self.count // min(self.count, categories))
        taken: list[Example] = []
        of_category: Counter[str] = Counter()
        for place in nearest:
            example = self._examples[place]
            if example.text != text and of_category[example.category] < most:
                of_category[example.category] += 1
                taken.append(example)
            if len(taken) == self.count:
                break
        return taken[::-1]


def newest_examples(project: Project, count: int, *, names: Mapping[int, str]) -> list[Example]:
    """The last decided texts that may be shown."""
    newest = _candidates(project, names).values_list("content", "current_label__category")[:count]
    return [Example(content, names[category]) for content, category in newest]


def _candidates(project: Project, names: Mapping[int, str]) -> TextQuerySet:
    decided = project.texts.filter(status=TextStatus.REVIEWED, is_audit=False, is_gold=False)
    return decided.filter(current_label__category__in=list(names)).order_by("-reviewed_at", "-pk")
