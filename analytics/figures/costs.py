"""Figures of what was promised, what it cost, and how fast it went."""

from collections.abc import Sequence

from django.utils import timezone

from analytics.charts import Chart, Kind, Series
from analytics.choosing import MOST_RUNS
from analytics.costs import CertificateRow, ProviderCost
from analytics.figures.shapes import MOST_BARS, Figure, Table, decimals, numbers, shares, words
from analytics.statistics import Statistics
from labeling.wording import counted, texts


def certificates(found: Statistics) -> Figure:
    rows = found.certificates
    return Figure(
        name="certificates",
        title="Certificates",
        summary=found.promise,
        table=Table.of(
            [
                *words("Made", "Standing", "Promise"),
                *shares("May be wrong", "Sure to"),
                *numbers("Audited", "Wrong"),
                *shares("At most wrong"),
                *decimals("Threshold"),
                *shares("Coverage"),
                *words("Ended because"),
            ],
            (
                (
                    *(one.made_at, one.standing, one.promise, one.budget, one.confidence, one.audited, one.wrong),
                    *(one.upper_bound, one.threshold, one.coverage, one.ended),
                )
                for one in rows
            ),
        ),
        chart=Chart(
            Kind.ROWS,
            tuple(_named(row) for row in rows),
            (
                Series("May be wrong", tuple(row.budget for row in rows)),
                Series("At most wrong, proven", tuple(row.upper_bound for row in rows)),
            ),
            is_share=True,
            end=_end_of_axis([share for row in rows for share in (row.budget, row.upper_bound)]),
        )
        if rows
        else None,
        note="Each look at the blind audit, newest first, as it stood when the figures were counted.",
    )


def _end_of_axis(shares: Sequence[float]) -> float:
    """Small shares are not to be told apart on an axis of a hundred percent."""
    return next((end for end in (0.02, 0.05, 0.1, 0.2, 0.5) if end >= max(shares)), 1.0)


def _named(row: CertificateRow) -> str:
    return f"{timezone.localtime(row.made_at):%Y-%m-%d}: {row.standing.lower()}"


def providers(found: Statistics) -> Figure:
    rows, most = found.providers, found.providers[:MOST_BARS]
    cost, tokens = sum(row.cost for row in rows), sum(row.prompt_tokens + row.completion_tokens for row in rows)
    series = ("Cost", [row.cost for row in most]) if cost else ("Texts", [row.texts for row in most])
    return Figure(
        name="providers",
        title="Cost by provider",
        summary=f"{counted(len(rows), 'model')} went through {texts(sum(row.texts for row in rows))}, for {tokens:,} "
        f"tokens and a cost of {cost:,.2f}."
        if rows
        else "No run has labeled a text yet.",
        table=Table.of(
            [
                *words("Provider", "Model"),
                *numbers("Runs", "Texts", "Failed", "Requests", "Tokens read", "Tokens written"),
                *decimals("Cost", "For 1,000 texts"),
            ],
            (
                (
                    *(one.provider, one.model_name, one.runs, one.texts, one.failed, one.requests),
                    *(one.prompt_tokens, one.completion_tokens, one.cost, one.cost_per_1000_texts),
                )
                for one in rows
            ),
        ),
        chart=Chart(Kind.ROWS, tuple(map(_model, most)), (Series(series[0], tuple(series[1])),)) if rows else None,
        note="By the prices of the project when a run asked. Of texts that went through a run twice, both times count.",
    )


def _model(row: ProviderCost) -> str:
    return f"{row.provider}: {row.model_name}" if row.model_name else row.provider


def runs(found: Statistics) -> Figure:
    measured = [row for row in found.runs if row.per_second is not None][:MOST_BARS]
    return Figure(
        name="runs",
        title="Labeling runs",
        summary=f"Run {measured[0].run_id}, the newest that was measured, labeled {measured[0].per_second:,.1f} texts "
        "a second in each process."
        if measured
        else "No run has been measured yet.",
        table=Table.of(
            [
                *numbers("Run"),
                *words("Started", "Status", "Provider"),
                *numbers("Texts", "Failed"),
                *decimals("Seconds", "Texts a second"),
            ],
            (
                (
                    *(one.run_id, one.created_at, one.status_name, one.provider),
                    *(one.texts, one.failed, one.seconds, one.per_second),
                )
                for one in found.runs
            ),
        ),
        chart=Chart(
            Kind.BARS,
            tuple(f"Run {row.run_id}" for row in reversed(measured)),
            (Series("Texts a second", tuple(row.per_second for row in reversed(measured))),),
            y_title="Texts a second, in each process",
        )
        if measured
        else None,
        note=f"The newest {MOST_RUNS} runs. Seconds are those that processes spent, several at a time where several "
        "worked.",
    )
