import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.providers.confidence import ANSWERED, MOST_STATED, from_one_answer, from_tokens, from_votes, tokens

NAMES = ("Sports", "Space", "Weather")

Alternatives = dict[str, float]


def entries(*pieces: str | tuple[str, Alternatives]) -> list[dict[str, Any]]:
    """Tokens as servers write them: a piece alone is certain; else the probabilities of what stands there."""
    found = []
    for piece in pieces:
        text, listed = piece if isinstance(piece, tuple) else (piece, {piece: 1.0})
        top = [{"token": other, "logprob": math.log(p), "bytes": list(other.encode())} for other, p in listed.items()]
        found.append(
            {"token": text, "logprob": math.log(listed[text]), "bytes": list(text.encode()), "top_logprobs": top}
        )
    return found


def scores(*pieces: str | tuple[str, Alternatives], names: tuple[str, ...] = NAMES, answered: int = 0) -> list[float]:
    found = from_tokens(tokens(entries(*pieces)), names, answered)
    assert found is not None
    return [float(score) for score in found]


def test_the_alternatives_of_the_name_are_renormalised() -> None:
    found = scores('{"category": "', ("Sports", {"Sports": 0.4, "Space": 0.2, "Weather": 0.2, "The": 0.2}), '"}')
    assert found == pytest.approx([0.5, 0.25, 0.25])


def test_a_name_of_several_tokens_is_the_product_along_its_path() -> None:
    found = scores('{"category": "', ("Sp", {"Sp": 0.6, "We": 0.4}), ("orts", {"orts": 0.75, "ace": 0.25}), '"}')
    assert found == pytest.approx([0.45, 0.15, 0.4])


def test_what_only_one_name_can_continue_costs_nothing() -> None:
    found = scores(
        '{"category": "', ("W", {"W": 0.5, "Sp": 0.5}), ("eather", {"eather": 0.01, "ow": 0.9}), '"}', answered=2
    )
    assert found == pytest.approx([0.25, 0.25, 0.5])


def test_an_alternative_that_fits_two_names_is_shared() -> None:
    found = scores('{"category": "', ("Weather", {"Weather": 0.5, "Sp": 0.3}), '"}', answered=2)
    assert found == pytest.approx([0.1875, 0.1875, 0.625])


def test_a_code_fence_before_the_answer_does_not_matter() -> None:
    name = ("Space", {"Space": 0.6, "Sports": 0.2, "Weather": 0.2})
    found = scores("```", "json", "\n", '{\n "', "category", '":', ' "', name, '"', answered=1)
    assert found == pytest.approx([0.2, 0.6, 0.2])


def test_a_token_that_begins_before_the_name_is_compared_with_its_like() -> None:
    first = (' "Sp', {' "Sp': 0.5, ' "We': 0.3, "Sp": 0.1, ' "': 0.1})
    found = scores('{"category":', first, ("ace", {"ace": 0.9, "orts": 0.1}), '"}', answered=1)
    assert found == pytest.approx([0.0625, 0.5625, 0.375])


def test_a_name_that_begins_another_ends_at_its_quote() -> None:
    names = ("News", "Newsletter")
    found = scores('{"category": "', "News", ('"}', {'"}': 0.7, "letter": 0.3}), names=names)
    assert found == pytest.approx([0.7, 0.3])


def test_mass_that_is_not_listed_is_spread_over_the_names_that_are_not() -> None:
    found = scores('{"category": "', ("Sports", {"Sports": 0.8, "The": 0.1}), '"}')
    assert found == pytest.approx([0.8 / 0.9, 0.05 / 0.9, 0.05 / 0.9])


def test_a_name_that_is_not_listed_is_no_more_probable_than_the_last_that_is() -> None:
    found = scores('{"category": "', ("Sports", {"Sports": 0.5, "The": 0.02}), '"}')
    assert found == pytest.approx([0.5 / 0.54, 0.02 / 0.54, 0.02 / 0.54])


