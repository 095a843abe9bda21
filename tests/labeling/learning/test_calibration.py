import numpy as np
import pytest

from labeling.learning import calibration


@pytest.fixture
def random():
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        ([[1.0, 0.0]], [0, 1]),
        ([[1.0, 0.0], [1.0, 0.0]], [0]),
        ([[1.0, 0.0]], [2]),
        ([[1.0, 0.0]], [-1]),
        ([[1.0, 0.0]], [0.5]),
        ([[np.nan, 0.0]], [0]),
        ([1.0, 0.0], [0, 1]),
    ],
)
def test_logits_and_labels_that_do_not_fit_are_refused(logits, labels):
    with pytest.raises(ValueError, match="Scores"):
        calibration.brier_score(logits, labels)


# --- Reliability ------------------------------------------------------------------------------------------------------


def test_bins_hold_equal_mass():
    bins = calibration.reliability(np.arange(150) / 150, np.ones(150))
    assert [one.share for one in bins] == pytest.approx([1 / 15] * 15)
    assert bins[0].confidence == pytest.approx(np.mean(np.arange(10) / 150))


def test_bins_hold_equal_weight():
    weights = np.where(np.arange(150) < 75, 3.0, 1.0)
    assert [one.share for one in calibration.reliability(np.arange(150) / 150, np.ones(150), weights)] == pytest.approx(
        [1 / 15] * 15, abs=0.015
    )


def test_equal_confidences_stay_in_one_bin_in_any_order(random):
    confidence = np.repeat([0.2, 0.6, 0.9], [10, 70, 20])
    correct = random.random(100) < confidence
    order = random.permutation(100)
    bins = calibration.reliability(confidence, correct)
    assert [(one.confidence, one.share) for one in bins] == [
        (pytest.approx(0.2), pytest.approx(0.1)),
        (pytest.approx(0.6), pytest.approx(0.7)),
        (pytest.approx(0.9), pytest.approx(0.2)),
    ]
    again = calibration.reliability(confidence[order], correct[order])
    np.testing.assert_allclose([one.accuracy for one in again], [one.accuracy for one in bins])


def test_fewer_texts_than_bins_are_a_bin_each():
    assert len(calibration.reliability([0.1, 0.5, 0.9], [0, 1, 1])) == 3


def test_texts_without_weight_have_no_bin():
    bins = calibration.reliability([0.1, 0.5], [1, 0], weights=[0, 1])
    assert bins == [calibration.Bin(0.5, 0.0, 1.0)]


def test_the_calibration_error_of_calibrated_labels_is_near_zero(random):
    confidence = random.uniform(0.3, 1, 30_000)
    assert calibration.expected_calibration_error(confidence, random.random(30_000) < confidence) < 0.015


def test_the_calibration_error_of_a_known_miscalibration_is_its_size(random):
    confidence = random.uniform(0.5, 1, 30_000)
    error = calibration.expected_calibration_error(confidence, random.random(30_000) < confidence - 0.2)
    assert error == pytest.approx(0.2, abs=0.01)


def test_the_calibration_error_by_hand():
    """Two bins: sure at .9 and half right, unsure at .5 and all right."""
    assert calibration.expected_calibration_error([0.9, 0.9, 0.5, 0.5], [1, 0, 1, 1]) == pytest.approx(0.45)
    assert calibration.expected_calibration_error([0.9, 0.9, 0.5], [1, 0, 1], [1, 1, 6]) == pytest.approx(0.475)


# --- Scores -----------------------------------------------------------------------------------------------------------


def test_brier_score_by_hand():
    """(.7 - 1)^2 + .2^2 + .1^2 = .14 and .5^2 + (.5 - 1)^2 = .5."""
    rows = [[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]]
    assert calibration.brier_score(rows, [0, 1]) == pytest.approx(0.32)
    assert calibration.brier_score(rows, [0, 1], [3, 1]) == pytest.approx(0.23)
    assert calibration.brier_score([[1.0, 0.0]], [1]) == 2.0


def test_log_loss_by_hand():
    rows = [[0.25, 0.75], [0.5, 0.5]]
    assert calibration.log_loss(rows, [0, 1]) == pytest.approx((np.log(4) + np.log(2)) / 2)
    assert calibration.log_loss(rows, [0, 1], [1, 3]) == pytest.approx((np.log(4) + 3 * np.log(2)) / 4)


def test_the_log_loss_of_a_sure_mistake_is_large_but_finite():
    assert 20 < calibration.log_loss([[1.0, 0.0]], [1]) < 30


def test_no_texts_have_no_error():
    nothing = np.zeros((0, 2))
    assert calibration.brier_score(nothing, []) == calibration.log_loss(nothing, []) == 0.0
    assert calibration.expected_calibration_error([], []) == 0.0


# --- Weights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan], [[1.0, 1.0]]])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(ValueError, match="Weights"):
        calibration.expected_calibration_error([0.5, 0.6], [1, 0], weights)


def test_no_weights_are_equal_ones():
    assert calibration.normalized(None, 4).tolist() == [0.25] * 4
    assert calibration.normalized([1, 3], 2).tolist() == [0.25, 0.75]


def test_confidences_and_answers_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match="of one length"):
        calibration.reliability([0.5, 0.6], [1])
