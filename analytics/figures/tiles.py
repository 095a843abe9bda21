"""The few numbers that are read first."""

from dataclasses import dataclass

from analytics.statistics import Statistics
from analytics.wording import number, percent
from labeling.wording import texts


@dataclass(frozen=True)
class Tile:
    title: str
    value: str
    more: str = ""


def of(found: Statistics) -> list[Tile]:
    done, audit = found.progress, found.accuracy
    cost = sum(one.cost for one in found.providers)
    is_measured = audit.low is not None and audit.high is not None
    return [
        Tile("Texts", number(done.texts), f"{number(done.needs_review)} need review"),
        Tile(
            "Auto-labeling rate", _share(done.auto_labeling_rate), f"{texts(done.accepted)} accepted without a person"
        ),
        Tile("Review coverage", _share(done.review_coverage), f"{texts(done.reviewed)} decided by people"),
        Tile(
            "Accuracy in the audit",
            _share(audit.accuracy),
            f"{percent(audit.low or 0.0)} to {percent(audit.high or 0.0)}, of {number(audit.audited)} audited"
            if is_measured
            else "no audit yet",
        ),
        Tile(
            "Median time",
            "-" if found.median_seconds is None else f"{found.median_seconds:.1f} s",
            "for a decision, where it was measured",
        ),
        Tile("Cost", f"{cost:,.2f}", "of asking models, by the project's prices"),
    ]


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)
