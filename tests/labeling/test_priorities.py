import numpy as np
import pytest

from labeling import execution, priorities, runs
from labeling.choices import Sampling
from labeling.models import Label, Project

ROWS = [[0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Sampling.MARGIN, [1.0, 0.9, 0.0]),
        (Sampling.DIVERSE_MARGIN, [1.0, 0.9, 0.0]),
        (Sampling.LEAST_CONFIDENCE, [0.5, 0.6, 0.0]),
        (Sampling.ENTROPY, [np.log(2) / np.log(3), 0.991, 0.0]),
    ],
)
def test_each_strategy_by_hand(strategy: str, expected: list[float]) -> None:
    np.testing.assert_allclose(priorities.urgency(ROWS, strategy), expected, atol=1e-3)


@pytest.mark.parametrize("strategy", Sampling.values)
@pytest.mark.parametrize("categories", [1, 2, 77])
def test_urgency_is_between_zero_and_one(strategy: str, categories: int) -> None:
    rows = np.vstack([np.full(categories, 1 / categories), np.eye(categories)[0]]).astype(np.float32)
    urgency = priorities.urgency(rows, strategy)
    assert ((urgency >= 0) & (urgency <= 1)).all()
    assert urgency[1] == pytest.approx(0, abs=1e-6)


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ValueError, match="luck"):
        priorities.urgency(ROWS, "luck")


@pytest.mark.django_db
@pytest.mark.usefixtures("fake_providers")
@pytest.mark.parametrize("strategy", Sampling.values)
@pytest.mark.parametrize("provider", ["keyword", "scores"])
def test_a_run_places_texts_by_the_strategy_of_the_project(
    project: Project, add_texts, strategy: str, provider: str
) -> None:
    Project.objects.filter(pk=project.pk).update(sampling=strategy)
    project.refresh_from_db()
    [text] = add_texts(project, "sports weather news")
    execution.execute(runs.start(project, provider=provider))
    text.refresh_from_db()
    label = Label.objects.get()
    assert text.priority == pytest.approx(priorities.of_label(label, strategy), abs=1e-4)
    assert label.margin == pytest.approx(label.scores[0][1] - label.scores[1][1], abs=1e-5)
