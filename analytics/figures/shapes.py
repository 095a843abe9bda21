"""What a figure is: a sentence, a table, and where there is one a chart."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils import timezone

from analytics.charts import Chart
from analytics.wording import number, percent

MOST_BARS = 15  # categories, people or runs in a chart; the table has all

Value = str | int | float | date | datetime | None
Row = tuple[Value, ...]


class Of(StrEnum):
    """What the values of a column are."""

    WORDS = "words"
    NUMBER = "number"
    SHARE = "share"
    DECIMAL = "decimal"


@dataclass(frozen=True)
class Column:
    title: str
    of: Of

    @property
    def is_words(self) -> bool:
        return self.of == Of.WORDS


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, columns: Iterable[Column], rows: Iterable[Row]) -> "Table":
        return cls(tuple(columns), tuple(rows))

    def in_words(self, most: int | None = None) -> list[list[tuple[Column, str]]]:
        """The rows as people read them, the first so many: each value with its column."""
        return [
            [(column, shown(value, column.of)) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows[:most]
        ]


@dataclass(frozen=True)
class Figure:
    """`summary` says in words what the chart shows, so that nothing is lost without it."""

    name: str
    title: str
    summary: str
    table: Table
    chart: Chart | None = None
    note: str = ""


def words(*titles: str) -> list[Column]:
    """Also of days and times."""
    return [Column(title, Of.WORDS) for title in titles]


def numbers(*titles: str) -> list[Column]:
    return [Column(title, Of.NUMBER) for title in titles]


def shares(*titles: str) -> list[Column]:
    return [Column(title, Of.SHARE) for title in titles]


def decimals(*titles: str) -> list[Column]:
    return [Column(title, Of.DECIMAL) for title in titles]


def shown(value: Value, of: Of) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, (str, date)):
        return str(value)
    if of == Of.SHARE:
        return percent(value)
    if of == Of.DECIMAL:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return number(int(value))
