"""What labeling took: tokens and money by provider, and how fast each run went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from analytics.budget import Standing
from analytics.cells import Cells
from analytics.choosing import Filters, Names
from analytics.queries import MICRO
from labeling.models import LabelingRun

MILLISECONDS = 1_000


@dataclass(frozen=True)
class RunThroughput:
    """`seconds` are those that processes spent on it, several at a time; `per_second` is what one of them did."""

    run_id: int
    provider: str
    model_name: str
    status: str
    status_name: str
    created_at: datetime
    finished_at: datetime | None
    texts: int
    failed: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    seconds: float
    per_second: float | None


@dataclass(frozen=True)
class ProviderCost:
    """`cost` is by the project's prices then; a model that runs here has none."""

    provider: str
    model_name: str
    runs: int
    texts: int
    failed: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    cost_per_1000_texts: float | None


@dataclass(frozen=True)
class CertificateRow:
    """One look at the audit, as it stood when the figures were counted."""

    certificate_id: int
    made_at: datetime
    promise: str
    budget: float
    confidence: float
    threshold: float | None
    coverage: float
    labels: int
    audited: int
    wrong: int
    upper_bound: float
    standing: str
    ended: str
    sentence: str


def runs(cells: Cells, names: Names, filters: Filters) -> tuple[RunThroughput, ...]:
    """Newest first. Dates are those on which they were started."""
    columns = ("run", "texts", "failed", "requests", "prompt_tokens", "completion_tokens", "cost", "milliseconds")
    rows = zip(*(cells[name].tolist() for name in columns), strict=True)
    counted = {key: counts for key, *counts in rows}
    listed = [run for run in names.runs.values() if run.pk in counted and _is_chosen(run, filters)]
    return tuple(_run(run, *counted[run.pk]) for run in listed)


def by_provider(throughputs: tuple[RunThroughput, ...]) -> tuple[ProviderCost, ...]:
    """The dearest first, then those that labeled most."""
    found: dict[tuple[str, str], list[RunThroughput]] = {}
    for run in throughputs:
        found.setdefault((run.provider, run.model_name), []).append(run)
    rows = [_provider(provider, model, mine) for (provider, model), mine in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.cost, -row.texts, row.provider, row.model_name)))


def certificates(details: Mapping[str, Any]) -> tuple[CertificateRow, ...]:
    """The newest ones of the project, newest first, and the one in use, however old."""
    return tuple(
        CertificateRow(
            certificate_id=one["id"],
            made_at=datetime.fromisoformat(one["made_at"]),
            confidence=round(1 - one["delta"], 10),
            **{name: one[name] for name in CertificateRow.__dataclass_fields__ if name in one and name != "made_at"},
        )
        for one in details["certificates"]
    )


def made_between(rows: Sequence[CertificateRow], filters: Filters) -> tuple[CertificateRow, ...]:
    """Of the filters only dates choose among certificates."""
    return tuple(row for row in rows if _is_between(row.made_at, filters))


def promise(rows: Sequence[CertificateRow]) -> str:
    """What is promised about the labels now, in one sentence: by all certificates, whenever they were made."""
    in_use = next((row for row in rows if row.standing == Standing.IN_USE), None)
    if in_use:
        return in_use.sentence
    if rows:
        return "No certificate is in use: nothing is promised about the labels now."
    return "Nobody has looked at the audit, so that nothing is promised about the labels."


def _is_chosen(run: LabelingRun, filters: Filters) -> bool:
    return filters.run in (None, run.pk) and _is_between(run.created_at, filters)


def _is_between(moment: datetime, filters: Filters) -> bool:
    day = timezone.localtime(moment).date()
    return (filters.since is None or day >= filters.since) and (filters.until is None or day <= filters.until)


def _run(
    run: LabelingRun,
    texts: int,
    failed: int,
    requests: int,
    prompt_tokens: int,
    completion_tokens: int,
    cost: int,
    milliseconds: int,
) -> RunThroughput:
    return RunThroughput(
        run_id=run.pk,
        provider=run.provider,
        model_name=run.model_name,
        status=run.status,
        status_name=run.get_status_display(),
        created_at=run.created_at,
        finished_at=run.finished_at,
        texts=texts,
        failed=failed,
        requests=requests,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost / MICRO,
        seconds=milliseconds / MILLISECONDS,
        per_second=texts * MILLISECONDS / milliseconds if milliseconds else None,
    )


def _provider(provider: str, model_name: str, mine: list[RunThroughput]) -> ProviderCost:
    names = ("texts", "failed", "requests", "prompt_tokens", "completion_tokens", "cost")
    sums: dict[str, Any] = {name: sum(getattr(run, name) for run in mine) for name in names}
    dear = 1000 * sums["cost"] / sums["texts"] if sums["texts"] else None
    return ProviderCost(provider, model_name, len(mine), **sums, cost_per_1000_texts=dear)
