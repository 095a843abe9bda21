"""The thresholds that a certificate tested, as a table and as a drawing with its words."""

from dataclasses import dataclass

from analytics.wording import percent
from labeling.models import Certificate

WIDTH, HEIGHT = 100.0, 40.0  # of the drawing, in its own units
HEADROOM = 2.0  # the budget's line stands at half of the height


@dataclass(frozen=True)
class Row:
    """One threshold. `x` and `y` are its place in the drawing: how much it covers, and how much may be wrong."""

    threshold: float
    coverage: str
    labels: int
    audited: int
    wrong: int
    at_most: str
    passed: bool
    x: float
    y: float


@dataclass(frozen=True)
class Walk:
    """All of them, strict ones first. `summary` says what the drawing shows; `line` are its points."""

    rows: tuple[Row, ...]
    summary: str
    line: str
    budget_y: float


def of_certificate(certificate: Certificate) -> Walk:
    rows = tuple(_row(step, certificate.budget) for step in certificate.steps)
    points = sorted((row.x, row.y) for row in rows)
    return Walk(
        rows=rows,
        summary=_summary(rows, certificate),
        line=" ".join(f"{x:.2f},{y:.2f}" for x, y in points),
        budget_y=HEIGHT - HEIGHT / HEADROOM,
    )


def _row(step: dict[str, float], budget: float) -> Row:
    height = min(step["upper_bound"] / (budget * HEADROOM), 1.0)
    return Row(
        threshold=step["threshold"],
        coverage=percent(step["coverage"]),
        labels=int(step["labels"]),
        audited=int(step["audited"]),
        wrong=int(step["wrong"]),
        at_most=percent(step["upper_bound"]),
        passed=bool(step["passed"]),
        x=round(WIDTH * step["coverage"], 2),
        y=round(HEIGHT * (1 - height), 2),
    )


def _summary(rows: tuple[Row, ...], certificate: Certificate) -> str:
    passed = [row for row in rows if row.passed]
    tested = f"{len(rows)} {'threshold was' if len(rows) == 1 else 'thresholds were'} tested, from strict to loose."
    if not passed:
        failed = rows[0] if rows else None
        why = f" Already the first failed: up to {failed.at_most} may be wrong." if failed else ""
        return f"{tested}{why}"
    last = passed[-1]
    return (
        f"{tested} {len(passed)} passed; the last of them, {last.threshold:.3f}, covers {last.coverage} of the texts, "
        f"with at most {last.at_most} wrong of the {percent(certificate.budget)} allowed."
    )
