"""Finds one call by the ids of any of its sightings. Only here and in call_pages are calls read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from spend.calls import Outcome, Owner, Role, Route, Standing
from spend.ids import content_id, signed
from spend.meters import METER_NAMES
from store import parties, twins
from store.twins import Key, Stored


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

    @property
    def counts(self) -> bool:
        """Whether it is in the reports, or will be."""
        return self.standing is not Standing.HELD

    @property
    def place(self) -> tuple[int, int]:
        """The ids of its owner and its route."""
        return content_id(self.owner), content_id(self.route)


def find_call(session: Session, tenant: int, trace_id: UUID, span_id: int) -> FoundCall | None:
    """The call that a sighting is of, or is; None where no such sighting was heard."""
    heard = [
        each
        for each in twins.as_heard(session, tenant, [trace_id])
        if each.sighting.span_id == span_id
    ]
    if not heard:
        return None
    # A span that was sent with two start times on two days: the later one.
    found = max(heard, key=lambda each: each.day)
    if found.call is None:
        return _alone(found)
    row = twins.joined_rows(session, tenant, [found.call]).get(found.call)
    return _joined(session, tenant, row) if row is not None else _alone(found)


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
    )


def _joined(session: Session, tenant: int, row: Mapping[str, Any]) -> FoundCall:
    members = _members(session, tenant, row["evidence"], row)
    return FoundCall(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        start_at=row["start_at"],
        duration_us=row["duration_us"],
        ttft_us=row["ttft_us"],
        outcome=Outcome(row["outcome"]),
        owner=parties.owners_of(session, tenant, [row["owner_id"]])[row["owner_id"]],
        route=parties.routes_of(session, tenant, [row["route_id"]])[row["route_id"]],
        usage={name: row[name] for name in METER_NAMES if row[name] is not None},
        details=row["details"] or {},
        standing=Standing.COUNTS,
        sightings=members,
        usage_conflict=row["usage_conflict"],
    )


def _members(
    session: Session, tenant: int, evidence: Sequence[Mapping[str, str]], row: Mapping[str, Any]
) -> tuple[tuple[Stored, str], ...]:
    call: Key = (row["trace_id"], row["span_id"], row["day"])
    loaded = twins.as_heard(session, tenant, list({UUID(each["trace_id"]) for each in evidence}))
    by_ids = {
        (each.sighting.trace_id, each.sighting.span_id): each
        for each in loaded
        if each.call == call
    }
    named = (((UUID(each["trace_id"]), signed(each["span_id"])), each["rule"]) for each in evidence)
    return tuple((by_ids[ids], rule) for ids, rule in named if ids in by_ids)
