"""Zero-shot classification by Hugging Face's inference API.

https://huggingface.co/docs/inference-providers/tasks/zero-shot-classification
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from labeling.providers.base import CategorySpec, ConfidenceSource, Example, Prompt, ProviderError, Usage
from labeling.providers.http import Server, settled
from labeling.providers.hypotheses import HYPOTHESIS
from labeling.providers.remote import RemoteProvider, Verdict
from labeling.providers.statuses import SettingNames

NAMES = SettingNames(url="FREE_API_URL", model="FREE_API_MODEL", key="FREE_API_KEY")

# The first documentation of the API allowed at most 10 labels and told to ask for more in several requests with
# multi_label, scaled by the caller. The present one names no limit, but other servers of the format keep to it.
LABELS_PER_REQUEST = 10


class HFInference(RemoteProvider):
    """The zero-shot model at `url`: an address that ends in the model's name, or in /models, to which it is added.

    The key is optional for servers of one's own. More than 10 categories are judged each by itself, in several
    requests, and the scores scaled to sum to one. Raises ProviderError for an address, a key or a model that cannot
    be used.
    """

    wire = "hf_inference"

    def __init__(
        self,
        url: str,
        model: str = "",
        key: str = "",
        *,
        concurrency: int = 4,
        timeout_seconds: float = 120.0,
        hypothesis: str = HYPOTHESIS,
        names: SettingNames = NAMES,
    ) -> None:
        address, model = url.strip().rstrip("/"), model.strip()
        if model and not address.endswith(f"/{model}"):
            address = f"{address}/{model}"
        server = Server(address, key=key, concurrency=concurrency, timeout_seconds=timeout_seconds, names=names)
        super().__init__(server, model or address.partition("/models/")[2], hypothesis)
        self._hypothesis = hypothesis

    def begin(self, categories: Sequence[CategorySpec], prompt: Prompt) -> "EntailmentCall":
        names = [category.name for category in categories]
        return EntailmentCall(self.server, names, _checked(prompt.hypothesis or self._hypothesis))


class EntailmentCall:
    """One call of `answer`: probabilities by the entailment of the hypothesis with each name. No examples."""

    def __init__(self, server: Server, names: Sequence[str], hypothesis: str) -> None:
        self.usage = Usage()
        self._server = server
        self._hypothesis = hypothesis
        starts = range(0, len(names), LABELS_PER_REQUEST)
        self._parts = [list(names[start : start + LABELS_PER_REQUEST]) for start in starts]

    async def ask_all(self, shown: Mapping[str, Sequence[Example]]) -> dict[str, Verdict | ProviderError]:
        asks = [partial(self._ask, text) for text in shown]
        found = settled(await self._server.each(asks, until=self._server.deadline()))
        return dict(zip(shown, found, strict=True))

    async def _ask(self, text: str) -> Verdict:
        scores: list[float] = []
        for names in self._parts:
            scores += await self._server.post("", partial(self._body, text, names), partial(_scores, names=names))
            self.usage += Usage(requests=1)
        found = np.array(scores, dtype=np.float32)
        found = found / found.sum() if found.sum() > 0 else np.full_like(found, 1 / len(found))
        return Verdict(found, ConfidenceSource.PROBABILITIES)

    def _body(self, text: str, names: Sequence[str]) -> dict[str, Any]:
        parameters = {
            "candidate_labels": names,
            "hypothesis_template": self._hypothesis,
            "multi_label": len(self._parts) > 1,
        }
        # The pipeline behind the API refuses a text of no characters.
        return {"inputs": text or " ", "parameters": parameters}


def _scores(answer: Any, names: Sequence[str]) -> list[float]:
    """From {"labels": […], "scores": […]}, or [{"label": …, "score": …}, …], each also in a list of one."""
    if isinstance(answer, list) and len(answer) == 1 and (isinstance(answer[0], list) or "labels" in answer[0]):
        answer = answer[0]
    if isinstance(answer, list):
        found = {one["label"]: float(one["score"]) for one in answer}
    else:
        found = {label: float(score) for label, score in zip(answer["labels"], answer["scores"], strict=True)}
    scores = [found[name] for name in names]
    if not all(0 <= score <= 1 for score in scores):  # NaN, too
        raise ValueError("scores are not probabilities")
    return scores


def _checked(hypothesis: str) -> str:
    """The server fills it as a format string, so a brace too many is its error."""
    if hypothesis.count("{}") != 1 or hypothesis.count("{") + hypothesis.count("}") != 2:
        raise ProviderError(
            f"The hypothesis must have {{}} once, where the category stands, and no other brace: {hypothesis!r}.",
            permanent=True,
        )
    return hypothesis
