"""Rows of a query as an Arrow table, and rows of an Arrow table put into a table of ours, by COPY.

A row is no Python object on its way: of ten thousand rows that takes a tenth of the time.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql
from sqlalchemy import Select
from sqlalchemy.orm import Session

MOMENT: pa.DataType = pa.timestamp("us", tz="UTC")

_BYTES_AT_ONCE: Final = 16 * 2**20


def read(session: Session, wanted: Select[*tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """What a query answers, as the types of ``schema``: its columns, in this order.

    Times are UTC, as the session's are; NULL is null. A value that its type cannot hold as it is
    raises pyarrow.ArrowInvalid, nothing is rounded.
    """
    asked = wanted.compile(dialect=session.get_bind().dialect)
    # A percent sign of ours is doubled for psycopg already.
    statement = f"COPY ({asked}) TO STDOUT (FORMAT csv)"
    with driver(session).cursor() as cursor, cursor.copy(statement.encode(), asked.params) as copy:
        return _table([bytes(row) for row in copy], schema)


def stream(
    session: Session, wanted: Select[*tuple[Any, ...]], schema: pa.Schema, *, at_once: int
) -> Iterator[pa.Table]:
    """The same as ``read``, so many rows at a time, or fewer where rows are long."""
    asked = wanted.compile(dialect=session.get_bind().dialect)
    statement = f"COPY ({asked}) TO STDOUT (FORMAT csv)"
    rows: list[bytes] = []
    held = 0
    with driver(session).cursor() as cursor, cursor.copy(statement.encode(), asked.params) as copy:
        # Postgres sends a row a message, whatever line ends are in it.
        for row in copy:
            rows.append(bytes(row))
            held += len(row)
            if len(rows) == at_once or held > _BYTES_AT_ONCE:
                yield _table(rows, schema)
                rows, held = [], 0
    if rows:
        yield _table(rows, schema)


def _table(rows: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    told = b"".join(rows)
    if not told:
        return schema.empty_table()
    return pa.csv.read_csv(
        BytesIO(told),
        read_options=pa.csv.ReadOptions(column_names=schema.names),
        convert_options=pa.csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
    )


def append(session: Session, table: str, rows: pa.Table) -> None:
    """Puts rows into the columns of these names."""
    if not rows.num_rows:
        return
    told = BytesIO()
    pa.csv.write_csv(rows, told, pa.csv.WriteOptions(include_header=False))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    )
    with driver(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(told.getbuffer())


def driver(session: Session) -> "psycopg.Connection[tuple[Any, ...]]":
    """The session's connection as psycopg knows it: SQLAlchemy has no word for COPY."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"rows are copied through psycopg, not {type(connection)}")
    return connection
