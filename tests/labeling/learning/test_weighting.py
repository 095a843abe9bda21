import numpy as np
import pytest

from labeling.learning.weighting import MOST, effective, stratum_weights


def test_a_random_pick_needs_no_weights() -> None:
    pool = np.linspace(0, 1, 10_000)
    assert stratum_weights(pool[::10], pool) == pytest.approx(np.ones(1000), abs=0.05)


def test_weights_mend_a_pick_of_doubtful_texts() -> None:
    random = np.random.default_rng(0)
    pool = random.random(20_000)
    right = random.random(20_000) < pool
    picked = np.flatnonzero(random.random(20_000) < 0.02 + 0.3 * (1 - pool))
    weights = stratum_weights(pool[picked], pool)
    assert np.average(right[picked]) < 0.40
    assert np.average(right[picked], weights=weights) == pytest.approx(0.5, abs=0.02)


def test_the_fewer_were_picked_the_more_even_are_their_weights() -> None:
    pool = np.linspace(0, 1, 10_000)
    spreads = [
        np.ptp(np.log(stratum_weights(np.r_[pool[:: 10_000 // n], np.zeros(n)], pool))) for n in (20, 100, 1_000)
    ]
    assert spreads[0] < spreads[1] < spreads[2]


def test_no_text_outweighs_all_others() -> None:
    pool = np.concatenate([np.zeros(10), np.ones(10_000)]) + np.linspace(0, 0.01, 10_010)
    weights = stratum_weights(np.r_[np.zeros(100), 1.0], pool)
    assert weights.max() <= MOST * np.median(weights)


def test_nothing_picked_and_nothing_to_stand_for() -> None:
    assert stratum_weights([], [0.5]).shape == (0,)
    assert stratum_weights([0.5, 0.6], []).tolist() == [1.0, 1.0]


def test_even_weights_are_worth_as_many_texts_as_there_are() -> None:
    assert effective(None, 4).tolist() == [1.0] * 4


def test_uneven_weights_are_worth_fewer_texts() -> None:
    """3, 1: (3 + 1)^2 / (9 + 1) = 1.6 even texts [KIS65]."""
    np.testing.assert_allclose(effective([3, 1], 2), [1.2, 0.4])
