import numpy as np
from scipy.optimize import check_grad

from labeling.learning import members
from labeling.learning.classifier import softmax

DIM = 16


def test_the_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(6)
    problem = members.Regression(
        vectors=rng.normal(size=(12, 5)),
        labels=rng.integers(0, 3, size=12),
        base=rng.normal(size=(12, 3)),
        rest=rng.normal(size=12),
        penalty=0.3,
    )
    move = rng.normal(size=6 * 3)
    assert check_grad(lambda at: problem(at)[0], lambda at: problem(at)[1], move) < 1e-5


def test_a_mix_of_heads_is_the_mix_of_their_log_probabilities():
    rng = np.random.default_rng(8)
    parts = [members.Scores(rng.normal(size=(DIM, 3)), rng.normal(size=3)) for _ in range(2)]
    vectors = rng.normal(size=(20, DIM))
    one, two = (np.log(softmax(vectors @ part.weights + part.bias)) for part in parts)
    mixed = members.mixed(parts, (0.3, 0.6))
    found = softmax(vectors @ mixed.weights + mixed.bias)
    np.testing.assert_allclose(found, softmax(0.3 * one + 0.6 * two), rtol=1e-4, atol=1e-6)


def test_shares_of_even_reviews_say_nothing():
    assert np.allclose(members.log_shares(np.array([0, 1, 2]), np.ones(3), 3), 0)


def test_shares_count_a_review_that_each_category_is_given():
    """Three of the first and none of the second: (3 + 1) / 5 and (0 + 1) / 5, of even shares of a half."""
    found = members.log_shares(np.zeros(3, dtype=int), np.ones(3), 2)
    np.testing.assert_allclose(found, np.log([8 / 5, 2 / 5]))
