"""Counts of rows by all that they have in common: read from the database once, then summed in any direction."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

COUNT = "count"
MOST_KEYS = 1_000_000
NOTHING = 0  # stands for no category, no run, nobody


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns of shape (n_cells,); `count` among them says how many rows of the database each cell stands for."""

    columns: Mapping[str, IntArray]

    @classmethod
    def of(cls, names: Sequence[str], rows: Iterable[Sequence[int]]) -> "Cells":
        table = np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, len(names))
        return cls(dict(zip(names, table.T, strict=True)))

    def __getitem__(self, name: str) -> IntArray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns[COUNT])

    def where(self, kept: Mask) -> "Cells":
        return Cells({name: column[kept] for name, column in self.columns.items()})

    def replaced(self, name: str, column: IntArray) -> "Cells":
        return Cells({**self.columns, name: column})

    def mapped(self, others: Mapping[int, int], *names: str) -> "Cells":
        """With other values in these columns, where there is one for a value. At least one has another."""
        values = np.array(sorted(others), dtype=np.int64)
        instead = np.array([others[value] for value in values.tolist()], dtype=np.int64)
        columns = dict(self.columns)
        for name in names:
            places = np.searchsorted(values, self[name]).clip(max=len(values) - 1)
            columns[name] = np.where(values[places] == self[name], instead[places], self[name])
        return Cells(columns)

    def total(self, kept: Mask | None = None) -> int:
        """How many rows."""
        return int(self[COUNT].sum() if kept is None else self[COUNT][kept].sum())

    def by(self, *names: str) -> dict[tuple[int, ...], int]:
        """How many rows have each combination of values, in ascending order of these."""
        values, sums = self._sums(names)
        return {tuple(value): total for value, total in zip(values.tolist(), sums.tolist(), strict=True)}

    def only(self, *names: str) -> "Cells":
        """Fewer and larger cells, told apart by these columns alone: for several sums over the same few columns."""
        values, sums = self._sums(names)
        return Cells({**dict(zip(names, values.T, strict=True)), COUNT: sums})

    def _sums(self, names: Sequence[str]) -> tuple[IntArray, IntArray]:
        """The combinations of values, (n_combinations, n_names), and how many rows have each."""
        if not len(self):
            return np.zeros((0, len(names)), dtype=np.int64), np.zeros(0, dtype=np.int64)
        keys, values = _keys([self[name] for name in names])
        sums = np.bincount(keys, weights=self[COUNT], minlength=len(values)).astype(np.int64)
        is_there = sums > 0
        return values[is_there], sums[is_there]


def _keys(columns: Sequence[IntArray]) -> tuple[IntArray, IntArray]:
    """A number for each cell's combination of values, (n_cells,), and the combinations, (n_keys, n_columns).

    Where the values lie close together, the numbers are reckoned and not sorted for: that takes a tenth of the time.
    """
    lows = [int(column.min()) for column in columns]
    sizes = [int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True)]
    if math.prod(sizes) > MOST_KEYS:
        values, places = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        return places.reshape(-1), values
    moved = [column.astype(np.int64) - low for column, low in zip(columns, lows, strict=True)]
    keys = np.ravel_multi_index(tuple(moved), tuple(sizes))
    return keys, np.column_stack(np.unravel_index(np.arange(math.prod(sizes)), sizes)) + np.array(lows)


def pack(tables: Mapping[str, Cells]) -> bytes:
    """As bytes for a column of the database; most columns fit into two bytes a cell, and then compress well."""
    arrays = {f"{table}.{name}": _narrow(col) for table, cells in tables.items() for name, col in cells.columns.items()}
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=False, **arrays)
    return written.getvalue()


def unpack(data: bytes) -> dict[str, Cells]:
    """The tables as they were packed, in columns as narrow as their values."""
    found: dict[str, dict[str, IntArray]] = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        for key in arrays.files:
            table, name = key.split(".")
            found.setdefault(table, {})[name] = arrays[key]
    return {table: Cells(columns) for table, columns in found.items()}


def _narrow(column: IntArray) -> np.ndarray:
    smallest = np.min_scalar_type(-int(np.abs(column).max()) - 1) if len(column) else np.dtype(np.int8)
    return column.astype(smallest)