def test_no_category_is_impossible() -> None:
    assert min(scores('{"category": "', ("Sports", {"Sports": 1.0}), '"}')) > 0


def test_a_reason_that_speaks_of_a_category_is_not_taken_for_it() -> None:
    reason = '{"reason": "not \\"category\\": \\"Sports\\"", '
    found = scores(reason, '"category": "', ("Space", {"Space": 0.9, "Sports": 0.1}), '"}', answered=1)
    assert found[1] > 0.8


def test_characters_may_be_split_between_tokens() -> None:
    pieces = b'{"category": "', "東".encode()[:2], "東".encode()[2:] + "京".encode(), b'"}'
    raw = [{"token": "\ufffd", "bytes": list(piece), "logprob": -0.1, "top_logprobs": []} for piece in pieces]
    found = from_tokens(tokens(raw), ("東京", "大阪"), 0)
    assert found is not None
    assert found[0] > 0.8


def test_names_with_quotes_are_found_as_json() -> None:
    assert scores('{"category": "', '\\"a\\"', '"}', names=('"a"', "b"))[0] > 0.9


def test_escaped_letters_are_found() -> None:
    assert scores('{"category": "', "caf\\u00e9", '"}', names=("café", "bar"))[0] > 0.9


@pytest.mark.parametrize("content", ["Sports", '{"category": "sports"}', '{"label": "Sports"}', ""])
def test_a_name_that_is_not_spelled_in_the_answer_has_no_probabilities(content: str) -> None:
    assert from_tokens(tokens(entries(content)), NAMES, 0) is None


def test_tokens_without_bytes_or_alternatives_are_read() -> None:
    raw = [{"token": '{"category": "', "logprob": None}, {"token": "Sports", "logprob": -9999.0}, {"token": '"}'}]
    found = from_tokens(tokens(raw), NAMES, 0)
    assert found is not None
    assert found.sum() == pytest.approx(1)


pieces = st.sampled_from(["S", "Sp", "Sports", "orts", "ports", "ace", "Space", "We", "Weather", "The", '"', "", " "])
listed = st.dictionaries(pieces, st.floats(1e-9, 1.0), max_size=5)


@given(st.sampled_from(NAMES), st.lists(listed, min_size=3, max_size=3), st.integers(1, 7), st.integers(1, 7))
def test_whatever_is_listed_the_probabilities_sum_to_one(
    name: str, others: list[Alternatives], first: int, second: int
) -> None:
    cuts = [name[:first], name[first : first + second], name[first + second :] + '"}']
    path = [(cut, other | {cut: 0.5}) for cut, other in zip(cuts, others, strict=True)]
    found = scores('{"category": "', *path, answered=NAMES.index(name))
    assert sum(found) == pytest.approx(1, abs=1e-5)
    assert min(found) >= 0


def test_votes_of_two_categories_follow_the_rule_of_succession() -> None:
    np.testing.assert_allclose(from_votes([0, 0, 0, 0, 1], 2), [5 / 7, 2 / 7], rtol=1e-6)


def test_votes_are_not_drowned_by_many_categories() -> None:
    found = from_votes([3] * 5, 77)
    assert found[3] == pytest.approx((5 + 2 / 77) / 7)
    assert found.sum() == pytest.approx(1)


def test_an_answer_without_anything_else_is_trusted_with_caution() -> None:
    np.testing.assert_allclose(from_one_answer(1, 4), [0.1, ANSWERED, 0.1, 0.1], rtol=1e-6)


def test_a_single_category_is_certain() -> None:
    assert from_one_answer(0, 1).tolist() == [1.0]


@pytest.mark.parametrize(("stated", "taken"), [(0.6, 0.6), (1.0, MOST_STATED), (0.0, 0.26)])
def test_what_a_model_states_is_taken_within_bounds(stated: float, taken: float) -> None:
    found = from_one_answer(2, 4, probability=stated)
    assert found[2] == pytest.approx(taken)
    assert found.argmax() == 2
    assert found.sum() == pytest.approx(1)
