"""Figures of how far the work is."""

from analytics.charts import Chart, Kind, Series
from analytics.figures.shapes import MOST_BARS, Figure, Table, decimals, numbers, words
from analytics.statistics import Statistics
from analytics.wording import number, percent
from labeling.wording import texts


def status(found: Statistics) -> Figure:
    rows = found.progress.by_status
    parts = ", ".join(f"{row.name.lower()} {number(row.texts)}" for row in rows if row.texts)
    return Figure(
        name="status",
        title="Texts by status",
        summary=f"{texts(found.progress.texts)}: {parts}." if parts else "There is no text yet.",
        table=Table.of([*words("Status"), *numbers("Texts")], ((row.name, row.texts) for row in rows)),
        chart=Chart(Kind.ROWS, tuple(row.name for row in rows), (Series("Texts", tuple(row.texts for row in rows)),)),
    )


def categories(found: Statistics) -> Figure:
    rows = found.categories
    most = sorted(rows, key=lambda row: -max(row.machine, row.human, row.now))[:MOST_BARS]
    largest = max(rows, key=lambda row: row.now, default=None)
    series = (
        Series("Machine", tuple(row.machine for row in most)),
        Series("People", tuple(row.human for row in most)),
        Series("Now", tuple(row.now for row in most)),
    )
    return Figure(
        name="categories",
        title="Categories",
        summary=f"The largest category is {largest.category} now, with {texts(largest.now)}."
        if largest and largest.now
        else "No text has a category yet.",
        table=Table.of(
            [*words("Category"), *numbers("Machine", "People", "Now")],
            ((row.category, row.machine, row.human, row.now) for row in rows),
        ),
        chart=Chart(Kind.ROWS, tuple(row.category for row in most), series) if most else None,
        note="Machine: what a model said last. People: of the texts that people decided. Now: what holds.",
    )


def confidence(found: Statistics) -> Figure:
    bins, threshold = found.confidence.bins, found.confidence.threshold
    total, above = found.confidence.labels, sum(one.texts for one in bins if one.low >= threshold - 1e-9)
    summary = f"{percent(above / max(total, 1))} of {number(total)} labels lie in the bars right of the threshold"
    return Figure(
        name="confidence",
        title="Confidence of the machine",
        summary=f"{summary}, {threshold:.3f}." if total else "No model has labeled a text yet.",
        table=Table.of(
            [*decimals("From", "To"), *numbers("Texts")],
            ((one.low, one.high, one.texts) for one in bins),
        ),
        chart=Chart(
            Kind.BARS,
            tuple(f"{one.low:.2f}" for one in bins),
            (Series("Texts", tuple(one.texts for one in bins)),),
            x_title="Confidence, from",
            y_title="Texts",
            mark=threshold * len(bins),
            mark_name=f"threshold {threshold:.3f}",
        ),
        note="Of what a model said last of each text. From the threshold on labels are accepted without a person.",
    )
