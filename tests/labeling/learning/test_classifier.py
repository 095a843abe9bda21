import io

import numpy as np
import pytest

from labeling.learning.classifier import LinearHead, softmax


@pytest.fixture
def head() -> LinearHead:
    rng = np.random.default_rng(0)
    return LinearHead(rng.normal(size=(8, 3)), rng.normal(size=3), temperature=0.5)


@pytest.fixture
def embeddings() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)


def test_softmax_of_known_logits():
    np.testing.assert_allclose(softmax([[np.log(1.0), np.log(3.0)]]), [[0.25, 0.75]], rtol=1e-6)


def test_softmax_of_huge_logits_does_not_overflow():
    np.testing.assert_allclose(softmax([[1e6, 1e6], [-1e6, 1e6]]), [[0.5, 0.5], [0.0, 1.0]])


def test_probabilities_of_each_row_sum_to_one(head, embeddings):
    np.testing.assert_allclose(head.probabilities(embeddings).sum(axis=1), 1.0, rtol=1e-6)


def test_logits_are_the_scores_over_the_temperature():
    head = LinearHead([[1.0, 0.0], [0.0, 2.0]], [0.5, -0.5], temperature=2.0)
    np.testing.assert_allclose(head.logits([[1.0, 1.0]]), [[0.75, 0.75]])


def test_chunks_give_the_same_probabilities_as_the_whole(head, embeddings):
    parts = [head.probabilities(embeddings[:7]), head.probabilities(embeddings[7:])]
    np.testing.assert_allclose(np.concatenate(parts), head.probabilities(embeddings), rtol=1e-5)


def test_half_precision_embeddings_are_scored_in_single_precision(head, embeddings):
    assert head.probabilities(embeddings.astype(np.float16)).dtype == np.float32


def test_no_texts_give_no_rows(head):
    assert head.probabilities(np.empty((0, 8))).shape == (0, 3)


def test_a_single_category_is_certain():
    assert LinearHead(np.ones((4, 1)), np.zeros(1)).probabilities(np.ones((2, 4))).tolist() == [[1.0], [1.0]]


def test_contrast_is_the_category_against_the_mean_of_the_others():
    head = LinearHead([[1.0, 0.0, 0.0], [0.0, 1.0, 3.0]], np.zeros(3))
    np.testing.assert_allclose(head.contrast([0, 2]), [[1.0, -2.0], [-0.5, 2.5]])


def test_contrast_of_a_single_category_is_its_direction():
    np.testing.assert_allclose(LinearHead([[2.0], [1.0]], [0.0]).contrast([0, 0]), [[2.0, 1.0], [2.0, 1.0]])


def test_bytes_bring_back_the_same_head(head, embeddings):
    copy = LinearHead.from_bytes(head.to_bytes())
    np.testing.assert_array_equal(copy.probabilities(embeddings), head.probabilities(embeddings))


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


def _npz_without_bias() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.ones((2, 2)))
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04broken", _npy(), _npz_without_bias()])
def test_foreign_bytes_are_refused(data):
    with pytest.raises(ValueError, match="not a stored linear head"):
        LinearHead.from_bytes(data)


def test_a_cut_archive_is_refused(head):
    with pytest.raises(ValueError, match="not a stored linear head"):
        LinearHead.from_bytes(head.to_bytes()[:-40])


@pytest.mark.parametrize(
    ("weights", "bias", "temperature"),
    [
        (np.ones(3), np.zeros(3), 1.0),
        (np.ones((3, 0)), np.zeros(0), 1.0),
        (np.ones((3, 2)), np.zeros(3), 1.0),
        (np.full((3, 2), np.nan), np.zeros(2), 1.0),
        (np.ones((3, 2)), np.zeros(2), 0.0),
        (np.ones((3, 2)), np.zeros(2), float("nan")),
    ],
)
def test_a_head_that_could_not_answer_is_refused(weights, bias, temperature):
    with pytest.raises(ValueError, match="must"):
        LinearHead(weights, bias, temperature)


def test_embeddings_of_another_width_are_refused(head):
    with pytest.raises(ValueError, match="shape"):
        head.logits(np.ones((2, 9)))
