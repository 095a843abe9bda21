import numpy as np
import pytest
from scipy.special import logsumexp

from labeling.learning import mixing

WIDE = ((0.0, 5.0), (0.0, 5.0))


@pytest.fixture
def members():
    """Logits of a member that knows the label, with some noise, and of one that knows nothing; labels (200,)."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size=200)
    noise = rng.normal(size=(2, 200, 3))
    noise[0] += 1.5 * np.eye(3)[labels]
    return noise, labels


def test_the_member_that_knows_more_gets_more(members):
    logits, labels = members
    parts = mixing.parts(logits, labels, np.ones(200), start=(0.5, 0.5), bounds=WIDE, penalty=1.0)
    assert parts[0] > 1.0
    assert parts[1] < 0.2


def test_without_weight_the_start_stays(members):
    logits, labels = members
    parts = mixing.parts(logits, labels, np.full(200, 1e-9), start=(0.5, 0.3), bounds=WIDE, penalty=1.0)
    np.testing.assert_allclose(parts, (0.5, 0.3), atol=1e-6)


def test_the_parts_are_where_no_step_lowers_the_loss(members):
    logits, labels = members
    start, penalty = np.array([0.5, 0.5]), 2.0
    parts = mixing.parts(logits, labels, np.ones(200), start=start, bounds=WIDE, penalty=penalty)

    def loss(at):
        scores = np.tensordot(at, logits, axes=1)
        lost = (logsumexp(scores, axis=1) - scores[np.arange(200), labels]).sum()
        return lost + penalty * ((at - start) ** 2).sum() / 2

    for step in ([0.02, 0], [-0.02, 0], [0, 0.02]):
        assert loss(parts) <= loss(np.maximum(parts + step, 0)) + 1e-6
