"""Counts by what rows have in common, and that nothing is lost when they are packed."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import cells
from analytics.cells import Cells

NUMBERS = st.integers(-3, 3) | st.integers(0, 2**40)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(1, 1_000_000)))


@settings(deadline=None)  # others may be at work on the machine
@given(ROWS)
def test_sums_are_those_of_the_rows(rows: list[tuple[int, int, int]]) -> None:
    table, truth = Cells.of(("a", "b", "count"), rows), Counter[tuple[int, ...]]()
    for a, b, count in rows:
        truth[a, b] += count
    assert table.by("a", "b") == truth
    assert table.total() == sum(truth.values())
    assert list(table.by("a")) == sorted(table.by("a"))


@settings(deadline=None)  # others may be at work on the machine
@given(ROWS, st.dictionaries(NUMBERS, NUMBERS, min_size=1))
def test_values_that_have_another_are_replaced(rows: list[tuple[int, int, int]], others: dict[int, int]) -> None:
    table = Cells.of(("a", "b", "count"), rows).mapped(others, "a")
    assert table["a"].tolist() == [others.get(a, a) for a, _, _ in rows]
    assert table["b"].tolist() == [b for _, b, _ in rows]


@settings(deadline=None)  # others may be at work on the machine
@given(ROWS)
def test_what_is_packed_is_unpacked(rows: list[tuple[int, int, int]]) -> None:
    table = Cells.of(("a", "b", "count"), rows)
    found = cells.unpack(cells.pack({"one": table, "none": Cells.of(("a", "count"), [])}))
    assert found["one"].by("a", "b") == table.by("a", "b")
    assert len(found["none"]) == 0
    assert all(found["one"][name].tolist() == table[name].tolist() for name in ("a", "b", "count"))
