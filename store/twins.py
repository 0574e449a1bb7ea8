"""Sightings that may be of one call: finds them, and keeps what ``spend/twins.py`` says of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    FromClause,
    Integer,
    Interval,
    SmallInteger,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Emitter, Outcome, Owner, Role, Route, Sighting, Standing
from spend.ids import content_id
from spend.meters import METER_NAMES
from spend.twins import SAME_TIME
from spend.witnesses import Joined
from store import rollups
from store.tables.heard import emitters, joined_calls, owners, routes, sightings

Key = tuple[UUID, int, date]
"""(trace id, span id, day): with the tenant, the key of a sighting and of a joined call."""

KEY_TYPES: Final = (Uuid, BigInteger, Date)
KEY_NAMES: Final = ("trace_id", "span_id", "day")


@dataclass(frozen=True, slots=True)
class Stored:
    """A sighting as it is stored."""

    sighting: Sighting
    day: date
    batch_id: int
    standing: Standing
    call: Key | None
    """The joined call that it is a part of."""

    @property
    def key(self) -> Key:
        """Its key, without the tenant."""
        return self.sighting.trace_id, self.sighting.span_id, self.day


def suspect_traces(
    session: Session, tenant: int, batches: Sequence[int], days: tuple[date, date]
) -> set[UUID]:
    """Traces in which a sighting of these batches is linked to another one, of any batch.

    The hot path of the roll: index probes only, no row of an ordinary call leaves Postgres.
    ``days``: the first and last day of the batches; links reach a day further.
    """
    first, last = days[0] - timedelta(days=1), days[1] + timedelta(days=1)
    new = (
        select(sightings)
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batches),
            sightings.c.day.between(*days),
        )
        .cte("new")
    )
    # Used three times below, so Postgres reads it once.
    near = (
        select(sightings)
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.day.between(first, last),
            sightings.c.trace_id.in_(select(new.c.trace_id)),
        )
        .cte("near")
    )
    inner, outer = near.alias("inner_"), near.alias("outer_")
    other = sightings.alias("other")
    of_others = and_(other.c.tenant_id == tenant, other.c.day.between(first, last))
    found = union(
        select(inner.c.trace_id).join(
            outer,
            and_(outer.c.trace_id == inner.c.trace_id, outer.c.span_id == inner.c.parent_span_id),
        ),
        select(near.c.trace_id).where(near.c.role == Role.AGGREGATE),
        select(new.c.trace_id).join(other, and_(of_others, _same_answer(new, other))),
        select(new.c.trace_id).join(other, and_(of_others, _failed_together(new, other))),
    )
    return set(session.scalars(found))


def linked_traces(session: Session, tenant: int, traces: Collection[UUID]) -> set[UUID]:
    """These traces and all that are linked to them, directly or through others."""
    known = set(traces)
    newest = set(traces)
    while newest:
        one, other = sightings.alias("one"), sightings.alias("other")
        found = session.scalars(
            select(other.c.trace_id)
            .distinct()
            .join_from(
                one,
                other,
                and_(
                    other.c.tenant_id == tenant,
                    or_(_same_answer(one, other), _failed_together(one, other)),
                ),
            )
            .where(one.c.tenant_id == tenant, _is_any(one.c.trace_id, newest))
        )
        newest = set(found) - known
        known |= newest
    return known


def _same_answer(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(
        other.c.response_id.is_not(None),
        other.c.response_id == one.c.response_id,
        or_(other.c.trace_id != one.c.trace_id, other.c.span_id != one.c.span_id),
    )


def _failed_together(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Two failed sightings of different emitters, one within the other's time."""
    starts = _microseconds(one.c.start_at) - _microseconds(other.c.start_at)
    ends = (
        starts
        + func.coalesce(one.c.duration_us, literal(0, BigInteger))
        - func.coalesce(other.c.duration_us, literal(0, BigInteger))
    )
    slack = SAME_TIME // timedelta(microseconds=1)
    return and_(
        one.c.outcome != Outcome.OK,
        one.c.response_id.is_(None),
        other.c.outcome != Outcome.OK,
        other.c.response_id.is_(None),
        other.c.emitter_id != one.c.emitter_id,
        # A failed call rarely takes more than an hour: bounds what the index has to look at.
        other.c.start_at.between(
            one.c.start_at - literal(timedelta(hours=1), Interval),
            one.c.start_at + literal(timedelta(hours=1), Interval),
        ),
        or_(and_(starts >= -slack, ends <= slack), and_(starts <= slack, ends >= -slack)),
    )


