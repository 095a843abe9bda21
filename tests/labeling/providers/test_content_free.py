import numpy as np

from labeling.providers.content_free import calibrated


def test_a_prior_without_favourites_changes_nothing() -> None:
    np.testing.assert_allclose(calibrated(np.log([[0.2, 0.3]]), np.log([[0.1, 0.1]])), [[0.4, 0.6]], atol=1e-6)


def test_what_is_said_of_no_text_is_taken_out() -> None:
    # (0.6 / 0.75, 0.4 / 0.25) = (0.8, 1.6)
    np.testing.assert_allclose(calibrated(np.log([[0.6, 0.4]]), np.log([[0.75, 0.25]])), [[1 / 3, 2 / 3]], atol=1e-6)


def test_the_prior_is_the_mean_of_the_inputs_shares() -> None:
    # Shares of the inputs: (0.5, 0.5) and (0.9, 0.1); their mean (0.7, 0.3).
    inputs = np.log([[0.001, 0.001], [0.9, 0.1]])
    np.testing.assert_allclose(calibrated(np.log([[0.7, 0.3]]), inputs), [[0.5, 0.5]], atol=1e-6)


def test_likelihoods_too_small_for_a_number_are_compared() -> None:
    np.testing.assert_allclose(calibrated([[-2000.0, -2001.0]], [[-3000.0, -3000.0]]).sum(), 1, atol=1e-6)
    assert calibrated([[-2000.0, -2001.0]], [[-3000.0, -3000.0]])[0, 0] > 0.7
