"""The steps from nothing to a proven export."""

from dataclasses import replace

import pytest

from analytics import first_run
from analytics.first_run import Facts
from labeling.models import Project

NOTHING = Facts(categories=0, has_texts=False, is_labeled=False, is_reviewed=False, is_certified=False)
ALL = Facts(categories=3, has_texts=True, is_labeled=True, is_reviewed=True, is_certified=True)


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        (NOTHING, "Add categories"),
        (replace(NOTHING, categories=2), "Import texts"),
        (replace(NOTHING, categories=2, has_texts=True), "Label"),
        (replace(NOTHING, categories=2, has_texts=True, is_labeled=True), "Review"),
        (replace(ALL, is_certified=False), "Certify"),
        (ALL, "Export"),
    ],
)
def test_the_next_step_is_the_first_that_is_not_done(project: Project, facts: Facts, title: str) -> None:
    assert [step.title for step in first_run.steps(project, facts) if step.is_next] == [title]


def test_one_category_is_not_enough(project: Project) -> None:
    steps = first_run.steps(project, replace(NOTHING, categories=1))
    assert next(step.title for step in steps if step.is_next) == "Add categories"


def test_an_export_is_never_over(project: Project) -> None:
    steps = first_run.steps(project, ALL)
    assert [step.title for step in steps if not step.is_done] == ["Export"]