def _microseconds(moment: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(extract("epoch", moment) * 1_000_000, BigInteger)


def _is_any(column: ColumnElement[UUID], values: Collection[UUID]) -> ColumnElement[bool]:
    """``column = ANY(array)``: one parameter, however many values."""
    array: ColumnElement[bool] = column == func.any(cast(list(values), ARRAY(Uuid)))
    return array


def load(session: Session, tenant: int, traces: Collection[UUID]) -> list[Stored]:
    """All stored sightings of these traces."""
    rows = session.execute(
        select(
            sightings,
            *_named(owners, Owner),
            *_named(routes, Route),
            *_named(emitters, Emitter),
        )
        .join_from(sightings, owners, _of(owners, sightings.c.owner_id))
        .join(routes, _of(routes, sightings.c.route_id))
        .join(emitters, _of(emitters, sightings.c.emitter_id))
        .where(sightings.c.tenant_id == tenant, _is_any(sightings.c.trace_id, traces))
    ).mappings()
    return [_stored(row) for row in rows]


def _of(dictionary: Any, id_: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(dictionary.c.tenant_id == sightings.c.tenant_id, dictionary.c.id == id_)


def _stored(row: Mapping[Any, Any]) -> Stored:
    columns: Mapping[str, Any] = {str(name): value for name, value in row.items()}
    call = (columns["call_trace_id"], columns["call_span_id"], columns["call_day"])
    return Stored(
        sighting=Sighting(
            trace_id=columns["trace_id"],
            span_id=columns["span_id"],
            parent_span_id=columns["parent_span_id"],
            start_at=columns["start_at"],
            duration_us=columns["duration_us"],
            ttft_us=columns["ttft_us"],
            role=Role(columns["role"]),
            outcome=Outcome(columns["outcome"]),
            owner=Owner(**_part(columns, Owner)),
            route=Route(**_part(columns, Route)),
            emitter=Emitter(**_part(columns, Emitter)),
            response_id=columns["response_id"],
            usage={name: columns[name] for name in METER_NAMES if columns[name] is not None},
            details=columns["details"] or {},
        ),
        day=columns["day"],
        batch_id=columns["batch_id"],
        standing=Standing(columns["standing"]),
        call=None if call[0] is None else call,
    )


def _named(dictionary: Any, of: type) -> list[ColumnElement[Any]]:
    return [
        dictionary.c[name].label(f"{of.__name__}.{name}")
        for name in of.__slots__  # type: ignore[attr-defined]  # a slotted dataclass
    ]


def _part(columns: Mapping[str, Any], of: type) -> dict[str, Any]:
    return {name: columns[f"{of.__name__}.{name}"] for name in of.__slots__}  # type: ignore[attr-defined]  # a slotted dataclass


def keys_table(keys: Sequence[Key]) -> FromClause:
    """Keys as a table of Postgres, one array a column, however many there are."""
    arrays: list[ColumnElement[Any]] = [
        cast([key[at] for key in keys], ARRAY(type_)) for at, type_ in enumerate(KEY_TYPES)
    ]
    return func.unnest(*arrays).table_valued(*KEY_NAMES, name="keys").render_derived()


def take_away(
    session: Session, tenant: int, *, counted: Sequence[Key], joined: Sequence[Key]
) -> None:
    """Subtracts sightings and joined calls from the rollups, as they are stored."""
    for table, keys in ((sightings, counted), (joined_calls, joined)):
        if keys:
            rollups.add(session, _contributions(table, tenant, keys, -1))


def give_back(
    session: Session, tenant: int, *, counted: Sequence[Key], joined: Sequence[Key]
) -> None:
    """Adds sightings and joined calls to the rollups, as they are stored."""
    for table, keys in ((sightings, counted), (joined_calls, joined)):
        if keys:
            rollups.add(session, _contributions(table, tenant, keys, 1))


def _contributions(table: Any, tenant: int, keys: Sequence[Key], sign: int) -> FromClause:
    wanted = keys_table(keys)
    return (
        select(
            *(table.c[name] for name in rollups.CALL_COLUMNS), literal(sign, Integer).label("sign")
        )
        .join_from(wanted, table, and_(*(table.c[name] == wanted.c[name] for name in KEY_NAMES)))
        .where(table.c.tenant_id == tenant)
        .subquery("contributions")
    )


def joined_rows(session: Session, tenant: int, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """The joined calls under these keys, as stored."""
    wanted = keys_table(keys)
    rows = session.execute(
        select(joined_calls)
        .join_from(
            wanted,
            joined_calls,
            and_(*(joined_calls.c[name] == wanted.c[name] for name in KEY_NAMES)),
        )
        .where(joined_calls.c.tenant_id == tenant)
    ).mappings()
    return {(row["trace_id"], row["span_id"], row["day"]): dict(row) for row in rows}


def row_of(joined: Joined, tenant: int, day: date, version: int) -> dict[str, Any]:
    """A joined call as a row; its owner and route must be in the dictionaries."""
    key = joined.key
    return {
        "tenant_id": tenant,
        "trace_id": key.trace_id,
        "span_id": key.span_id,
        "day": day,
        "start_at": joined.start_at,
        "duration_us": joined.duration_us,
        "ttft_us": joined.ttft_us,
        "owner_id": content_id(joined.owner),
        "route_id": content_id(joined.route),
        "outcome": int(joined.outcome),
        **{name: joined.usage.get(name) for name in METER_NAMES},
        "details": dict(joined.details) or None,
        "version": version,
        "evidence": [
            {
                "trace_id": member.trace_id.hex,
                "span_id": f"{member.span_id & (1 << 64) - 1:016x}",
                "rule": rule,
            }
            for member, rule in zip(joined.members, joined.rules, strict=True)
        ],
        "usage_conflict": joined.usage_conflict,
    }


def remove_joined(session: Session, tenant: int, keys: Sequence[Key]) -> None:
    """Removes joined calls that are none any more, or are about to be written anew."""
    wanted = keys_table(keys)
    session.execute(
        delete(joined_calls).where(
            joined_calls.c.tenant_id == tenant,
            *(joined_calls.c[name] == wanted.c[name] for name in KEY_NAMES),
        )
    )


def add_joined(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes joined calls, in the order of their keys."""
    session.execute(
        insert(joined_calls),
        sorted(rows, key=lambda row: (row["trace_id"].hex, row["span_id"], row["day"])),
    )


def set_standing(
    session: Session, tenant: int, standings: Iterable[tuple[Key, Standing, Key | None]]
) -> None:
    """Writes what became of sightings: key, standing, and the joined call they are a part of."""
    values = [
        {
            "of_tenant": tenant,
            "of_trace": key[0],
            "of_span": key[1],
            "of_day": key[2],
            "standing": int(standing),
            "call_trace_id": call[0] if call else None,
            "call_span_id": call[1] if call else None,
            "call_day": call[2] if call else None,
        }
        for key, standing, call in sorted(standings, key=lambda one: (one[0][0].hex, one[0][1]))
    ]
    if values:
        session.connection().execute(
            update(sightings)
            .where(
                sightings.c.tenant_id == bindparam("of_tenant"),
                sightings.c.trace_id == bindparam("of_trace"),
                sightings.c.span_id == bindparam("of_span"),
                sightings.c.day == bindparam("of_day"),
            )
            .values(
                standing=bindparam("standing", type_=SmallInteger),
                call_trace_id=bindparam("call_trace_id"),
                call_span_id=bindparam("call_span_id"),
                call_day=bindparam("call_day"),
            ),
            values,
        )
