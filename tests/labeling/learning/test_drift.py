import numpy as np
import pytest

from labeling.learning import drift


@pytest.fixture
def random():
    return np.random.default_rng(11)


def texts(random, count, towards=0.0, dim=16):
    """Unit vectors around nothing, or moved along the first axis."""
    rows = random.normal(size=(count, dim))
    rows[:, 0] += towards
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


# --- Confidence -------------------------------------------------------------------------------------------------------


def test_the_statistic_of_two_shares_by_hand():
    """10 of 100 against 20 of 100: pooled .15, error sqrt(.1275 * .02), z = .1 / .0505."""
    before, now = (np.where(np.arange(100) < low, 0.3, 0.8) for low in (10, 20))
    found = drift.confidence_drift(before, now)
    assert found.statistic == pytest.approx(1.9803, abs=1e-4)
    assert found.p_value == pytest.approx(0.02384, abs=1e-4)
    assert found.is_warning
    assert "20.0% of the new texts have a confidence below 0.5" in found.sentence


def test_the_interval_of_a_share_is_the_one_of_wilson():
    found = drift.confidence_drift(np.where(np.arange(100) < 10, 0.3, 0.8), np.full(50, 0.9))
    assert (found.before.low, found.before.high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))
    assert (found.now.low, found.now.high) == (pytest.approx(0, abs=1e-9), pytest.approx(0.0713, abs=1e-4))


def test_more_confidence_is_no_warning():
    assert not drift.confidence_drift(np.full(100, 0.3), np.full(100, 0.9)).is_warning


def test_a_proven_rise_too_small_to_act_on_is_no_warning():
    before, now = (np.where(np.arange(100_000) < low, 0.3, 0.8) for low in (10_000, 11_000))
    found = drift.confidence_drift(before, now)
    assert found.p_value < 0.001
    assert not found.is_warning


def test_equally_sure_sides_are_no_warning():
    found = drift.confidence_drift(np.ones(50), np.ones(50))
    assert (found.statistic, found.is_warning) == (0.0, False)


@pytest.mark.parametrize("count", [0, 19])
def test_too_few_texts_say_so(count):
    assert "Too few texts" in drift.confidence_drift(np.ones(100), np.zeros(count)).sentence
    assert "Too few texts" in drift.vector_drift(np.ones((100, 3)), np.zeros((count, 3))).sentence


# --- Vectors ----------------------------------------------------------------------------------------------------------


def test_the_discrepancy_is_the_one_of_its_definition(random):
    first, second = texts(random, 30), texts(random, 40, towards=1)
    rows = np.concatenate([first, second])
    squares = ((rows[:, None] - rows) ** 2).sum(axis=2)
    kernel = np.exp(-squares / (2 * np.median(squares[np.triu_indices(70, 1)])))
    within = [(part.sum() - len(part)) / (len(part) * (len(part) - 1)) for part in (kernel[:30, :30], kernel[30:, 30:])]
    expected = sum(within) - 2 * kernel[:30, 30:].mean()
    assert drift.vector_drift(first, second).statistic == pytest.approx(expected, abs=1e-5)


def test_moved_vectors_are_a_warning(random):
    found = drift.vector_drift(texts(random, 200), texts(random, 200, towards=1))
    assert found.is_warning
    assert found.p_value == pytest.approx(1 / (drift.PERMUTATIONS + 1))
    assert found.sentence.startswith("The new texts differ")


def test_a_tenth_of_texts_about_something_else_is_found(random):
    mixed = np.concatenate([texts(random, 450), texts(random, 50, towards=8)])
    assert drift.vector_drift(texts(random, 500), mixed).is_warning


def test_many_texts_are_sampled_and_the_answer_stays_the_same(random):
    before, now = texts(random, 1_500), texts(random, 100)
    found = drift.vector_drift(before, now)
    assert (found.n_before, found.n_now) == (1_000, 100)
    assert found == drift.vector_drift(before, now)


def test_equal_vectors_are_no_warning():
    assert not drift.vector_drift(np.ones((50, 4)), np.ones((50, 4))).is_warning


@pytest.mark.parametrize("wrong", [np.ones(30), np.full((30, 4), np.nan), np.ones((30, 5))])
def test_what_are_no_such_vectors_is_refused(wrong):
    with pytest.raises(ValueError, match="Vectors"):
        drift.vector_drift(np.ones((30, 4)), wrong)


# --- Both -------------------------------------------------------------------------------------------------------------


def test_without_drift_at_most_one_comparison_in_twenty_warns(random):
    warned = 0
    for _ in range(150):
        first, second = texts(random, 60), texts(random, 40)
        warned += drift.compare(first, second, random.random(60), random.random(40)).is_warning
    assert warned <= 150 * 0.05 + 2 * np.sqrt(150 * 0.05 * 0.95)


def test_either_test_is_enough_to_warn(random):
    same, moved = (texts(random, 200), texts(random, 200)), (texts(random, 200), texts(random, 200, towards=1))
    sure, unsure = np.full(200, 0.9), np.full(200, 0.4)
    assert drift.compare(*same, sure, unsure).is_warning
    assert drift.compare(*moved, sure, sure).is_warning
    assert not drift.compare(*same, sure, sure).is_warning
