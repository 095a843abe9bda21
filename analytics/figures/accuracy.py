"""Figures of how often the machine is right."""

from collections.abc import Sequence

from analytics.accuracy import Accuracy
from analytics.charts import Chart, Kind, Series
from analytics.figures.shapes import MOST_BARS, Figure, Row, Table, numbers, shares, words
from analytics.statistics import Statistics
from analytics.wording import number, percent
from labeling.wording import texts

MEASURED = [*numbers("Audited", "Right"), *shares("Accuracy", "Lower end", "Upper end")]
NO_AUDIT = "No text of the blind audit has been decided yet."


def over_time(found: Statistics) -> Figure:
    rows, whole = found.accuracy_over_time, found.accuracy
    return Figure(
        name="accuracy",
        title="Accuracy in the blind audit",
        summary=f"{number(whole.right)} of {number(whole.audited)} audited labels were right: {in_words(whole)}."
        if whole.audited
        else NO_AUDIT,
        table=Table.of(
            [*words("From", "To"), *MEASURED], ((row.begin, row.end, *_measured(row.accuracy)) for row in rows)
        ),
        chart=Chart(
            Kind.LINES,
            tuple(row.begin.isoformat() for row in rows),
            (_series([row.accuracy for row in rows]),),
            y_title="Right",
            is_share=True,
        )
        if rows
        else None,
        note="People decided these texts, drawn at random, without seeing what the machine said. The ends are those of "
        "Wilson's 95 % interval. What a certificate promises is proven apart: settle beforehand how many audit texts "
        "are decided before you look at it, since who waits for a good figure here finds one by chance.",
    )


def by_category(found: Statistics) -> Figure:
    rows = found.accuracy_by_category
    worst, most = rows[0] if rows else None, rows[:MOST_BARS]
    return Figure(
        name="accuracy-by-category",
        title="Accuracy by category",
        summary=f"Least right is {worst.category}: {in_words(worst.accuracy)}, of {number(worst.accuracy.audited)}."
        if worst
        else NO_AUDIT,
        table=Table.of(
            [*words("Called by the machine"), *MEASURED], ((row.category, *_measured(row.accuracy)) for row in rows)
        ),
        chart=Chart(
            Kind.ROWS,
            tuple(row.category for row in most),
            (_series([row.accuracy for row in most]),),
            is_share=True,
        )
        if rows
        else None,
    )


def reliability(found: Statistics) -> Figure:
    one = found.reliability
    return Figure(
        name="reliability",
        title="Do confidences mean what they say?",
        summary=one.missing
        if one.ece is None
        else f"The expected calibration error (ECE) is {one.ece:.3f}, on {number(one.reviews)} reviews that classifier "
        f"{one.classifier} had not seen.",
        table=Table.of(
            shares("Confidence", "Right", "Share of reviews"),
            ((point.confidence, point.accuracy, point.share) for point in one.points),
        ),
        chart=Chart(
            Kind.POINTS,
            tuple(percent(point.confidence) for point in one.points),
            (Series("Right", tuple(point.accuracy for point in one.points)),),
            x_title="Confidence",
            y_title="Right",
            is_share=True,
            xs=tuple(point.confidence for point in one.points),
        )
        if one.points
        else None,
        note="On the dashed line both are equal; below it the classifier is too sure of itself. Filters do not change "
        "this.",
    )


def confusion(found: Statistics) -> Figure:
    cells = found.confusion
    total, same = sum(one.texts for one in cells), sum(one.texts for one in cells if one.machine_id == one.human_id)
    return Figure(
        name="confusion",
        title="Machine against people",
        summary=f"Of {texts(total)} that people decided, the machine had said the same of {number(same)}."
        if total
        else "People have not decided a text yet that a model labeled.",
        table=Table.of(
            [*words("Machine", "People"), *numbers("Texts")], ((one.machine, one.human, one.texts) for one in cells)
        ),
        chart=matrix(found) if cells else None,
        note="Of all texts that people decided. Most of them are those that the machine was unsure of: how often it is "
        "right on the whole, the audit tells.",
    )


def matrix(found: Statistics) -> Chart:
    """The categories of most decided texts against each other; the machine's in rows."""
    names = {cell.machine_id: cell.machine for cell in found.confusion}
    names |= {cell.human_id: cell.human for cell in found.confusion}
    sizes = dict.fromkeys(names, 0)
    for cell in found.confusion:
        for key in {cell.machine_id, cell.human_id}:
            sizes[key] += cell.texts
    most = sorted(names, key=lambda key: (-sizes[key], key))[:MOST_BARS]
    counts = {(cell.machine_id, cell.human_id): cell.texts for cell in found.confusion}
    rows = tuple(Series(names[row], tuple(counts.get((row, key), 0) for key in most)) for row in most)
    return Chart(
        Kind.MATRIX,
        tuple(names[key] for key in most),
        rows,
        x_title="Decided by people",
        y_title="Called by the machine",
    )


def in_words(one: Accuracy) -> str:
    """97.5 % (95.2 % to 98.7 %)."""
    if one.accuracy is None or one.low is None or one.high is None:
        return "not known"
    return f"{percent(one.accuracy)} ({percent(one.low)} to {percent(one.high)})"


def _measured(one: Accuracy) -> Row:
    return one.audited, one.right, one.accuracy, one.low, one.high


def _series(rows: Sequence[Accuracy]) -> Series:
    return Series(
        "Accuracy",
        tuple(row.accuracy for row in rows),
        tuple(row.low for row in rows),
        tuple(row.high for row in rows),
    )
