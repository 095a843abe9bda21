"""Parquet, and the folder that `datasets.load_from_disk` opens."""

import io
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from labeling.writers.record import CERTIFICATE_FILE, Batch, Record, Tally
from labeling.writers.text_values import metadata_json, to_json

# Large row groups compress well and read fast; the bound in bytes keeps long texts from filling the memory.
GROUP_ROWS = 20_000
GROUP_BYTES = 64 * 2**20

EVIDENCE = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("word", pa.string()), ("weight", pa.float64())])
ALTERNATIVE = pa.struct([("category", pa.string()), ("probability", pa.float64())])
MOMENT = pa.timestamp("us", tz="UTC")
OTHER_THAN_STRING = {
    "confidence": pa.float64(),
    "is_calibrated": pa.bool_(),
    "evidence": pa.list_(EVIDENCE),
    "alternatives": pa.list_(ALTERNATIVE),
    "labeled_at": MOMENT,
    "created_at": MOMENT,
    "label_version": pa.int64(),
    "text_id": pa.int64(),
    "is_truncated": pa.bool_(),
}
# Metadata differs from text to text, so it has no columns of its own: it is a string of JSON.
SCHEMA = pa.schema([(name, OTHER_THAN_STRING.get(name, pa.string())) for name in Record._fields])

DATA_FILE = "data-00000-of-00001.arrow"


def parquet(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One Parquet file."""
    compression = "zstd" if pa.Codec.is_available("zstd") else "snappy"
    sink, schema = _Sink(), _schema(tally)
    with pq.ParquetWriter(sink, schema, compression=compression) as writer:
        yield sink.taken()  # a reader that gets something knows that it has been heard
        for group in _groups(batches, schema):
            writer.write_table(group, row_group_size=GROUP_ROWS + len(group))
            yield sink.taken()
        if tally.certificate:
            writer.add_key_value_metadata({"certificate": to_json(tally.certificate).decode()})
    yield sink.taken()


def hugging_face(batches: Iterable[Batch], tally: Tally) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files of a Hugging Face dataset."""
    # The library caches what it computes under this name: it has to differ when the data do.
    digest, schema = blake2b(digest_size=8), _schema(tally)
    yield DATA_FILE, _digested(_arrow_stream(batches, schema), digest)
    yield "dataset_info.json", iter([to_json(_dataset_info(schema))])
    yield "state.json", iter([to_json(_state(digest.hexdigest()))])
    if tally.certificate:
        yield CERTIFICATE_FILE, iter([to_json(tally.certificate)])


def _schema(tally: Tally) -> pa.Schema:
    return pa.schema([SCHEMA.field(name) for name in tally.wanted(SCHEMA.names)])


def _arrow_stream(batches: Iterable[Batch], schema: pa.Schema) -> Iterator[bytes]:
    sink = _Sink()
    with pa.ipc.new_stream(sink, schema) as writer:
        for group in _groups(batches, schema):
            writer.write_table(group, max_chunksize=1000)
            yield sink.taken()
    yield sink.taken()


def _digested(chunks: Iterable[bytes], digest: blake2b) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _dataset_info(schema: pa.Schema) -> dict[str, Any]:
    features = {field.name: _feature(field.type) for field in schema}
    return {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """A column's type in the words of the datasets library."""
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": "float64" if kind == pa.float64() else str(kind), "_type": "Value"}


def _state(fingerprint: str) -> dict[str, Any]:
    return {
        "_data_files": [{"filename": DATA_FILE}],
        "_fingerprint": fingerprint,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }


def _groups(batches: Iterable[Batch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of about GROUP_ROWS rows or GROUP_BYTES bytes."""
    parts: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        parts.append(_columns(batch, schema))
        rows, size = rows + len(batch), size + parts[-1].nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pa.Table.from_batches(parts, schema=schema).combine_chunks()
            parts, rows, size = [], 0, 0
    if parts:
        yield pa.Table.from_batches(parts, schema=schema).combine_chunks()


def _columns(batch: Batch, schema: pa.Schema) -> pa.RecordBatch:
    columns = dict(zip(Record._fields, zip(*batch, strict=True), strict=True))
    columns["metadata"] = tuple(metadata_json(record) for record in batch)
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )


class _Sink(io.BytesIO):
    """Collects what a writer of pyarrow writes until it is taken."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = self.getvalue()
        self.seek(0)
        self.truncate()
        return data
