"""Categories as the words in a gap: a masked language model says how well each name fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import Answers, CategorySpec, ConfidenceSource, Example, Prompt, ProviderError
from labeling.providers.content_free import CONTENT_FREE, calibrated
from labeling.providers.heads import HeadedModel
from labeling.providers.hypotheses import words_of

TEMPLATE = "{text} This is about {mask}."

# The model gives a logit for each token and each word of its vocabulary, of which there may be 250,000.
LOGIT_BYTES = 256 * 2**20
ROWS_AT_ONCE = 2048  # their tokens are in memory together, to find neighbours of like length

Name = tuple[int, ...]
LogLikelihoods = NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """A gap of `size` tokens whose first ones are filled with the beginning of a name."""

    size: int
    filled: Name


@dataclass(frozen=True)
class Cloze:
    """One template and one set of categories as tokens. The mask stands once, in the opening or in the closing."""

    mask: int
    opening: Name
    closing: Name
    text_begins: str  # the space before a text belongs to its first word in many vocabularies
    names: tuple[Name, ...]

    @cached_property
    def gaps(self) -> dict[Gap, set[int]]:
        """Every gap that the model must see, with the tokens whose likelihood is wanted there."""
        found: dict[Gap, set[int]] = {}
        for name in self.names:
            for gap, token in steps(name):
                found.setdefault(gap, set()).add(token)
        return found

    @property
    def size(self) -> int:
        """The tokens that stand around a text, with the longest name."""
        return len(self.opening) + len(self.closing) - 1 + max(map(len, self.names))

    def row(self, text: Sequence[int], gap: Gap) -> tuple[list[int], int]:
        """The tokens of a text with this gap, and the place of the gap's first mask."""
        before = (*self.opening, *text, *self.closing)
        in_closing = self.mask in self.closing
        place = len(self.opening) + len(text) + self.closing.index(self.mask) if in_closing else before.index(self.mask)
        masks = [self.mask] * (gap.size - len(gap.filled))
        return [*before[:place], *gap.filled, *masks, *before[place + 1 :]], place + len(gap.filled)


