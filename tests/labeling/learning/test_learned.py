import json

import numpy as np
import pytest

from labeling.learning import learned
from labeling.learning.classifier import LinearHead
from labeling.learning.quality import CategoryQuality, measure

DIM, CATEGORIES = 16, 4


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def centers() -> np.ndarray:
    return unit(np.random.default_rng(0).normal(size=(CATEGORIES, DIM)))


@pytest.fixture
def prior(centers) -> LinearHead:
    """Words that point roughly to their category."""
    words = unit(centers + 0.25 * np.random.default_rng(1).normal(size=centers.shape))
    return LinearHead(words.T, np.zeros(CATEGORIES), 0.1)


def texts(centers, count, *, spread=0.1, seed=2, shares=None):
    """Vectors (count, DIM) around the centers and their categories (count,)."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(centers), size=count, p=shares)
    return unit(centers[labels] + spread * rng.normal(size=(count, centers.shape[1]))).astype(np.float32), labels


def accuracy(head, vectors, labels):
    return float((head.logits(vectors).argmax(axis=1) == labels).mean())


def test_separable_categories_are_learned_without_an_error(centers, prior):
    fit = learned.fit(*texts(centers, 60, spread=0.05), prior)
    assert accuracy(fit.head, *texts(centers, 400, spread=0.05, seed=3)) == 1.0


def test_reviews_correct_a_prior_that_has_the_categories_mixed_up(centers, prior):
    wrong = LinearHead(prior.weights[:, ::-1], prior.bias, prior.temperature)
    fit = learned.fit(*texts(centers, 100), wrong)
    assert accuracy(fit.head, *texts(centers, 400, seed=3)) > 0.99


def test_without_reviews_the_prior_answers(centers, prior):
    fit = learned.fit(np.empty((0, DIM)), np.empty(0, dtype=int), prior)
    vectors, _ = texts(centers, 20)
    np.testing.assert_allclose(fit.head.probabilities(vectors), prior.probabilities(vectors), rtol=1e-4)
    assert (fit.n_reviews, fit.mix, fit.probabilities.shape) == (0, 0.0, (0, CATEGORIES))


@pytest.mark.parametrize("count", [5, 40])
def test_a_category_without_reviews_keeps_the_column_of_the_prior(centers, prior, count):
    vectors, labels = texts(centers[:3], count)
    fit = learned.fit(vectors, labels, prior)
    np.testing.assert_allclose(fit.head.weights[:, 3], prior.weights[:, 3], rtol=1e-5, atol=1e-7)
    assert not np.allclose(fit.head.weights[:, 0], prior.weights[:, 0], rtol=1e-3)


def test_a_few_wrong_reviews_hardly_change_the_answers(centers, prior):
    vectors, labels = texts(centers, 4)
    fit = learned.fit(vectors, (labels + 1) % CATEGORIES, prior)
    pool, _ = texts(centers, 400, seed=3)
    same = fit.head.logits(pool).argmax(axis=1) == prior.logits(pool).argmax(axis=1)
    assert same.mean() > 0.95


@pytest.mark.parametrize("count", [1, 2, 9, 10, 15])
def test_few_reviews_cost_no_accuracy(centers, prior, count):
    fit = learned.fit(*texts(centers, count, spread=0.2), prior)
    others = texts(centers, 1000, spread=0.2, seed=3)
    assert accuracy(fit.head, *others) >= accuracy(prior, *others) - 0.01


def test_reviews_teach_how_frequent_a_category_is(centers, prior):
    shares = [0.85, 0.05, 0.05, 0.05]
    fit = learned.fit(*texts(centers, 60, spread=0.8, shares=shares), prior)
    others = texts(centers, 2000, spread=0.8, seed=3, shares=shares)
    assert accuracy(fit.head, *others) > accuracy(prior, *others) + 0.1
    assert accuracy(fit.head, *others) >= 0.85 - 0.01


def test_weights_undo_a_choice_that_was_not_even(centers, prior):
    vectors, labels = texts(centers, 8000, spread=0.8)
    chance = np.where(labels == 0, 0.5, 0.05)
    taken = np.random.default_rng(4).random(len(labels)) < chance
    others = texts(centers, 2000, spread=0.8, seed=3)
    even = learned.fit(vectors[taken], labels[taken], prior)
    weighted = learned.fit(vectors[taken], labels[taken], prior, weights=1 / chance[taken])
    assert accuracy(weighted.head, *others) > accuracy(even.head, *others)
    assert abs(weighted.quality.accuracy - accuracy(weighted.head, *others)) < 0.05


def test_the_same_reviews_give_the_same_head(centers, prior):
    vectors, labels = texts(centers, 50, spread=0.4)
    one, two = (learned.fit(vectors, labels, prior, pool=vectors, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.head.weights, two.head.weights)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    assert one.diagnostics() == two.diagnostics()


def test_a_single_category_is_certain():
    head = LinearHead(np.ones((3, 1)), np.zeros(1))
    fit = learned.fit(unit(np.ones((12, 3))), np.zeros(12, dtype=int), head)
    assert fit.quality.accuracy == 1.0 and fit.probabilities.tolist() == [[1.0]] * 12


def test_out_of_fold_probabilities_do_not_know_their_own_label(prior):
    rng = np.random.default_rng(5)
    vectors, labels = unit(rng.normal(size=(300, DIM))), rng.integers(0, CATEGORIES, size=300)
    fit = learned.fit(vectors, labels, prior)
    assert abs(fit.quality.accuracy - 1 / CATEGORIES) < 0.1
    np.testing.assert_allclose(fit.probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_out_of_fold_confidence_holds_on_other_texts(centers, prior):
    fit = learned.fit(*texts(centers, 300, spread=0.5), prior)
    vectors, labels = texts(centers, 3000, spread=0.5, seed=3)
    elsewhere = measure(fit.head.probabilities(vectors), labels)
    assert elsewhere.ece < 0.06
    assert abs(elsewhere.accuracy - fit.quality.accuracy) < 0.05


def test_folds_hold_each_category_evenly():
    labels = np.repeat([0, 1, 2], [10, 5, 20])
    folds = learned._folds(labels, 5, seed=0)
    for category, count in enumerate((2, 1, 4)):
        assert np.bincount(folds[labels == category], minlength=5).tolist() == [count] * 5


def test_quality_of_known_answers():
    probabilities = np.array([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.3, 0.7, 0.0], [0.9, 0.1, 0.0]], dtype=np.float32)
    quality = measure(probabilities, np.array([0, 1, 1, 0]))
    assert quality.accuracy == pytest.approx(0.75)
    assert quality.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert quality.log_loss == pytest.approx(-np.log([0.8, 0.4, 0.7, 0.9]).mean(), rel=1e-5)
    assert quality.brier == pytest.approx(2 * np.mean(np.square([0.2, 0.6, 0.3, 0.1])), rel=1e-5)
    assert quality.categories[0] == CategoryQuality(pytest.approx(2 / 3), pytest.approx(1.0), 2)
    assert quality.categories[2] == CategoryQuality(None, None, 0)


def test_diagnostics_are_plain_numbers(centers, prior):
    fit = learned.fit(*texts(centers, 30), prior)
    figures = json.loads(json.dumps(fit.diagnostics()))
    assert (figures["n_reviews"], figures["choices"]) == (30, fit.choices.as_dict())
    assert figures["mix"] == pytest.approx(fit.mix, abs=1e-4)


@pytest.mark.parametrize(
    ("vectors", "labels", "more"),
    [
        (np.ones((3, DIM + 1)), [0, 1, 2], {}),
        (np.ones(DIM), [0], {}),
        (np.ones((3, DIM)), [0, 1], {}),
        (np.ones((3, DIM)), [0, 1, CATEGORIES], {}),
        (np.ones((3, DIM)), [0, 1, -1], {}),
        (np.ones((3, DIM)), [0, 1, 0.5], {}),
        (np.full((3, DIM), np.nan), [0, 1, 2], {}),
        (np.ones((3, DIM)), [0, 1, 2], {"weights": [1, 1]}),
        (np.ones((3, DIM)), [0, 1, 2], {"weights": [1, 1, -1]}),
        (np.ones((3, DIM)), [0, 1, 2], {"pool": np.ones((5, DIM - 1))}),
    ],
)
def test_arguments_that_disagree_are_refused(prior, vectors, labels, more):
    with pytest.raises(ValueError, match=r"must|do not fit"):
        learned.fit(vectors, labels, prior, **more)


# --- Again, with the choices held -------------------------------------------------------------------------------------


def test_a_refit_on_the_same_reviews_answers_like_the_fit(centers, prior):
    vectors, labels = texts(centers, 80, spread=0.25)
    fit = learned.fit(vectors, labels, prior)
    again = learned.refit(vectors, labels, prior, fit.choices)
    others, _ = texts(centers, 400, spread=0.25, seed=3)
    np.testing.assert_allclose(again.head.probabilities(others), fit.head.probabilities(others), atol=0.02)


def test_a_warm_start_comes_to_the_same_as_a_cold_one(centers, prior):
    vectors, labels = texts(centers, 120, spread=0.25)
    choices = learned.fit(vectors[:100], labels[:100], prior).choices
    first = learned.refit(vectors[:100], labels[:100], prior, choices)
    warm = learned.refit(vectors, labels, prior, choices, before=first)
    cold = learned.refit(vectors, labels, prior, choices)
    others, _ = texts(centers, 400, spread=0.25, seed=3)
    np.testing.assert_allclose(warm.head.probabilities(others), cold.head.probabilities(others), atol=0.05)


def test_new_reviews_change_the_answers_of_a_refit(centers, prior):
    vectors, labels = texts(centers, 60)
    choices = learned.fit(vectors, labels, prior).choices
    wrong = np.where(labels == 0, 1, labels)
    head = learned.refit(vectors, wrong, prior, choices).head
    others, right = texts(centers, 400, seed=3)
    assert (head.logits(others[right == 0]).argmax(axis=1) == 1).mean() > 0.5


def test_a_category_without_reviews_keeps_its_column_in_a_refit(centers, prior):
    vectors, labels = texts(centers[:3], 40)
    head = learned.refit(vectors, labels, prior, learned.fit(vectors, labels, prior).choices).head
    np.testing.assert_allclose(head.weights[:, 3], prior.weights[:, 3], rtol=1e-5, atol=1e-7)


def test_choices_survive_being_stored(centers, prior):
    choices = learned.fit(*texts(centers, 40), prior).choices
    assert learned.Choices.from_dict(json.loads(json.dumps(choices.as_dict()))) == choices


def test_there_are_no_choices_with_few_reviews(centers, prior):
    assert learned.fit(*texts(centers, 5), prior).choices is None
