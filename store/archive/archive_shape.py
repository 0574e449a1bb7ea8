"""What an archived day holds, column by column, and how it is asked of the tables.

Two files a day: ``sightings.parquet`` has everything that was heard of the day, and
``joined_calls.parquet`` the calls that several sightings tell of. Names are written out, so that a
file can be read by whoever has nothing else; ids are the hex digits that people know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from enum import IntEnum
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    select,
)

from spend.calls import Emitter, Outcome, Owner, Role, Route, Standing
from spend.meters import METER_NAMES
from store.columns import MOMENT
from store.narrow import column_of
from store.tables.heard import batches, emitters, joined_calls, owners, routes, sightings

SIGHTINGS: Final = "sightings.parquet"
JOINED: Final = "joined_calls.parquet"

_TEXT: Final = pa.string()
_NUMBER: Final = pa.int64()


def _names(*kinds: type) -> list[tuple[str, pa.DataType]]:
    return [
        (f"{kind.__name__.lower()}_{each.name}", _TEXT) for kind in kinds for each in fields(kind)
    ]


SHAPES: Final[Mapping[str, pa.Schema]] = {
    SIGHTINGS: pa.schema(
        [
            ("trace_id", _TEXT),
            ("span_id", _TEXT),
            ("start_at", MOMENT),
            ("duration_us", _NUMBER),
            ("ttft_us", _NUMBER),
            ("role", _TEXT),
            ("outcome", _TEXT),
            ("standing", _TEXT),
            *((name, _NUMBER) for name in METER_NAMES),
            *_names(Owner, Route, Emitter),
            ("parent_span_id", _TEXT),
            ("response_id_sha256", _TEXT),
            ("kin_id", _NUMBER),
            ("call_trace_id", _TEXT),
            ("call_span_id", _TEXT),
            ("call_day", pa.date32()),
            ("batch_id", _NUMBER),
            ("details", _TEXT),
        ]
    ),
    JOINED: pa.schema(
        [
            ("trace_id", _TEXT),
            ("span_id", _TEXT),
            ("start_at", MOMENT),
            ("duration_us", _NUMBER),
            ("ttft_us", _NUMBER),
            ("outcome", _TEXT),
            *((name, _NUMBER) for name in METER_NAMES),
            *_names(Owner, Route),
            ("owner_id", _NUMBER),
            ("route_id", _NUMBER),
            ("version", _NUMBER),
            ("usage_conflict", pa.bool_()),
            ("evidence", _TEXT),
            ("details", _TEXT),
        ]
    ),
}
"""The columns of each file, in their order; rows are in that of trace and span."""

SUMMED: Final = ("duration_us", "ttft_us", *METER_NAMES)
"""Columns whose sums tell whether a file holds what the table does."""


def rows_of(file: str, tenant: int, day: date) -> Select[*tuple[Any, ...]]:
    """What goes into a file, in its order."""
    return _sightings(tenant, day) if file == SIGHTINGS else _joined(tenant, day)


def sums_of(file: str, tenant: int, day: date) -> Select[*tuple[Any, ...]]:
    """How many rows a file is to have, and the sums of SUMMED."""
    table = sightings if file == SIGHTINGS else joined_calls
    sums = (func.coalesce(func.sum(column_of(table, name)), 0) for name in SUMMED)
    return select(func.count(), *sums).where(table.c.tenant_id == tenant, table.c.day == day)


def _sightings(tenant: int, day: date) -> Select[*tuple[Any, ...]]:
    details = _details(tenant, day)
    told = and_(
        details.c.batch_id == sightings.c.batch_id, details.c.place == sightings.c.details_no
    )
    source = (
        sightings.join(owners, _named(sightings, owners, "owner_id"))
        .join(routes, _named(sightings, routes, "route_id"))
        .join(emitters, _named(sightings, emitters, "emitter_id"))
        .outerjoin(details, told)
    )
    columns: dict[str, ColumnElement[Any]] = {
        **_both(sightings),
        "role": _name_of(Role, column_of(sightings, "role")),
        "standing": _name_of(Standing, column_of(sightings, "standing")),
        **_names_of(owners, Owner),
        **_names_of(routes, Route),
        **_names_of(emitters, Emitter),
        "parent_span_id": _hex(sightings.c.parent_span_id),
        "response_id_sha256": _hex(sightings.c.answer_id),
        "kin_id": sightings.c.kin_id,
        "call_trace_id": _trace(sightings.c.call_trace_id),
        "call_span_id": _hex(sightings.c.call_span_id),
        "call_day": sightings.c.call_day,
        "batch_id": sightings.c.batch_id,
        "details": details.c.told,
    }
    return (
        select(*(columns[name] for name in SHAPES[SIGHTINGS].names))
        .select_from(source)
        .where(sightings.c.tenant_id == tenant, sightings.c.day == day)
        .order_by(sightings.c.trace_id, sightings.c.span_id)
    )


def _joined(tenant: int, day: date) -> Select[*tuple[Any, ...]]:
    calls = joined_calls
    source = calls.join(owners, _named(calls, owners, "owner_id")).join(
        routes, _named(calls, routes, "route_id")
    )
    columns: dict[str, ColumnElement[Any]] = {
        **_both(calls),
        **_names_of(owners, Owner),
        **_names_of(routes, Route),
        **{name: calls.c[name] for name in ("owner_id", "route_id", "version")},
        # As Arrow reads a boolean.
        "usage_conflict": cast(calls.c.usage_conflict, Text),
        "evidence": cast(calls.c.evidence, Text),
        "details": cast(calls.c.details, Text),
    }
    return (
        select(*(columns[name] for name in SHAPES[JOINED].names))
        .select_from(source)
        .where(calls.c.tenant_id == tenant, calls.c.day == day)
        .order_by(calls.c.trace_id, calls.c.span_id)
    )


def _both(table: FromClause) -> dict[str, ColumnElement[Any]]:
    """The columns that sightings and joined calls have in common."""
    return {
        "trace_id": _trace(table.c.trace_id),
        "span_id": _hex(table.c.span_id),
        "outcome": _name_of(Outcome, column_of(table, "outcome")),
        **{
            name: column_of(table, name)
            for name in ("start_at", "duration_us", "ttft_us", *METER_NAMES)
        },
    }


def _details(tenant: int, day: date) -> FromClause:
    """The texts of the day's batches, each with its place. A batch's are taken apart once."""
    heard = select(sightings.c.batch_id).where(
        sightings.c.tenant_id == tenant,
        sightings.c.day == day,
        sightings.c.details_no.is_not(None),
    )
    each = (
        func.json_array_elements(batches.c.details)
        .table_valued("value", with_ordinality="place")
        .render_derived("each")
    )
    return (
        select(
            batches.c.id.label("batch_id"),
            (each.c.place - 1).label("place"),
            cast(each.c.value, Text).label("told"),
        )
        .where(batches.c.tenant_id == tenant, batches.c.id.in_(heard))
        .cte("details")
        .prefix_with("MATERIALIZED")
    )


def _named(table: FromClause, dictionary: FromClause, key: str) -> ColumnElement[bool]:
    return and_(dictionary.c.tenant_id == table.c.tenant_id, dictionary.c.id == table.c[key])


def _names_of(dictionary: FromClause, of: type) -> dict[str, ColumnElement[Any]]:
    prefix = of.__name__.lower()
    return {f"{prefix}_{each.name}": dictionary.c[each.name] for each in fields(of)}


def _name_of(kind: Iterable[IntEnum], number: ColumnElement[int]) -> ColumnElement[str]:
    return case({int(each): each.name.lower() for each in kind}, value=number)


def _trace(id_: ColumnElement[Any]) -> ColumnElement[str]:
    return func.replace(cast(id_, Text), "-", "")


def _hex(id_: ColumnElement[int]) -> ColumnElement[str]:
    return func.lpad(func.to_hex(cast(id_, BigInteger)), 16, "0")
