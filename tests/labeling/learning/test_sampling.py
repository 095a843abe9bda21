import numpy as np
import pytest

from labeling.learning import sampling


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture
def rows():
    return [[0.6, 0.3, 0.1], [1.0, 0.0, 0.0], [0.45, 0.45, 0.1], [1 / 3, 1 / 3, 1 / 3]]


# --- Scores -----------------------------------------------------------------------------------------------------------


def test_least_confidence_by_hand(rows):
    np.testing.assert_allclose(sampling.least_confidence(rows), [0.4, 0, 0.55, 2 / 3], rtol=1e-6)


def test_margin_by_hand(rows):
    np.testing.assert_allclose(sampling.margin(rows), [0.7, 0, 1, 1], rtol=1e-6)


def test_entropy_by_hand(rows):
    np.testing.assert_allclose(sampling.entropy(rows)[[1, 3]], [0, np.log(3)], atol=1e-6)
    assert sampling.entropy([[0.5, 0.5]]) == pytest.approx(np.log(2))


@pytest.mark.parametrize("score", [sampling.least_confidence, sampling.margin, sampling.entropy])
def test_a_single_category_leaves_nothing_to_learn(score):
    assert score([[1.0], [1.0]]).tolist() == [0, 0]


@pytest.mark.parametrize("score", [sampling.least_confidence, sampling.margin, sampling.entropy])
def test_no_texts_have_no_scores(score):
    assert score(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("wrong", [[0.5, 0.5], [[0.5, -0.1]], [[np.nan, 1.0]], [[3.0, 1.0]], np.zeros((2, 0))])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match="Probabilities"):
        sampling.entropy(wrong)


# --- Coverage ---------------------------------------------------------------------------------------------------------


def test_a_text_of_each_kind_is_chosen_those_of_many_first(random):
    kinds = np.repeat(np.arange(4), [10, 80, 40, 20])
    vectors = unit(unit(random.normal(size=(4, 32)))[kinds] + 0.05 * random.normal(size=(150, 32)))
    assert kinds[sampling.coverage(vectors, 4)].tolist() == [1, 2, 3, 0]


def test_the_text_chosen_of_a_kind_is_a_typical_one():
    angles = np.radians([-9, -4, 0.5, 5, 8, 90, 91, 93])
    assert sampling.coverage(np.column_stack([np.cos(angles), np.sin(angles)]), 2).tolist() == [2, 6]


def test_none_are_chosen_from_none():
    assert sampling.coverage(np.zeros((0, 4)), 5).tolist() == []


def test_a_text_that_occurs_twice_is_chosen_once():
    assert sampling.coverage([[1, 0], [1, 0], [0, 1]], 3).tolist() == [0, 2]


def test_chosen_texts_are_all_different(random):
    chosen = sampling.coverage(random.normal(size=(300, 8)), 60)
    assert len(set(chosen.tolist())) == 60


# --- Stopping ---------------------------------------------------------------------------------------------------------


def test_stable_answers_advise_to_stop(random):
    answers = random.integers(0, 4, 1_000)
    later = answers.copy()
    later[:3] = (later[:3] + 1) % 4
    advice = sampling.stopping_advice([answers, answers, answers, later])
    assert advice.may_stop
    assert advice.changed == pytest.approx(0.003)
    assert "at most 0.3% of the labels" in advice.sentence


def test_changing_answers_advise_to_go_on(random):
    answers = [random.integers(0, 2, 500)]
    for _ in range(3):
        answers.append(np.where(random.random(500) < 0.05, 1 - answers[-1], answers[-1]))
    advice = sampling.stopping_advice(answers)
    assert not advice.may_stop
    assert "keep reviewing" in advice.sentence


def test_few_changes_of_a_rare_category_are_no_stability():
    """One text in a hundred holds the rare category, and half of those change at a time."""
    rounds = [np.zeros(1_000, dtype=int) for _ in range(4)]
    for place, answers in enumerate(rounds):
        answers[5 * place : 5 * place + 10] = 1
    advice = sampling.stopping_advice(rounds)
    assert advice.changed == pytest.approx(0.01)
    assert not advice.may_stop


def test_kappa_by_hand():
    """Half of the answers agree where half would by chance: nothing beyond chance."""
    assert sampling.stopping_advice([[0, 0, 1, 1], [0, 1, 0, 1]], rounds=1).kappa == pytest.approx(0)


def test_one_category_for_all_is_stable():
    assert sampling.stopping_advice([np.zeros(10)] * 4).may_stop


def test_too_few_rounds_say_so():
    advice = sampling.stopping_advice([[0, 1], [0, 1]])
    assert not advice.may_stop
    assert advice.changed is None
    assert "2 more rounds" in advice.sentence


def test_rounds_about_unlike_texts_are_refused():
    with pytest.raises(ValueError, match="same texts"):
        sampling.stopping_advice([[0, 1], [0]])
