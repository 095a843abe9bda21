"""A provider that is told how a project wants it to be asked."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import blake2b

from labeling.providers.base import Answers, CategorySpec, Example, FloatArray, Prompt, Provider


class Told(Provider):
    """Another provider with its prompt. Its fingerprint changes with the prompt: other words are another question.

    `choose` gives the examples for each text; `key` changes with what it chooses from.
    """

    can_be_told = True

    def __init__(
        self,
        provider: Provider,
        prompt: Prompt,
        *,
        choose: Callable[[Sequence[str]], Sequence[Sequence[Example]]] = lambda texts: (),
        key: str = "",
    ) -> None:
        self.provider = provider
        self.prompt = prompt
        self._choose = choose
        self._key = key
        self.confidence_source = provider.confidence_source

    @property
    def model_name(self) -> str:
        return self.provider.model_name

    @property
    def fingerprint(self) -> str:
        words = f"{self.provider.fingerprint} {sorted(asdict(self.prompt).items())} {self._key}"
        return blake2b(words.encode(), digest_size=16).hexdigest()

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> FloatArray:
        """As promised by Provider. Raises the ProviderError of the first text that has no answer."""
        said = self.answer(texts, categories)
        for error in said.errors:
            if error is not None:
                raise error
        return said.scores

    def answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        *,
        prompt: Prompt | None = None,
        examples: Sequence[Sequence[Example]] = (),
    ) -> Answers:
        chosen = examples or self._choose(texts)
        return self.provider.answer(texts, categories, prompt=prompt or self.prompt, examples=chosen)
