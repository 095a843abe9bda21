from decimal import Decimal
from unittest.mock import Mock

import pytest

from labeling import drifting, execution, run_progress, runs, spending
from labeling.choices import RunStatus
from labeling.models import Project
from labeling.providers.base import ProviderError, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def priced(project: Project, add_texts) -> Project:
    """A project with 40 texts, whose model takes .01 for each."""
    add_texts(project, *(f"sports number {n}" for n in range(40)))
    Project.objects.filter(pk=project.pk).update(prompt_price=10, completion_price=10)
    project.refresh_from_db()
    return project


def test_reading_and_writing_have_prices_of_their_own() -> None:
    project = Project(prompt_price=Decimal("0.5"), completion_price=Decimal(2))
    assert spending.cost_of(Usage(1, prompt_tokens=2_000_000, completion_tokens=500_000), project) == 2


def test_a_run_says_what_it_took(priced: Project) -> None:
    run = runs.start(priced, provider="priced")
    execution.execute(run)
    now = run_progress.of(run)
    assert (now.requests, now.tokens, now.cost) == (40, 40_000, pytest.approx(0.4))
    assert "40,000 tokens, cost 0.40" in now.sentence


def test_what_is_free_costs_nothing(project: Project, add_texts) -> None:
    add_texts(project, "sports news")
    run = runs.start(project, provider="priced")
    execution.execute(run)
    assert run_progress.of(run).cost == 0


def test_a_run_stops_before_it_exceeds_the_cap(priced: Project) -> None:
    Project.objects.filter(pk=priced.pk).update(spending_cap=Decimal("0.20"))
    run = runs.start(priced, provider="priced")
    with pytest.raises(ProviderError, match=r"have cost 0\.\d\d, and more would exceed its spending cap of 0\.20"):
        execution.execute(run)
    assert run.status == RunStatus.FAILED
    assert 0 < spending.spent(priced) <= Decimal("0.20")
    assert run.done == spending.spent(priced) * 100


def test_the_cap_is_on_all_runs_together(priced: Project) -> None:
    execution.execute(runs.start(priced, provider="priced", limit=20))
    Project.objects.filter(pk=priced.pk).update(spending_cap=Decimal("0.20"))
    with pytest.raises(ProviderError, match="spending cap"):
        execution.execute(runs.start(priced, provider="priced"))
    assert spending.spent(priced) == Decimal("0.20")


def test_with_a_higher_cap_the_next_run_labels_the_rest(priced: Project) -> None:
    Project.objects.filter(pk=priced.pk).update(spending_cap=Decimal("0.20"))
    with pytest.raises(ProviderError):
        execution.execute(runs.start(priced, provider="priced"))
    Project.objects.filter(pk=priced.pk).update(spending_cap=Decimal("0.60"))
    run = runs.start(priced, provider="priced")
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED
    assert spending.spent(priced) == Decimal("0.40")


def test_with_a_cap_of_nothing_nothing_is_spent(priced: Project) -> None:
    Project.objects.filter(pk=priced.pk).update(spending_cap=0)
    with pytest.raises(ProviderError, match="spending cap"):
        execution.execute(runs.start(priced, provider="priced"))
    assert spending.spent(priced) == 0


def test_a_cap_is_no_matter_for_what_is_free(project: Project, add_texts) -> None:
    add_texts(project, "sports news")
    Project.objects.filter(pk=project.pk).update(spending_cap=0)
    run = runs.start(project, provider="priced")
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED


@pytest.fixture
def decided(priced: Project, decide) -> Project:
    """With 40 texts more, which people decided and the model has not read."""
    for n in range(40):
        decide(f"business number {n}", "Business")
    return priced


def test_reading_what_people_decided_counts_as_much_as_labeling(decided: Project) -> None:
    run = runs.start(decided, provider="priced")
    execution.execute(run)
    now = run_progress.of(run)
    assert (now.done, now.requests, now.cost) == (40, 80, pytest.approx(0.8))
    assert spending.spent(decided) == Decimal("0.80")


def test_what_people_decided_is_read_as_far_as_the_cap_allows(decided: Project) -> None:
    Project.objects.filter(pk=decided.pk).update(spending_cap=Decimal("0.75"))
    run = runs.start(decided, provider="priced")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 40)
    assert Decimal("0.40") < spending.spent(decided) <= Decimal("0.75")


def test_what_reading_cost_stays_counted_when_the_run_is_made_to_reach_farther(
    decided: Project, add_texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(decided, provider="priced")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(drifting, "compare", Mock(side_effect=KeyboardInterrupt))
        execution.execute(run)
    add_texts(decided, "weather report")
    execution.execute(runs.start_or_resume(decided, provider="priced"))
    run.refresh_from_db()
    assert (run.status, spending.spent(decided)) == (RunStatus.SUCCEEDED, Decimal("0.81"))
