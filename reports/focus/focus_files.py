"""FOCUS datasets as files: CSV, and Parquet with exact decimals, both written in pieces."""

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from reports.csv_text import cell
from reports.focus.focus_columns import DECIMAL, MOMENT, FocusColumn, Row, Value
from spend.money import ATOM_DIGITS

CSV: Final = "csv"
PARQUET: Final = "parquet"
FORMATS: Final = (CSV, PARQUET)

_AT_ONCE: Final = 5000
"""Rows in memory."""
_ZERO: Final = Decimal(0)
_KINDS: Final = {
    DECIMAL: pa.decimal128(38, ATOM_DIGITS),
    MOMENT: pa.timestamp("us", tz="UTC"),
}


def write_file(
    path: Path, columns: Sequence[FocusColumn], rows: Iterable[Row], *, shape: str, ascii_only: bool
) -> int:
    """Writes rows to a file in one of FORMATS; returns how many. Memory does not grow with them.

    ``ascii_only``: text as ``folded`` has it.
    """
    write = _write_csv if shape == CSV else _write_parquet
    return write(path, columns, (_values(row, columns, ascii_only) for row in rows))


def _values(row: Row, columns: Sequence[FocusColumn], ascii_only: bool) -> list[Value]:
    values = []
    for column in columns:
        value = row.get(column.name)
        if value is None and not column.nullable:
            raise ValueError(f"{column.name} must not be null")
        if isinstance(value, Decimal):
            # Not minus nothing.
            value = value or _ZERO
        elif ascii_only and isinstance(value, str):
            value = folded(value)
        values.append(value)
    return values


def folded(text: str) -> str:
    r"""Text in ASCII, also within JSON: ``recherché`` is ``recherche``, ``日`` is ``\u65e5``."""
    return text if text.isascii() else "".join(map(_folded, text))


def _folded(letter: str) -> str:
    if letter.isascii():
        return letter
    apart = unicodedata.normalize("NFKD", letter)
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    # A wide quotation mark must not become one that ends a text.
    keeps = bare.isascii() and not set(bare) & set('"\\')
    return bare if keeps else json.dumps(letter)[1:-1]


def _write_csv(path: Path, columns: Sequence[FocusColumn], rows: Iterator[Sequence[Value]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in columns])
        for row in rows:
            writer.writerow([_text(value) for value in row])
            count += 1
    return count


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}Z"
    return cell(value)


def _write_parquet(
    path: Path, columns: Sequence[FocusColumn], rows: Iterator[Sequence[Value]]
) -> int:
    count = 0
    schema = pa.schema(
        [pa.field(each.name, _KINDS.get(each.kind, pa.string()), each.nullable) for each in columns]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while some := list(islice(rows, _AT_ONCE)):
            arrays = [
                pa.array(values, field.type)
                for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(some)
    return count
