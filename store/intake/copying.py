"""Copies sightings into their table: straight, and again with care where a key is there already.

COPY cannot skip a row that exists, and the careful way (a temp table, then INSERT ... ON CONFLICT)
takes twice as long, so it is taken only when a duplicate forces it. Savepoints take time too: who
can begin the transaction anew copies straight first, without any.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final

import numpy as np
import pgpq
import psycopg
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy.orm import Session

from store.columns import driver
from store.dictionaries import is_about_the_data, sqlstate_of
from store.narrow import ROWS
from store.sightings import KEY

Fates = NDArray[np.int8]
"""A ``Fate`` for each row."""


class Fate(IntEnum):
    """What became of a row."""

    STORED = 0
    DUPLICATE = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of each row, in the order of the rows."""

    fates: Fates
    sqlstates: dict[int, str]
    """Row -> SQLSTATE, for the refused."""


_COLUMNS: Final = sql.SQL(", ").join(map(sql.Identifier, ROWS.names))
_KEY: Final = sql.SQL(", ").join(map(sql.Identifier, KEY))
_STAGED: Final = sql.Identifier("staged_sightings")
_STAGE: Final = sql.SQL(
    "CREATE TEMP TABLE {} (LIKE sightings INCLUDING DEFAULTS) ON COMMIT DROP"
).format(_STAGED)
_INSERT: Final = sql.SQL(
    "INSERT INTO sightings ({columns}) SELECT {columns} FROM {staged} ORDER BY {key}"
    " ON CONFLICT DO NOTHING RETURNING uuid_send(trace_id), span_id, day"
).format(columns=_COLUMNS, staged=_STAGED, key=_KEY)


def copy_straight(session: Session, rows: pa.RecordBatch) -> Copied:
    """Store rows as ``copy_in`` does, where all can be: else this raises, and nothing is stored."""
    if rows.num_rows:
        try:
            _stream(session, rows, sql.Identifier("sightings"))
        except psycopg.errors.InternalError_ as error:
            # Said of COPY by a node of Citus, which does not pass on what SQLSTATE the node gave.
            raise psycopg.DataError(f"to be looked at more closely: {error}") from error
    return Copied(np.full(rows.num_rows, Fate.STORED, np.int8), {})


def copy_in(session: Session, rows: pa.RecordBatch) -> Copied:
    """Store rows in the session's transaction.

    They have the schema ``store.narrow.ROWS``, are in key order, and each key once. One that
    Postgres refuses is found by halving and left out; the others are stored. Errors that are not
    about the data (connection, locks, time) are raised, as psycopg raises them.
    """
    if not rows.num_rows:
        return Copied(np.zeros(0, np.int8), {})
    try:
        return _copy(session, rows)
    except (psycopg.Error, UnicodeEncodeError) as error:
        if not is_about_the_data(error):
            raise
        if rows.num_rows == 1:
            fates = np.full(1, Fate.REFUSED, np.int8)
            return Copied(fates, {0: sqlstate_of(error) or "22021"})
    half = rows.num_rows // 2
    left, right = copy_in(session, rows.slice(0, half)), copy_in(session, rows.slice(half))
    later = {half + row: state for row, state in right.sqlstates.items()}
    return Copied(np.concatenate([left.fates, right.fates]), left.sqlstates | later)


def _copy(session: Session, rows: pa.RecordBatch) -> Copied:
    try:
        with session.begin_nested():
            _stream(session, rows, sql.Identifier("sightings"))
        return Copied(np.full(rows.num_rows, Fate.STORED, np.int8), {})
    except (psycopg.errors.UniqueViolation, psycopg.errors.InternalError_):
        # The latter from Citus: INSERT says which it is, COPY does not.
        with session.begin_nested():
            return _copy_new_ones(session, rows)


def _copy_new_ones(session: Session, rows: pa.RecordBatch) -> Copied:
    with driver(session).cursor() as cursor:
        cursor.execute(_STAGE)
        _stream(session, rows, _STAGED)
        cursor.execute(_INSERT, binary=True)
        stored = {(bytes(trace), span, day) for trace, span, day in cursor.fetchall()}
        cursor.execute(sql.SQL("DROP TABLE {}").format(_STAGED))
    keys = zip(*(rows.column(name).to_pylist() for name in KEY[1:]), strict=True)
    fates = [Fate.STORED if key in stored else Fate.DUPLICATE for key in keys]
    return Copied(np.array(fates, np.int8), {})


def _stream(session: Session, rows: pa.RecordBatch, into: sql.Identifier) -> None:
    # A column of which nothing is told costs Postgres as much as one that is told.
    told = [name for name in ROWS.names if rows.column(name).null_count < rows.num_rows]
    rows = rows.select(told)
    encoders = {name: _encoders()[name] for name in told}
    encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(rows.schema, encoders)
    names = sql.SQL(", ").join(map(sql.Identifier, told))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(into, names)
    with driver(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header() + encoder.write_batch(rows) + encoder.finish())


@cache
def _encoders() -> dict[str, Any]:
    return {field.name: pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in ROWS}
