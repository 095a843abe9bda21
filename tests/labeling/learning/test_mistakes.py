import numpy as np
import pytest

from labeling.learning import mistakes


def clusters(*sizes, dim=32, spread=0.15, seed=0):
    """Unit vectors around one direction a category, and their labels 0, 1, ..."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    vectors = random.normal(size=(len(sizes), dim))[labels] / np.sqrt(dim)
    vectors = vectors + random.normal(scale=spread, size=(len(labels), dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def changed(labels, rows):
    """The labels with those of `rows` moved to the next category."""
    labels = labels.copy()
    labels[rows] = (labels[rows] + 1) % (labels.max() + 1)
    return labels


def test_changed_labels_come_first():
    vectors, labels = clusters(60, 60, 60)
    rows = [3, 50, 77, 130, 171]
    found = mistakes.find(vectors, changed(labels, rows))
    assert set(found.rows[:5]) == set(rows)
    assert found.is_issue[:5].all()
    np.testing.assert_array_equal(found.suggested[:5], labels[found.rows[:5]])
    assert (found.self_confidence[:5] < found.suggested_confidence[:5]).all()


def test_most_changed_labels_are_found_where_categories_touch():
    vectors, labels = clusters(300, 300, 100, spread=0.25, seed=1)
    rows = np.random.default_rng(2).permutation(len(labels))[:35]
    found = mistakes.find(vectors, changed(labels, rows))
    assert np.isin(found.rows[:70], rows).sum() >= 30


def test_right_labels_of_clear_categories_are_no_issue():
    found = mistakes.find(*clusters(50, 50, 10))
    assert len(found.rows) == 110
    assert not found.is_issue.any()


def test_every_judged_text_is_there_once_and_ordered_by_how_much_the_others_contradict_it():
    vectors, labels = clusters(40, 40, spread=0.4)
    found = mistakes.find(vectors, labels)
    assert sorted(found.rows) == list(range(80))
    odds = found.self_confidence / (found.self_confidence + found.suggested_confidence)
    assert (np.diff(odds) >= 0).all()
    assert (found.suggested != labels[found.rows]).all()


def test_a_text_does_not_speak_for_itself():
    """Of two texts alike the second's label decides the first's probabilities, its own does not."""
    vectors, labels = clusters(40, 40, spread=0.3)
    other = changed(labels, [7])
    held, moved = (mistakes._neighbours(vectors, one)[7] for one in (labels, other))
    np.testing.assert_allclose(held, moved, atol=0.001)  # only the shares of all categories moved, by one text


def test_the_leave_one_out_of_ridge_is_that_of_fitting_again_without_the_text(monkeypatch):
    vectors, labels = clusters(20, 15, 10, spread=0.3)
    truth, without = np.eye(3, dtype=np.float32)[labels], np.arange(45) != 12
    means = vectors[without].mean(axis=0), truth[without].mean(axis=0)
    centred = vectors[without] - means[0]
    slope = np.linalg.solve(centred.T @ centred + np.eye(32), centred.T @ (truth[without] - means[1]))
    monkeypatch.setattr(mistakes, "PENALTIES", (1.0,))
    expected = means[1] + (vectors[12] - means[0]) @ slope
    np.testing.assert_allclose(mistakes._left_out(vectors, truth)[12], expected, atol=1e-4)


def test_blocks_change_nothing(monkeypatch):
    vectors, labels = clusters(50, 33, 20)
    whole = mistakes._neighbours(vectors, labels)
    monkeypatch.setattr(mistakes, "BLOCK", 17)
    np.testing.assert_allclose(mistakes._neighbours(vectors, labels), whole, atol=1e-6)


def test_the_same_texts_give_the_same_findings():
    vectors, labels = clusters(40, 40, 40, spread=0.4)
    first, second = mistakes.find(vectors, labels), mistakes.find(vectors, labels)
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.self_confidence, second.self_confidence)


def test_labels_may_be_any_numbers():
    vectors, labels = clusters(40, 40)
    plain = mistakes.find(vectors, changed(labels, [5]))
    named = mistakes.find(vectors, np.array([1009, -3])[changed(labels, [5])])
    assert (plain.rows[0], plain.suggested[0]) == (5, 0)
    assert (named.rows[0], named.suggested[0]) == (5, 1009)


def test_categories_of_one_or_two_texts_are_left_out():
    vectors, labels = clusters(40, 40, 2, 1, 3)
    found = mistakes.find(vectors, labels)
    assert found.left_out == 3
    assert sorted(found.rows) == [*range(80), 83, 84, 85]
    assert not np.isin(found.suggested, [2, 3]).any()


@pytest.mark.parametrize(
    ("sizes", "reason", "left_out"),
    [
        ((10, 10), "few_texts", 0),
        ((49, 2, 2), "few_texts", 4),
        ((60,), "one_category", 0),
        ((60, 2), "one_category", 2),
    ],
)
def test_where_nothing_can_be_judged_the_reason_is_given(sizes, reason, left_out):
    found = mistakes.find(*clusters(*sizes))
    assert (len(found.rows), found.reason, found.left_out) == (0, reason, left_out)


def test_no_texts_are_too_few():
    assert mistakes.find(np.empty((0, 0)), []).reason == "few_texts"


@pytest.mark.parametrize("vector", [np.eye(8)[0], np.zeros(8)], ids=["all alike", "all empty"])
def test_texts_that_are_all_alike_tell_nothing(vector):
    found = mistakes.find(np.tile(vector, (60, 1)), [0, 1] * 30)
    assert (len(found.rows), found.reason) == (0, "indistinct")


def test_labels_at_random_tell_nothing():
    vectors, _ = clusters(200, dim=16, spread=1.0)
    labels = np.random.default_rng(3).integers(0, 3, 200)
    assert mistakes.find(vectors, labels).reason == "indistinct"


def test_twins_empty_texts_and_a_small_category_give_numbers():
    vectors, labels = clusters(100, 30, 3)
    vectors[:20], vectors[100:104] = vectors[0], 0
    found = mistakes.find(vectors, labels)
    assert np.isfinite(found.self_confidence).all()
    assert np.isfinite(found.suggested_confidence).all()
    assert ((found.self_confidence > 0) & (found.self_confidence + found.suggested_confidence < 1.0001)).all()


def test_vectors_of_sixteen_bits_will_do():
    vectors, labels = clusters(40, 40)
    assert mistakes.find(vectors.astype(np.float16), changed(labels, [5])).rows[0] == 5


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match="disagree"):
        mistakes.find(np.ones((4, 3)), [0, 1])


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        mistakes.find(np.full((2, 3), np.nan), [0, 1])
