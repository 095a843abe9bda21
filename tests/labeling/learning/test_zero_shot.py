import json

import numpy as np
import pytest

from labeling.learning import zero_shot

DIM = 64


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def accuracy(head, texts, truth):
    return float((head.logits(texts).argmax(axis=1) == truth).mean())


def clusters(shares, n=2_000, misalignment=1.2, noise=1.8, seed=0):
    """Texts around true directions, and prototypes that point beside them."""
    rng = np.random.default_rng(seed)
    centers = unit(rng.normal(size=(len(shares), DIM)))
    truth = rng.choice(len(shares), size=n, p=shares)
    texts = unit(centers[truth] + noise * unit(rng.normal(size=(n, DIM))))
    words = unit(centers + misalignment * unit(rng.normal(size=centers.shape)))
    return words, texts, truth


def test_a_description_is_worded_with_and_without_the_name():
    sentences = zero_shot.category_sentences("card_arrival", "When a card comes.", ["Where is it?", " "])
    assert sentences == [
        "This text is about card arrival.",
        "card arrival: When a card comes.",
        "When a card comes.",
        "Where is it?",
    ]


def test_a_name_alone_has_sentences():
    assert zero_shot.category_sentences("Sports", "", ()) == ["Sports", "This text is about Sports."]


def test_prototypes_are_unit_means_of_their_groups():
    found = zero_shot.prototypes([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]], [2, 1])
    np.testing.assert_allclose(found, [[0.5**0.5, 0.5**0.5], [0.0, 1.0]], rtol=1e-6)


@pytest.mark.parametrize("counts", [[], [1, 1], [3, 0], [4]])
def test_counts_that_do_not_fit_the_sentences_are_refused(counts):
    with pytest.raises(ValueError, match="do not split"):
        zero_shot.prototypes(np.eye(3), counts)


def test_the_pool_corrects_misaligned_prototypes():
    words, texts, truth = clusters([0.25] * 4)
    fit = zero_shot.fit(words, texts)
    assert accuracy(fit.head, texts, truth) > accuracy(zero_shot.plain_head(words), texts, truth) + 0.03


def test_a_pool_of_very_uneven_shares_does_no_harm():
    words, texts, truth = clusters([0.7, 0.15, 0.1, 0.05])
    fit = zero_shot.fit(words, texts)
    assert accuracy(fit.head, texts, truth) >= accuracy(zero_shot.plain_head(words), texts, truth) - 0.01


def test_a_pool_that_does_not_differ_in_what_the_categories_say_is_not_followed():
    rng = np.random.default_rng(3)
    words = unit(rng.normal(size=(3, DIM)))
    strange = unit(rng.normal(size=(3, DIM)))  # texts cluster by something else
    texts = unit(strange[rng.integers(3, size=1_000)] + 0.5 * unit(rng.normal(size=(1_000, DIM))))
    texts -= texts @ np.linalg.pinv(words) @ words * 0.95
    fit = zero_shot.fit(words, texts)
    assert fit.blend == 0
    np.testing.assert_array_equal(fit.shares, fit.plain_shares)


def test_a_structureless_pool_keeps_plain_answers():
    rng = np.random.default_rng(4)
    words, texts = unit(rng.normal(size=(3, DIM))), unit(rng.normal(size=(2_000, DIM)))
    fit = zero_shot.fit(words, texts)
    plain = zero_shot.plain_head(words).logits(texts).argmax(axis=1)
    assert (fit.head.logits(texts).argmax(axis=1) == plain).mean() > 0.95


def test_estimated_shares_come_near_the_true_ones():
    shares = [0.6, 0.3, 0.1]
    words, texts, _ = clusters(shares, misalignment=0.8)
    np.testing.assert_allclose(zero_shot.fit(words, texts).shares, shares, atol=0.05)


def test_confidence_before_any_review_is_rather_too_low():
    words, texts, truth = clusters([0.25] * 4)
    fit = zero_shot.fit(words, texts)
    assert 0.25 < fit.mean_confidence <= accuracy(fit.head, texts, truth)


def test_the_stated_mean_confidence_is_the_heads():
    words, texts, _ = clusters([0.25] * 4)
    fit = zero_shot.fit(words, texts)
    assert fit.head.probabilities(texts).max(axis=1).mean() == pytest.approx(fit.mean_confidence, abs=1e-4)


def test_the_same_pool_gives_the_same_head():
    words, texts, _ = clusters([0.5, 0.5], n=300)
    first, second = zero_shot.fit(words, texts), zero_shot.fit(words, texts)
    np.testing.assert_array_equal(first.head.weights, second.head.weights)
    assert first.head.temperature == second.head.temperature


def test_an_empty_pool_gives_plain_zero_shot():
    words, _, _ = clusters([0.5, 0.5])
    fit = zero_shot.fit(words, np.empty((0, DIM)))
    np.testing.assert_allclose(fit.head.weights, zero_shot.plain_head(words).weights, atol=1e-6)
    assert (fit.n_texts, fit.blend) == (0, 0.0)


def test_one_category_is_always_the_answer():
    words, texts, _ = clusters([1.0], n=30)
    assert zero_shot.fit(words, texts).head.probabilities(texts).tolist() == [[1.0]] * 30


@pytest.mark.parametrize(("n_texts", "n_categories"), [(1, 1), (1, 2), (3, 20), (100, 200), (2, 2)])
def test_pools_of_any_size_give_finite_heads(n_texts, n_categories):
    words, texts, _ = clusters([1 / n_categories] * n_categories, n=n_texts)
    assert np.isfinite(zero_shot.fit(words, texts).head.probabilities(texts)).all()


def test_fewer_texts_than_categories_are_not_followed():
    words, texts, _ = clusters([0.05] * 20, n=15)
    assert zero_shot.fit(words, texts).blend == 0


@pytest.mark.parametrize("pool", [np.zeros((10, DIM)), np.ones((10, DIM)) / DIM**0.5])
def test_zero_and_equal_texts_are_survived(pool):
    words, _, _ = clusters([0.5, 0.5])
    assert np.isfinite(zero_shot.fit(words, pool).head.probabilities(pool)).all()


def test_equal_and_zero_prototypes_are_survived():
    _, texts, _ = clusters([0.5, 0.5])
    words = np.zeros((3, DIM), dtype=np.float32)
    words[:2, 0] = 1
    assert np.isfinite(zero_shot.fit(words, texts).head.probabilities(texts)).all()


def test_a_pool_of_another_width_is_refused():
    with pytest.raises(ValueError, match="one width"):
        zero_shot.fit(np.eye(3), np.ones((5, 4)))


@pytest.mark.parametrize(("n_categories", "size"), [(1, 2_000), (77, 3_850), (1_000, 20_000)])
def test_the_pool_sample_grows_with_the_categories(n_categories, size):
    assert zero_shot.pool_sample_size(n_categories) == size


def test_diagnostics_are_plain_numbers_for_json():
    words, texts, _ = clusters([0.5, 0.5], n=50)
    stored = json.loads(json.dumps(zero_shot.fit(words, texts).diagnostics()))
    assert len(stored["shares"]) == 2 and 0 <= stored["blend"] <= 1


def test_without_evidence_the_expected_accuracy_is_a_little_above_chance():
    assert zero_shot.expected_accuracy(0.0, 0.0, 100, 4) == pytest.approx(0.325)


def test_with_full_evidence_the_expected_accuracy_stays_below_one():
    assert 0.9 < zero_shot.expected_accuracy(1.0, 50.0, 10_000, 4) < 1
