"""What is read out of the JSON that a benchmark prints, and the bar that it shall reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Any  # what a benchmark printed


@dataclass(frozen=True)
class Figure:
    """One row of a benchmark's table: `of` reads it from what was printed; `least` or `most` is its bar, if it has one.

    `why_missed` is the reason where it is known that the bar is missed, and under which conditions.
    """

    words: str
    of: Callable[[Json], float]
    unit: str = ""
    least: float | None = None
    most: float | None = None
    why_missed: str = ""

    @property
    def has_bar(self) -> bool:
        return self.least is not None or self.most is not None

    def value(self, printed: Json) -> float | None:
        """None where it was not measured."""
        try:
            return self.of(printed)
        except (LookupError, StopIteration):
            return None

    def is_reached(self, printed: Json) -> bool:
        """A figure that was not measured reaches no bar; one without a bar always does."""
        if not self.has_bar:
            return True
        value = self.value(printed)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def at(*path: str | int | Mapping[str, object]) -> Callable[[Json], float]:
    """Reads the number at a path: keys, places, and of a list the first row that agrees with a mapping."""

    def read(printed: Json) -> float:
        for step in path:
            printed = row(printed, step) if isinstance(step, Mapping) else printed[step]
        return float(printed)

    return read


def row(rows: list[dict[str, Any]], wanted: Mapping[str, object]) -> dict[str, Any]:
    return next(row for row in rows if all(row[key] == value for key, value in wanted.items()))


def hundredfold(read: Callable[[Json], float]) -> Callable[[Json], float]:
    """A share as points of a hundred."""
    return lambda printed: 100 * read(printed)
