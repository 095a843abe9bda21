"""Figures of what people do, for managers."""

from analytics.activity import Actions, ReviewerActivity
from analytics.agreement import Estimate, reading
from analytics.charts import Chart, Kind, Series
from analytics.figures.shapes import MOST_BARS, Figure, Row, Table, decimals, numbers, shares, words
from analytics.statistics import Statistics
from labeling.wording import counted, texts

ACTIONS = tuple(Actions.__dataclass_fields__)
TITLES = [name.capitalize() for name in ACTIONS]


def days(found: Statistics) -> Figure:
    rows = found.activity_by_day
    busiest = max(rows, key=lambda day: day.decisions, default=None)
    total = counted(sum(day.decisions for day in rows), "decision")
    series = (
        Series(title, tuple(getattr(day.actions, name) for day in rows))
        for name, title in zip(ACTIONS, TITLES, strict=True)
    )
    return Figure(
        name="days",
        title="Review actions a day",
        summary=f"{total} on {counted(len(rows), 'day')}; most on {busiest.day}: {busiest.decisions:,}."
        if busiest
        else "Nobody has reviewed yet.",
        table=Table.of(
            [*words("Day"), *numbers("Decisions", *TITLES)],
            ((day.day, day.decisions, *(getattr(day.actions, name) for name in ACTIONS)) for day in reversed(rows)),
        ),
        chart=Chart(
            Kind.STACKED,
            tuple(day.day.isoformat() for day in rows),
            tuple(one for one in series if any(one.values)),
            y_title="Actions",
        )
        if rows
        else None,
        note="Decide: without seeing the machine's label. Undone: taken back later, and not counted as what it was.",
    )


def reviewers(found: Statistics) -> Figure:
    people, most = found.activity_by_reviewer, found.activity_by_reviewer[:MOST_BARS]
    pace = (
        "" if found.median_seconds is None else f" Half of their decisions took {found.median_seconds:.1f} s or less."
    )
    return Figure(
        name="reviewers",
        title="Reviewers",
        summary=f"{counted(len(people), 'person has', 'people have')} reviewed.{pace}"
        if people
        else "Nobody has reviewed yet.",
        table=Table.of(
            [
                *words("Reviewer"),
                *numbers("Decisions", "Days"),
                *decimals("A day", "Median seconds"),
                *shares("Approved", "Rejected", "Modified", "Agrees with others", "Right on gold"),
                *numbers("Skipped", "Flagged", "Undone"),
            ],
            (_reviewer(one) for one in people),
        ),
        chart=Chart(
            Kind.ROWS,
            tuple(one.reviewer for one in most),
            (Series("Decisions", tuple(one.decisions for one in most)),),
        )
        if people
        else None,
        note="Approved, rejected, modified: of the decisions for which the machine's label was shown. How far a person "
        "agrees with others is of all of the project, whatever the filters.",
    )


def _reviewer(one: ReviewerActivity) -> Row:
    rates = one.approve_rate, one.reject_rate, one.modify_rate, one.agreement.value, one.gold.value
    actions = one.actions
    return (
        one.reviewer,
        one.decisions,
        one.days,
        one.per_day,
        one.median_seconds,
        *rates,
        actions.skip,
        actions.flag,
        actions.undone,
    )


def agreement(found: Statistics) -> Figure:
    whole, pairs = found.agreement.whole, found.agreement.pairs
    most = pairs[:MOST_BARS]
    return Figure(
        name="agreement",
        title="Agreement of reviewers",
        summary=whole.alpha.undefined
        if whole.alpha.value is None
        else f"Krippendorff's alpha is {in_words(whole.alpha)}, on {texts(whole.texts)} that two or more people "
        f"decided. {reading(whole.alpha)}.",
        table=Table.of(
            [
                *words("First", "Second"),
                *numbers("Texts"),
                *shares("Equal"),
                *decimals("Cohen's kappa", "Lower end", "Upper end"),
            ],
            (
                (one.first, one.second, one.texts, one.percent.value, one.kappa.value, one.kappa.low, one.kappa.high)
                for one in pairs
            ),
        ),
        chart=Chart(
            Kind.ROWS,
            tuple(f"{one.first}, {one.second}" for one in most),
            (
                Series(
                    "Equal answers",
                    tuple(one.percent.value for one in most),
                    tuple(one.percent.low for one in most),
                    tuple(one.percent.high for one in most),
                ),
            ),
            is_share=True,
        )
        if pairs
        else None,
        note="Alpha and kappa are 1 where all agree, and 0 where they agree as often as chance would. Filters do not "
        "change this.",
    )


def in_words(one: Estimate) -> str:
    if one.value is None:
        return one.undefined
    ends = f" ({one.low:.3f} to {one.high:.3f})" if one.low is not None and one.high is not None else ""
    return f"{one.value:.3f}{ends}"
