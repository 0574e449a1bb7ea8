"""What the bytes of a bill's file hold: its text, or the rows of a Parquet file.

gzip and Parquet are bounded before they are unpacked: a small file can hold very much.
"""

import gzip
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from spend.reconciliation.bill_reading import MOST_LINES, Rows, Written, refused

_AT_ONCE: Final = 256
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"


def unpacked(data: bytes, *, most: int) -> str | Rows:
    """The text or the rows of a file of at most ``most`` bytes, unpacked. RowsRefusedError."""
    if data.startswith(_GZIP):
        data = _gunzipped(data, most)
    if data.startswith(_PARQUET):
        return _parquet(data, most)
    if data.startswith(_ZIP):
        raise refused(1, "file", "is a ZIP archive or a spreadsheet: unpack it, or save it as CSV")
    if len(data) > most:
        raise refused(1, "file", f"is larger than {most:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(1, "file", f"is not UTF-8 at byte {error.start}") from None


def _gunzipped(data: bytes, most: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            found = file.read(most + 1)
    except EOFError:
        raise refused(1, "file", "ends too early: the gzip file is cut off") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise refused(1, "file", f"is no gzip file that can be read: {error}") from None
    if len(found) > most:
        raise refused(1, "file", f"is larger than {most:,} bytes, unpacked")
    return found


def _parquet(data: bytes, most: int) -> Rows:
    try:
        return _rows(pq.ParquetFile(BytesIO(data)), most)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise refused(1, "file", f"is no Parquet file that can be read: {reason}") from None


def _rows(file: pq.ParquetFile, most: int) -> Rows:
    if file.metadata.num_rows > MOST_LINES:
        raise refused(1, "file", f"has more than {MOST_LINES:,} rows")
    columns = tuple(file.schema_arrow.names)
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        raise refused(1, min(twice), "this column is there twice")
    rows: list[Written] = []
    size = 0
    for batch in file.iter_batches(batch_size=_AT_ONCE):
        size += batch.nbytes
        if size > most:
            raise refused(1, "file", f"is larger than {most:,} bytes, unpacked")
        rows += _written(batch, len(rows) + 1)
    return Rows(columns, rows)


def _written(batch: pa.RecordBatch, first: int) -> Iterator[Written]:
    maps = {each.name for each in batch.schema if pa.types.is_map(each.type)}
    for line, row in enumerate(batch.to_pylist(), first):
        yield Written(
            line,
            {
                name: dict(value) if name in maps and value else _plain(value)
                for name, value in row.items()
            },
        )


def _plain(value: Any) -> Any:
    """A value as JSON has it, and exactly: a float is what its shortest digits say."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
