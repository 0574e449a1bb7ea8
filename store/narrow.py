"""How a sighting is kept: in as few bytes as it can be, as there are many of them.

A batch of ``store.sightings.SIGHTINGS`` becomes rows of the table ``sightings`` and the batch's own
texts. ``column_of`` is the way back, in SQL: what a column means, as a joined call has it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, FromClause, cast, func, literal_column
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome, Role, Standing
from spend.meters import METER_NAMES
from spend.twins.nearness import ALIKE_REACH
from store.sightings import SIGHTINGS

_ORDINARY: Final = {"role": Role.CALL, "outcome": Outcome.OK, "standing": Standing.COUNTS}
"""What nearly all sightings are: NULL in the table, which takes no room."""

_STORED_AS: Final = {"outcome": "failure"}

_NARROWED: Final = {
    "emitter_id": pa.field("emitter_id", pa.int32(), nullable=False),
    "duration_us": pa.field("duration_us", pa.int32()),
    **{name: pa.field(name, pa.int32()) for name in METER_NAMES},
    **{name: pa.field(_STORED_AS.get(name, name), pa.int16(), nullable=True) for name in _ORDINARY},
    "response_id": pa.field("answer_id", pa.int64()),
    "details": pa.field("details_no", pa.int32()),
}

ROWS: Final = pa.schema(
    [
        *(_NARROWED.get(field.name, field) for field in SIGHTINGS),
        pa.field("overlong_us", pa.int64()),
        pa.field("batch_id", pa.int64(), nullable=False),
    ]
)
"""The columns that are copied."""

_LONGEST: Final = 2**31 - 1
"""Microseconds, some 35 minutes: what ``duration_us`` can hold."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Sightings as they are kept."""

    rows: pa.RecordBatch
    """Schema ``ROWS``."""
    details: list[str]
    """JSON texts, to which ``details_no`` points: each once."""


def narrowed(rows: pa.RecordBatch, batch_id: int) -> Narrowed:
    """``rows`` (schema ``store.sightings.SIGHTINGS``) as rows of a batch.

    Raises ``pyarrow.ArrowInvalid`` for a count beyond ``spend.meters.LARGEST_COUNT``.
    """
    columns = {name: rows.column(name) for name in SIGHTINGS.names}
    for name, ordinary in _ORDINARY.items():
        values = columns[name].to_numpy()
        columns[name] = pa.array(values, mask=values == ordinary)
    columns["duration_us"], overlong = _durations(columns["duration_us"])
    columns["response_id"] = _digests(columns["response_id"])
    told = columns["details"].dictionary_encode()
    columns["details"] = told.indices
    arrays = [
        *(_cast(columns[name], ROWS.field(at).type) for at, name in enumerate(SIGHTINGS.names)),
        overlong,
        pa.array(np.full(rows.num_rows, batch_id, np.int64)),
    ]
    return Narrowed(pa.RecordBatch.from_arrays(arrays, schema=ROWS), told.dictionary.to_pylist())


def _cast(column: pa.Array, type_: pa.DataType) -> pa.Array:
    # As most of the meters are: an empty column is made faster than it is cast.
    if column.null_count == len(column):
        return pa.nulls(len(column), type_)
    return column if column.type == type_ else column.cast(type_)


def _durations(took: pa.Int64Array) -> tuple[pa.Int64Array, pa.Int64Array]:
    """What fits into ``duration_us``, and what is over."""
    if (pc.max(took).as_py() or 0) <= _LONGEST:
        return took, pa.nulls(len(took), pa.int64())
    fits = pc.min_element_wise(took, _LONGEST, skip_nulls=False)
    over = pc.subtract(took, fits)
    return fits, pc.if_else(pc.greater(over, 0), over, None)


def _digests(ids: pa.StringArray) -> pa.Int64Array:
    """The first 8 bytes of each text's SHA-256, as Postgres and a shell can compute them too."""
    told = ids.drop_null().cast(pa.binary()).to_pylist()
    digests = b"".join([hashlib.sha256(each).digest() for each in told])
    kept = np.zeros(len(ids), np.int64)
    there = ids.is_valid().to_numpy(zero_copy_only=False)
    kept[there] = np.frombuffer(digests, ">i8")[::4]
    return pa.array(kept, mask=~there)


def with_nul(details: pa.StringArray) -> list[int]:
    r"""Which JSON texts hold a NUL, as ``\u0000``."""
    may = pc.fill_null(pc.match_substring(details, r"\u0000"), fill_value=False)
    rows: list[int] = np.flatnonzero(may.to_numpy(zero_copy_only=False)).tolist()
    # Not a backslash that is itself escaped.
    return [row for row in rows if r"\u0000" in details[row].as_py().replace(r"\\", "")]


def slot_of(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The slot of ``ALIKE_REACH`` (UTC) in which a moment lies: an index finds sightings by it."""
    return func.date_bin(
        # Written out: to a parameter no index fits.
        literal_column(f"interval '{ALIKE_REACH}'"),
        moment,
        literal_column("'epoch'::timestamptz"),
    )


def column_of(calls: FromClause, name: str) -> ColumnElement[Any]:
    """A column of calls by the name that it has in ``joined_calls``: also of sightings."""
    if "failure" not in calls.c:
        return calls.c[name]
    stored = calls.c[_STORED_AS.get(name, name)]
    if name in _ORDINARY:
        return func.coalesce(stored, int(_ORDINARY[name])).label(name)
    if name == "duration_us":
        whole = cast(stored, BigInteger) + func.coalesce(calls.c.overlong_us, 0)
        return whole.label(name)
    # Wide, as five of them are added up.
    return cast(stored, BigInteger).label(name) if name in METER_NAMES else stored
