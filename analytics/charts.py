"""Charts as plain values, which a page, a file and a report draw each in its own way."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """ROWS are bars from left to right, beside long names; POINTS have values for `xs`; MATRIX has a series a row."""

    BARS = "bars"
    STACKED = "stacked"
    ROWS = "rows"
    LINES = "lines"
    POINTS = "points"
    MATRIX = "matrix"


@dataclass(frozen=True)
class Series:
    """One value for each label, and the ends of its interval where there is one."""

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Chart:
    """`is_share`: values lie between 0 and `end` and are shown in percent. `mark`: a line across, before this label."""

    kind: Kind
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    x_title: str = ""
    y_title: str = ""
    is_share: bool = False
    end: float = 1.0
    xs: tuple[float, ...] = ()
    mark: float | None = None
    mark_name: str = ""

    @property
    def highest(self) -> float:
        """The end of the axis of values."""
        if self.is_share:
            return self.end
        if self.kind == Kind.STACKED:
            sums = [
                sum(value or 0 for value in values) for values in zip(*(s.values for s in self.series), strict=True)
            ]
            return max(sums, default=0.0)
        return max((value or 0.0 for one in self.series for value in (*one.values, *one.high)), default=0.0)
