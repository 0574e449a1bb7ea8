"""Finds calls by the ids of their sightings. Only here and in call_pages are calls read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Outcome, Owner, Role, Route, Standing
from spend.ids import content_id, signed
from spend.meters import METER_NAMES
from store import parties
from store.archive.archived_calls import archived_joined, archived_sightings
from store.tables.heard import sightings as heard_sightings
from store.twins import twins
from store.twins.twins import Key, Stored

MOST_OF_TRACE: Final = 1000
"""Sightings of a trace that are read: the first ones."""


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call as it counts, and what it was made of."""

    trace_id: UUID
    span_id: int
    """Signed, as stored."""
    start_at: datetime
    duration_us: int | None
    ttft_us: int | None
    outcome: Outcome
    owner: Owner
    route: Route
    usage: Mapping[str, int]
    """A meter that is absent is unknown."""
    details: Mapping[str, Any]
    standing: Standing
    """HELD: it is not a call, it repeats others."""
    sightings: tuple[tuple[Stored, str], ...]
    """Best witness first, each with the evidence that it is of this call."""
    usage_conflict: bool
    archived: bool = False
    """Whether it was read from the archive, as its day is not in the tables any more."""

    @property
    def counts(self) -> bool:
        """Whether it is in the reports, or will be."""
        return self.standing is not Standing.HELD

    @property
    def place(self) -> tuple[int, int]:
        """The ids of its owner and its route."""
        return content_id(self.owner), content_id(self.route)


def find_call(session: Session, tenant: int, trace_id: UUID, span_id: int) -> FoundCall | None:
    """The call that a sighting is of, or is; None where no such sighting was heard.

    Of a day that was dropped it is found in the archive; raises ArchiveAway where that is away.
    """
    stored = _heard(session, tenant, [trace_id])
    heard = [each for each in stored if each.sighting.span_id == span_id]
    if not heard:
        return None
    # A span that was sent with two start times on two days: the later one.
    found = max(heard, key=lambda each: each.day)
    return _calls_of(session, tenant, [found])[0]


@dataclass(frozen=True, slots=True)
class FoundTrace:
    """What was heard under a trace id."""

    sightings: tuple[Stored, ...]
    """By start: those of this trace. Sightings of its calls in other traces are with the calls."""
    calls: tuple[FoundCall, ...]
    """The calls that they are of, each once; also what only repeats others."""
    more: int
    """Sightings that were not read, as there are so many."""


def find_trace(session: Session, tenant: int, trace_id: UUID) -> FoundTrace | None:
    """A trace by its id; None where nothing of it was heard. As ``find_call``."""
    mine = heard_sightings.c.tenant_id == tenant, heard_sightings.c.trace_id == trace_id
    starts = heard_sightings.c.start_at
    bound = session.scalar(
        select(starts).where(*mine).order_by(starts).offset(MOST_OF_TRACE).limit(1)
    )
    which = [] if bound is None else [starts < bound]
    stored = _heard(session, tenant, [trace_id], *which)
    if not stored:
        return None
    stored.sort(key=lambda each: (each.sighting.start_at, each.sighting.span_id, each.day))
    more = max(len(stored) - MOST_OF_TRACE, 0)
    if bound is not None:
        there = session.scalar(select(func.count()).where(*mine)) or 0
        more += there - sum(not each.archived for each in stored)
    stored = stored[:MOST_OF_TRACE]
    return FoundTrace(tuple(stored), tuple(_calls_of(session, tenant, stored)), more)


def _heard(
    session: Session,
    tenant: int,
    traces: Collection[UUID],
    *which: ColumnElement[bool],
    of_calls: Collection[UUID] | None = None,
) -> list[Stored]:
    """All sightings of these traces: of the tables those ``which``, and those of archived days."""
    kept = twins.as_heard(session, tenant, traces, *which)
    # A day that is being dropped may be in both, and in neither if the tables were asked alone.
    known = {each.key for each in kept}
    archived = archived_sightings(session, tenant, traces, of_calls)
    return kept + [each for each in archived if each.key not in known]


def _calls_of(session: Session, tenant: int, stored: Sequence[Stored]) -> list[FoundCall]:
    """The calls that sightings are of, in their order, each once."""
    keys = {one.call for one in stored if one.call}
    rows = twins.joined_rows(session, tenant, sorted(keys))
    rows |= archived_joined(session, tenant, keys - rows.keys())
    joined = _joined(session, tenant, list(rows.values()))
    found: dict[Key, FoundCall] = {}
    for each in stored:
        if each.call is not None and each.call in joined:
            found.setdefault(each.call, joined[each.call])
        else:
            found.setdefault(each.key, _alone(each))
    return list(found.values())


def _alone(found: Stored) -> FoundCall:
    seen = found.sighting
    waits = seen.role is Role.AGGREGATE and found.standing is Standing.COUNTS
    return FoundCall(
        trace_id=seen.trace_id,
        span_id=seen.span_id,
        start_at=seen.start_at,
        duration_us=seen.duration_us,
        ttft_us=seen.ttft_us,
        outcome=seen.outcome,
        owner=seen.owner,
        route=seen.route,
        usage=seen.usage,
        details=seen.details,
        standing=Standing.HELD if waits else found.standing,
        sightings=((found, "its only sighting"),),
        usage_conflict=False,
        archived=found.archived,
    )


def _joined(
    session: Session, tenant: int, rows: Collection[Mapping[str, Any]]
) -> dict[Key, FoundCall]:
    if not rows:
        return {}
    owners = parties.owners_of(session, tenant, {row["owner_id"] for row in rows})
    routes = parties.routes_of(session, tenant, {row["route_id"] for row in rows})
    members = _members(session, tenant, rows)
    return {
        _key(row): FoundCall(
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            start_at=row["start_at"],
            duration_us=row["duration_us"],
            ttft_us=row["ttft_us"],
            outcome=Outcome(row["outcome"]),
            owner=owners[row["owner_id"]],
            route=routes[row["route_id"]],
            usage={name: row[name] for name in METER_NAMES if row[name] is not None},
            details=row["details"] or {},
            standing=Standing.COUNTS,
            sightings=members[_key(row)],
            usage_conflict=row["usage_conflict"],
            archived=row.get("archived", False),
        )
        for row in rows
    }


def _key(row: Mapping[str, Any]) -> Key:
    return row["trace_id"], row["span_id"], row["day"]


def _members(
    session: Session, tenant: int, rows: Collection[Mapping[str, Any]]
) -> dict[Key, tuple[tuple[Stored, str], ...]]:
    """The sightings of joined calls, in any trace, each with its evidence."""
    traces = {UUID(each["trace_id"]) for row in rows for each in row["evidence"]}
    # A gateway may see thousands of calls in one trace of its own.
    calls = {row["trace_id"] for row in rows}
    of_these = heard_sightings.c.call_trace_id == func.any(literal(sorted(calls), ARRAY(Uuid)))
    loaded = _heard(session, tenant, traces, of_these, of_calls=calls)
    by_call = {(each.call, each.sighting.trace_id, each.sighting.span_id): each for each in loaded}
    found = {}
    for row in rows:
        named = [
            ((_key(row), UUID(each["trace_id"]), signed(each["span_id"])), each["rule"])
            for each in row["evidence"]
        ]
        found[_key(row)] = tuple((by_call[ids], rule) for ids, rule in named if ids in by_call)
    return found
