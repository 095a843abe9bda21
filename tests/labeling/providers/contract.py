"""What every provider must keep to. Each provider's tests inherit it and say how the provider is made."""

import numpy as np
import pytest

from labeling.providers.base import CategorySpec, Provider, ProviderError

COLOURS = (
    CategorySpec("red"),
    CategorySpec("green", "the colour of grass"),
    CategorySpec("blue", examples=("the sky",)),
)


class ProviderContract:
    """Inherit, and give a fixture `provider`."""

    def answers(self, provider: Provider, texts: list[str], categories: tuple[CategorySpec, ...]) -> None:
        scores = provider.predict(texts, categories)
        assert scores.shape == (len(texts), len(categories))
        assert scores.dtype == np.float32
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)

    def test_each_text_has_a_row_and_each_category_a_column(self, provider: Provider) -> None:
        self.answers(provider, ["roses", "meadows", "the sea", "a cloudless day", "blood"], COLOURS)

    def test_no_texts_give_no_rows(self, provider: Provider) -> None:
        self.answers(provider, [], COLOURS)

    def test_no_categories_are_refused_for_good(self, provider: Provider) -> None:
        with pytest.raises(ProviderError) as refusal:
            provider.predict(["roses"], [])
        assert refusal.value.permanent

    def test_a_single_category_takes_everything(self, provider: Provider) -> None:
        self.answers(provider, ["roses", ""], COLOURS[:1])

    def test_two_hundred_categories_are_answered(self, provider: Provider) -> None:
        self.answers(provider, ["number seven"], tuple(CategorySpec(f"number {i}") for i in range(200)))

    def test_a_very_long_text_is_answered(self, provider: Provider) -> None:
        self.answers(provider, ["grass and sky " * 10_000], COLOURS)

    def test_emoji_and_right_to_left_texts_are_answered(self, provider: Provider) -> None:
        self.answers(provider, ["👩‍👩‍👧‍👦🏳️‍🌈", "السماء زرقاء", "הדשא ירוק", "\u202egnirts\u202c", " \n\t"], COLOURS)

    def test_category_names_with_quotes_and_newlines_are_answered(self, provider: Provider) -> None:
        names = ('say "red"', "it's\ngreen", "{blue}", "100 %", "\\n", '"}],')
        self.answers(provider, ["roses"], tuple(CategorySpec(name, description=name) for name in names))

    def test_half_a_surrogate_pair_is_answered(self, provider: Provider) -> None:
        self.answers(provider, ["broken \ud83d text"], COLOURS)

    def test_an_answer_says_of_each_text_where_it_comes_from(self, provider: Provider) -> None:
        answers = provider.answer(["roses", "meadows", "roses"], COLOURS)
        assert answers.errors == [None, None, None]
        assert len(answers.sources) == len(answers.reasons) == 3
        np.testing.assert_allclose(answers.scores.sum(axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(answers.scores[0], answers.scores[2], atol=1e-4)

    def test_it_says_which_model_it_is(self, provider: Provider) -> None:
        assert provider.model_name
        assert provider.fingerprint == provider.fingerprint != ""
