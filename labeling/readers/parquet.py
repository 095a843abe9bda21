"""Parquet files, one small batch of rows after the other."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from labeling.readers.errors import UnreadableFile
from labeling.readers.rows import Row, Table, header

if TYPE_CHECKING:
    from pyarrow import Array
    from pyarrow.parquet import ParquetFile

BATCH = 1000


def read_parquet(stream: BinaryIO, name: str) -> Table:
    import pyarrow
    import pyarrow.parquet

    try:
        # Read piece by piece: by default whole row groups, often whole files, are loaded ahead.
        file = pyarrow.parquet.ParquetFile(stream, pre_buffer=False, buffer_size=1024 * 1024)
    except (pyarrow.ArrowException, OSError) as error:
        raise UnreadableFile(f"{name} is not a Parquet file, or a damaged one: {_first_line(error)}") from None
    done = [0]

    def fraction() -> float | None:
        return done[0] / (file.metadata.num_rows or 1)

    columns = header(file.schema_arrow.names, place=name)
    return Table(columns, _rows(file, columns, name, done), "parquet", "row", fraction)


def _rows(file: "ParquetFile", columns: list[str], name: str, done: list[int]) -> Iterator[Row]:
    import pyarrow

    try:
        for batch in file.iter_batches(batch_size=BATCH):
            for values in zip(*(_plain(column).to_pylist() for column in batch.columns), strict=True):
                done[0] += 1
                yield Row(done[0], dict(zip(columns, values, strict=True)))
    # Of values that Python has none for, such as years beyond 9999 or time zones that this machine does not know.
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
        raise UnreadableFile(
            f"{name} cannot be read after row {done[0]}, or is damaged: {_first_line(error)}. Leave out the column, or "
            "save the file as CSV."
        ) from None


def _plain(column: "Array") -> "Array":
    """With moments as Python has them, to the microsecond; pandas writes nanoseconds."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    return column


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]
