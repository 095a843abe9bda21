import numpy as np
import pytest

from labeling.learning import answers, stacked
from labeling.learning.classifier import LinearHead, softmax
from labeling.learning.quality import measure

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


def confusion(kind: str) -> np.ndarray:
    """How often a made-up model says each category (columns) of texts of each category (rows)."""
    right = {"good": 0.9, "biased": 0.9, "weak": 0.6, "useless": 1 / CATEGORIES}[kind]
    rows = np.full((CATEGORIES, CATEGORIES), (1 - right) / (CATEGORIES - 1))
    np.fill_diagonal(rows, right)
    if kind == "biased":  # it takes nearly all of the first category for the second
        rows[0] = [0.1, 0.8, 0.05, 0.05]
    return rows


def texts(centers, kind, count, *, spread=0.35, seed=2, shares=None):
    """Features (count, CATEGORIES + DIM) by a model of this kind, too sure of itself, and categories (count,)."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(CATEGORIES, size=count, p=shares)
    vectors = unit(centers[labels] + spread * rng.normal(size=(count, DIM)))
    said = np.array([rng.choice(CATEGORIES, p=row) for row in confusion(kind)[labels]], dtype=int)
    scores = 6.0 * np.eye(CATEGORIES)[said] + rng.normal(size=(count, CATEGORIES))
    return answers.features(np.log(softmax(scores)), vectors), labels


def accuracy(head, rows, labels):
    return float((head.logits(rows).argmax(axis=1) == labels).mean())


def test_the_own_answer_is_the_models(centers):
    rng = np.random.default_rng(3)
    given = softmax(rng.normal(size=(50, CATEGORIES)) * 5)
    rows = answers.features(np.log(given), rng.normal(size=(50, DIM)))
    np.testing.assert_allclose(answers.own_answer(CATEGORIES, DIM).probabilities(rows), given, atol=1e-6)


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_reviews_change_nothing(centers, prior, count):
    fit = stacked.fit(*texts(centers, "good", count), prior)
    rows, _ = texts(centers, "good", 100, seed=3)
    np.testing.assert_array_equal(fit.head.probabilities(rows), answers.own_answer(CATEGORIES, DIM).probabilities(rows))
    assert (fit.n_reviews, fit.probabilities.shape) == (count, (count, CATEGORIES))


def gaps(centers, prior, kind, count) -> tuple[float, float]:
    """Mean accuracy of the stacked head less that of the model, and of the learner on vectors, alone."""
    rows, truth = texts(centers, kind, 2000, seed=3)
    model = accuracy(answers.own_answer(CATEGORIES, DIM), rows, truth)
    found = []
    for seed in range(3):
        fit = stacked.fit(*texts(centers, kind, count, seed=10 + seed), prior)
        reached = accuracy(fit.head, rows, truth)
        found.append((reached - model, reached - accuracy(fit.vectors.head, rows[:, CATEGORIES:], truth)))
    return tuple(np.mean(found, axis=0))


@pytest.mark.parametrize("kind", ["good", "biased", "useless"])
def test_a_few_reviews_make_it_no_worse_than_the_model(centers, prior, kind):
    assert gaps(centers, prior, kind, 10)[0] > -0.01


@pytest.mark.parametrize("kind", ["good", "biased", "useless"])
@pytest.mark.parametrize("count", [50, 300])
def test_more_reviews_make_it_no_worse_than_the_model_or_the_vectors_alone(centers, prior, kind, count):
    assert min(gaps(centers, prior, kind, count)) > -0.01


def test_reviews_correct_a_model_that_confuses_two_categories(centers, prior):
    others = texts(centers, "biased", 2000, seed=3, spread=0.8)
    fit = stacked.fit(*texts(centers, "biased", 200, spread=0.8), prior)
    of_the_first = others[1] == 0
    before = accuracy(answers.own_answer(CATEGORIES, DIM), others[0][of_the_first], others[1][of_the_first])
    after = accuracy(fit.head, others[0][of_the_first], others[1][of_the_first])
    assert before < 0.15
    assert after > before + 0.3


def test_a_useless_model_is_given_up(centers, prior):
    fit = stacked.fit(*texts(centers, "useless", 400), prior)
    assert np.abs(fit.head.weights[:CATEGORIES]).max() < 0.1


def test_a_frequent_category_is_not_counted_twice(centers, prior, monkeypatch):
    shares = [0.85, 0.05, 0.05, 0.05]
    rows, labels = texts(centers, "biased", 800, spread=0.6, shares=shares)
    others = texts(centers, "biased", 3000, spread=0.6, seed=3, shares=shares)
    fit = stacked.fit(rows, labels, prior)
    monkeypatch.setattr(stacked, "BOUNDS", (*stacked.BOUNDS[:3], (0.0, 0.0)))
    twice = stacked.fit(rows, labels, prior)
    losses = [measure(one.head.probabilities(others[0]), others[1]).log_loss for one in (fit, twice)]
    assert fit.parts[3] < -0.1
    assert losses[0] < losses[1]


def test_out_of_fold_quality_holds_on_other_texts(centers, prior):
    fit = stacked.fit(*texts(centers, "good", 300, spread=0.6), prior)
    rows, labels = texts(centers, "good", 3000, spread=0.6, seed=3)
    assert abs(accuracy(fit.head, rows, labels) - fit.quality.accuracy) < 0.05
    assert fit.quality.ece < 0.06


def test_the_same_reviews_give_the_same_head(centers, prior):
    rows, labels = texts(centers, "good", 60)
    one, two = (stacked.fit(rows, labels, prior, pool=rows, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.head.weights, two.head.weights)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_weights_undo_a_choice_that_was_not_even(centers, prior):
    rows, labels = texts(centers, "useless", 6000, spread=0.9)
    chance = np.where(labels == 0, 0.5, 0.05)
    taken = np.random.default_rng(4).random(len(labels)) < chance
    others = texts(centers, "useless", 3000, spread=0.9, seed=3)
    even = stacked.fit(rows[taken], labels[taken], prior)
    weighted = stacked.fit(rows[taken], labels[taken], prior, weights=1 / chance[taken])
    assert accuracy(weighted.head, *others) > accuracy(even.head, *others)


def test_a_single_category_is_certain():
    rows = answers.features(np.zeros((12, 1)), unit(np.ones((12, 3))))
    fit = stacked.fit(rows, np.zeros(12, dtype=int), LinearHead(np.ones((3, 1)), np.zeros(1)))
    assert fit.head.probabilities(rows).tolist() == [[1.0]] * 12


def test_diagnostics_are_plain_numbers(centers, prior):
    figures = stacked.fit(*texts(centers, "good", 30), prior).diagnostics()
    assert all(isinstance(value, int | float) for value in figures.values())
    assert figures["n_reviews"] == 30


@pytest.mark.parametrize(
    ("width", "labels", "more"),
    [
        (CATEGORIES + DIM - 1, [0, 1, 2], {}),
        (CATEGORIES + DIM, [0, 1], {}),
        (CATEGORIES + DIM, [0, 1, CATEGORIES], {}),
        (CATEGORIES + DIM, [0, 1, 2], {"pool": np.ones((5, DIM))}),
        (CATEGORIES + DIM, [0, 1, 2], {"weights": [1, 1]}),
    ],
)
def test_arguments_that_disagree_are_refused(prior, width, labels, more):
    with pytest.raises(ValueError, match=r"must|do not fit"):
        stacked.fit(np.ones((3, width)), labels, prior, **more)
