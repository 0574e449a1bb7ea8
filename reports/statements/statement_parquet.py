"""A statement's lines as Parquet: exact decimals, and the same columns in every month.

Amounts in whole coins have 4 decimals, as no currency has more. Exact ones have 22: what an amount
of 12 has when it was multiplied with an exchange rate of 10. Both are less than 10^16, and less
than a line can come to in any currency. Counts are integers of 64 bits; what is unknown is null.
"""

from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from reports.statements.statement_columns import COLUMNS, Holds
from spend.money import ATOM_DIGITS, EXACT
from spend.statements.statements import Statement

SCHEMA_VERSION: Final = "1"
"""Another one where a column goes or changes its meaning; new ones come at the end."""

_DECIMALS: Final = {Holds.COINS: 4, Holds.EXACT: ATOM_DIGITS + 10}
_TYPES: Final = {
    Holds.TEXT: pa.string(),
    Holds.COUNT: pa.int64(),
    **{holds: pa.decimal128(38, digits) for holds, digits in _DECIMALS.items()},
}


def statement_parquet(statement: Statement) -> bytes:
    """A file with a row for each line; its metadata says what it is of."""
    lines = statement.lines
    arrays = [
        pa.array([_fit(column.of(statement, line), column.holds) for line in lines], type_)
        for column, type_ in ((column, _TYPES[column.holds]) for column in COLUMNS)
    ]
    metadata = {f"spanledger.{name}": text for name, text in _about(statement).items()}
    schema = pa.schema(
        [pa.field(column.name, _TYPES[column.holds]) for column in COLUMNS], metadata=metadata
    )
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="zstd")
    return bytes(out.getvalue())


def _fit(value: Any, holds: Holds) -> Any:
    """Decimals as many as the column has: Arrow takes no fewer and no more."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-_DECIMALS[holds]), context=EXACT)
    return value


def _about(statement: Statement) -> dict[str, str]:
    books = statement.books
    about: dict[str, object] = {
        "schema": SCHEMA_VERSION,
        "month": statement.month.name,
        "compared_with": statement.before.name,
        "from": statement.month.start.isoformat(),
        "to": statement.month.end.isoformat(),
        "timezone": statement.zone.key,
        "currency": statement.currency,
        "state": books.state,
        "hash": books.hash,
        "team": statement.team,
        "as_known_at": books.as_known_at and books.as_known_at.isoformat(),
        "complete_until": books.complete_until and books.complete_until.isoformat(),
    }
    return {name: str(told) for name, told in about.items() if told is not None}
