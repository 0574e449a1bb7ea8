"""Keeps what spend/twins/twins.py says of sightings, and moves the rollups by the difference."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    FromClause,
    Integer,
    SmallInteger,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import NO_DETAILS, Emitter, Outcome, Owner, Role, Route, Sighting, Standing
from spend.ids import content_id, unsigned
from spend.meters import METER_NAMES
from spend.twins.witnesses import Joined
from store.ledger import rollups
from store.narrow import column_of
from store.tables.heard import batches, emitters, joined_calls, owners, routes, sightings

Key = tuple[UUID, int, date]
"""(trace id, span id, day): with the tenant, the key of a sighting and of a joined call."""

KEY_TYPES: Final = (Uuid, BigInteger, Date)
KEY_NAMES: Final = ("trace_id", "span_id", "day")

_COLUMNS: Final = (
    *KEY_NAMES,
    "parent_span_id",
    "start_at",
    "duration_us",
    "ttft_us",
    "role",
    "outcome",
    "answer_id",
    "kin_id",
    *METER_NAMES,
    "batch_id",
    "details_no",
    "standing",
    "call_trace_id",
    "call_span_id",
    "call_day",
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A sighting as it is stored."""

    sighting: Sighting
    day: date
    batch_id: int
    standing: Standing
    call: Key | None
    """The joined call that it is a part of."""
    archived: bool = False
    """Whether it was read from the archive."""

    @property
    def key(self) -> Key:
        """Its key, without the tenant."""
        return self.sighting.trace_id, self.sighting.span_id, self.day


def load(
    session: Session, tenant: int, traces: Collection[UUID], since: date | None = None
) -> list[Stored]:
    """All stored sightings of these traces that are in the rollups, or are about to be.

    With ``since`` none of a day (UTC) before it, nor of a call of such a day: what is known of
    these does not change any more (``store/intake/retention.py``).

    Not those of batches that still wait: to settle with what was never counted would take it away
    from the rollups. They have their say when their batch is rolled up. With those that were once
    joined to them, even if nothing links them any more (an id that too many came to share).
    """
    found: list[Stored] = []
    known: set[UUID] = set()
    wanted = set(traces)
    while wanted:
        newest = _of_traces(session, tenant, wanted, since)
        found += newest
        known |= wanted
        calls = joined_rows(session, tenant, sorted({one.call for one in newest if one.call}))
        evidence = [part for row in calls.values() for part in row["evidence"]]
        wanted = {UUID(part["trace_id"]) for part in evidence} - known
    return found


def _of_traces(
    session: Session, tenant: int, traces: Collection[UUID], since: date | None
) -> list[Stored]:
    waiting = select(batches.c.id).where(
        batches.c.tenant_id == tenant, batches.c.rolled_at.is_(None)
    )
    which: list[ColumnElement[bool]] = [sightings.c.batch_id.not_in(waiting)]
    if since is not None:
        call_day = sightings.c.call_day
        which += [sightings.c.day >= since, call_day.is_(None) | (call_day >= since)]
    return as_heard(session, tenant, traces, *which)


def as_heard(
    session: Session, tenant: int, traces: Collection[UUID], *which: ColumnElement[bool]
) -> list[Stored]:
    """All stored sightings of these traces, also of batches that still wait."""
    rows = session.execute(
        select(
            *(column_of(sightings, name) for name in _COLUMNS),
            *_named(owners, Owner),
            *_named(routes, Route),
            *_named(emitters, Emitter),
        )
        .join_from(sightings, owners, _of(owners, sightings.c.owner_id))
        .join(routes, _of(routes, sightings.c.route_id))
        .join(emitters, _of(emitters, sightings.c.emitter_id))
        .where(
            sightings.c.tenant_id == tenant,
            # One parameter, however many traces.
            sightings.c.trace_id == func.any(cast(list(traces), ARRAY(Uuid))),
            *which,
        )
    ).all()
    details = _details(
        session, tenant, {row.batch_id for row in rows if row.details_no is not None}
    )
    return [_stored(row._mapping, details) for row in rows]  # noqa: SLF001  # public, as a tuple's


def _details(session: Session, tenant: int, batch_ids: Collection[int]) -> dict[int, list[Any]]:
    """What batches tell of their sightings beside the columns."""
    wanted = batches.c.id == func.any(cast(list(batch_ids), ARRAY(BigInteger)))
    asked = select(batches.c.id, batches.c.details).where(batches.c.tenant_id == tenant, wanted)
    return {id_: told for id_, told in session.execute(asked)} if batch_ids else {}  # noqa: C416  # rows


def _of(dictionary: Any, id_: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(dictionary.c.tenant_id == sightings.c.tenant_id, dictionary.c.id == id_)


def _stored(row: Mapping[Any, Any], details: Mapping[int, Sequence[Any]]) -> Stored:
    columns: Mapping[str, Any] = {str(name): value for name, value in row.items()}
    call = (columns["call_trace_id"], columns["call_span_id"], columns["call_day"])
    answer, place = columns["answer_id"], columns["details_no"]
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
            response_id=None if answer is None else unsigned(answer),
            usage={name: columns[name] for name in METER_NAMES if columns[name] is not None},
            details=NO_DETAILS if place is None else details[columns["batch_id"]][place],
            kin_id=columns["kin_id"],
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
            *(column_of(table, name) for name in rollups.CALL_COLUMNS),
            literal(sign, Integer).label("sign"),
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
                "span_id": unsigned(member.span_id),
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
            "standing": int(standing) or None,
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