class MaskedLM(HeadedModel):
    """Cloze questions [SCH21]: the likelihood of each category's name in the gap of a template.

    The template is the prompt's if that has {mask}. A name of several tokens gets as many masks, filled from left to
    right: the sum of log P(token | text, the name's tokens before it, masks for the rest). That is the pseudo-log-
    likelihood as [KAU23] corrects it: with the later tokens visible [SAL20], a rare word of many tokens looks likely
    because its pieces give each other away. It is a sum and no mean, since a mean would dilute what the first token
    says by all the nearly certain ones after it; that longer names are less likely is taken out with the content-free
    prior [ZHA21]. Texts are cut so that the template stays.
    """

    can_be_told = True
    confidence_source = ConfidenceSource.LIKELIHOOD
    loader = "AutoModelForMaskedLM"
    architectures = ("ForMaskedLM", "ForPreTraining")

    def __init__(self, model: str, **options: Any) -> None:
        super().__init__(model, **options)
        self._last_prior: tuple[Cloze, LogLikelihoods] | None = None

    def _options(self) -> tuple[object, ...]:
        return (TEMPLATE, CONTENT_FREE)

    def _answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        prompt: Prompt,
        examples: Sequence[Sequence[Example]],
    ) -> Answers:
        cloze = self._cloze(categories, _template(prompt))
        room = self._room(cloze)
        logs = self._log_likelihoods(cloze, [self._head.plain(cloze.text_begins + text, room) for text in texts])
        return Answers.of_scores(calibrated(logs, self._prior(cloze)), self.confidence_source)

    def _cloze(self, categories: Sequence[CategorySpec], template: str) -> Cloze:
        token, mask = self._head.tokenizer.mask_token, self._head.tokenizer.mask_token_id
        if token is None:
            raise self._refused("has no mask token in its tokenizer")
        opening, _, closing = template.partition("{text}")
        start, end = self._head.surroundings
        lead, _, trail = (opening if "{mask}" in opening else closing).partition("{mask}")
        return Cloze(
            mask,
            (*start, *self._head.marked_up(opening.rstrip().replace("{mask}", token))),
            (*self._head.marked_up(closing.replace("{mask}", token)), *end),
            opening[len(opening.rstrip()) :],
            tuple(self._within(lead, words_of(category.name), trail) for category in categories),
        )

    def _within(self, lead: str, name: str, trail: str) -> Name:
        """The tokens of a name as they are within its sentence; never empty."""
        begin, stop = len(lead), len(lead) + len(name)
        found = self._head.tokenizer(
            lead + name + trail, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
        )
        spans = zip(found.input_ids, found.offset_mapping, strict=True)
        inside = tuple(token for token, (left, right) in spans if left < stop and right > begin)
        return inside or (self._head.tokenizer.unk_token_id or 0,)

    def _room(self, cloze: Cloze) -> int:
        """How many tokens of a text fit beside the template and the longest name."""
        room = self._head.max_length - cloze.size
        if room < 1:
            raise ProviderError(
                f"The template with the longest category's name takes {cloze.size} tokens; the model reads "
                f"{self._head.max_length}. Shorten them or choose another model.",
                permanent=True,
            )
        return room

    def _prior(self, cloze: Cloze) -> LogLikelihoods:
        """Log-likelihoods after content-free texts (n_inputs, n_categories), remembered for the last question."""
        if self._last_prior is None or self._last_prior[0] != cloze:
            mask, room = self._head.tokenizer.mask_token, self._room(cloze)
            texts = [cloze.text_begins + text.replace("[MASK]", mask) for text in CONTENT_FREE]
            inputs = [self._head.marked_up(text)[:room] for text in texts]
            self._last_prior = cloze, self._log_likelihoods(cloze, inputs)
        return self._last_prior[1]

    def _log_likelihoods(self, cloze: Cloze, texts: Sequence[Sequence[int]]) -> LogLikelihoods:
        """The log-likelihood of each name in the gap of each text, (n_texts, n_categories)."""
        result = np.zeros((len(texts), len(cloze.names)))
        at_once = max(1, ROWS_AT_ONCE // len(cloze.gaps))
        for start in range(0, len(texts), at_once):
            result[start : start + at_once] = self._of_some(cloze, texts[start : start + at_once])
        return result

    def _of_some(self, cloze: Cloze, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        asked = [(text, gap) for text in range(len(texts)) for gap in cloze.gaps]
        rows, places = zip(*(cloze.row(texts[text], gap) for text, gap in asked), strict=True)
        found: dict[tuple[int, Gap, int], float] = {}
        for batch, logits in self._head.logits(rows, budget=self._token_budget):
            at_gap = logits[range(len(batch)), [places[index] for index in batch]].log_softmax(dim=-1).cpu().numpy()
            for index, logs in zip(batch, at_gap, strict=True):
                text, gap = asked[index]
                found.update({(text, gap, token): float(logs[token]) for token in cloze.gaps[gap]})
        return [
            [sum(found[text, gap, token] for gap, token in steps(name)) for name in cloze.names]
            for text in range(len(texts))
        ]

    @property
    def _token_budget(self) -> int:
        return min(self._head.token_budget, LOGIT_BYTES // (4 * self._head.module.config.vocab_size))


def steps(name: Name) -> list[tuple[Gap, int]]:
    """Each token of a name with the gap in which it is to be found."""
    return [(Gap(len(name), name[:place]), token) for place, token in enumerate(name)]


def _template(prompt: Prompt) -> str:
    template = prompt.template if "{mask}" in prompt.template else TEMPLATE
    if template.count("{mask}") != 1 or template.count("{text}") != 1:
        raise ProviderError(
            f"The template {template!r} must hold {{text}} once and {{mask}} once, such as {TEMPLATE!r}.",
            permanent=True,
        )
    return template
