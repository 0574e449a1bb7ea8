"""Which sightings may be of one call: found by index, so that ordinary calls cost next to nothing.

What they amount to is decided in ``spend/twins/twins.py``, and kept by ``store/twins/twins.py``.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    FromClause,
    Interval,
    MetaData,
    Table,
    Uuid,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome, Role
from spend.twins.nearness import SAME_TIME
from spend.twins.twins import MOST_SIGHTED
from store.narrow import column_of
from store.tables.heard import sightings
from store.twins import alike
from store.twins.links import (
    LINKED,
    NEAR,
    NEW,
    gather,
    interval,
    links_of,
    one_of,
    one_within_other,
    temporary,
)

_LONGEST_FAILURE: Final = timedelta(hours=1) // timedelta(microseconds=1)
"""A failed call rarely takes more than an hour."""

_MOST_ALIKE: Final = 10_000
"""Traces that are followed by likeness: a bulk job of equal calls may run all day, and each of its
calls is alike to its neighbours."""


_ANSWERED: Final = Table(
    "answered_sightings",
    MetaData(),
    Column("answer_id", BigInteger),
    Column("trace_id", Uuid),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_FAILED: Final = temporary("failed_sightings")


def suspect_traces(
    session: Session, tenant: int, batches: Sequence[int], days: tuple[date, date]
) -> set[UUID]:
    """Traces in which a sighting of these batches is linked to another one, of any batch.

    The hot path of the roll: no row of an ordinary call leaves Postgres. ``days``: the first and
    last day of the batches; links reach a day further.
    """
    reach = days[0] - timedelta(days=1), days[1] + timedelta(days=1)
    gather(
        session,
        NEW,
        select(*links_of(sightings)).where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batches),
            sightings.c.day.between(*days),
        ),
    )
    alike.note_emitters(session, tenant, NEW)
    in_trace = one_of(sightings.c.trace_id, select(NEW.c.trace_id).distinct())
    in_reach = sightings.c.tenant_id == tenant, sightings.c.day.between(*reach)
    gather(session, NEAR, select(*links_of(sightings)).where(*in_reach, in_trace))
    inner, outer = NEAR.alias("inner_"), NEAR.alias("outer_")
    within = and_(outer.c.trace_id == inner.c.trace_id, outer.c.span_id == inner.c.parent_span_id)
    _gather_answered(session, tenant, NEW, reach)
    shared = (
        select(_ANSWERED.c.answer_id)
        .group_by(_ANSWERED.c.answer_id)
        .having(func.count().between(2, MOST_SIGHTED))
    )
    found = [
        select(inner.c.trace_id).join(outer, within),
        select(NEAR.c.trace_id).where(NEAR.c.role == Role.AGGREGATE),
        select(NEW.c.trace_id).where(NEW.c.answer_id.in_(shared)),
        alike.alike_in_trace(NEAR),
    ]
    failed = _failed_beside(session, tenant, NEW, reach)
    if failed is not None:
        found.append(select(failed.c.trace_id))
    kin = alike.kin_beside(session, tenant, NEW)
    if kin is not None:
        found.append(select(kin.c.trace_id))
    if alike.find_twice_heard(session, tenant, reach):
        found.append(select(alike.alike_beside(session, tenant, NEW).c.trace_id))
    return set(session.scalars(union(*found)))


def linked_traces(session: Session, tenant: int, traces: Collection[UUID]) -> set[UUID]:
    """These traces and all that are linked to them, directly or through others.

    In the transaction of ``suspect_traces``, and after it.
    """
    known = set(traces)
    newest = known
    while newest:
        in_trace = sightings.c.trace_id == func.any(cast(list(newest), ARRAY(Uuid)))
        rows = select(*links_of(sightings)).where(sightings.c.tenant_id == tenant, in_trace)
        gather(session, LINKED, rows)
        follow_alike = len(known) <= len(traces) + _MOST_ALIKE
        newest = _linked_to(session, tenant, alike_too=follow_alike) - known
        known = known | newest
    return known


def _linked_to(session: Session, tenant: int, *, alike_too: bool) -> set[UUID]:
    """The traces linked to what is in ``LINKED``."""
    _gather_answered(session, tenant, LINKED)
    found = [
        select(func.unnest(func.array_agg(_ANSWERED.c.trace_id)))
        .group_by(_ANSWERED.c.answer_id)
        .having(func.count() <= MOST_SIGHTED),
    ]
    failed = _failed_beside(session, tenant, LINKED)
    if failed is not None:
        found.append(select(failed.c.other_trace_id))
    kin = alike.kin_beside(session, tenant, LINKED)
    if kin is not None:
        found.append(select(kin.c.other_trace_id))
    if alike_too and alike.is_twice_heard(session):
        found.append(select(alike.alike_beside(session, tenant, LINKED).c.other_trace_id))
    return set(session.scalars(union(*found)))


def _gather_answered(
    session: Session, tenant: int, rows: Table, days: tuple[date, date] | None = None
) -> None:
    """Gathers who carries the ids of answers that ``rows`` carry.

    Of an id that too many share only as many as tell that: a server may give all its answers one.
    """
    # "+ 0" hides the tenant from the planner: without statistics it takes the primary key for the
    # better index, and reads the whole tenant for each answer.
    which = [sightings.c.tenant_id + 0 == tenant]
    if days is not None:
        which.append(sightings.c.day.between(*days))
    ids = select(rows.c.answer_id).where(rows.c.answer_id.is_not(None)).distinct()
    many = session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    at_most = 1000 + 10 * many
    crowded: set[int] = set()
    while True:
        asked = ids.where(rows.c.answer_id.not_in(crowded)) if crowded else ids
        carriers = select(sightings.c.answer_id, sightings.c.trace_id).where(
            one_of(sightings.c.answer_id, asked), *which
        )
        gather(session, _ANSWERED, carriers.limit(at_most))
        if (session.scalar(select(func.count()).select_from(_ANSWERED)) or 0) < at_most:
            return
        # Whose all are here already is asked for again with the others.
        crowded |= set(
            session.scalars(
                select(_ANSWERED.c.answer_id)
                .group_by(_ANSWERED.c.answer_id)
                .having(func.count() > MOST_SIGHTED)
            )
        )
        at_most *= 2


def _failed_beside(
    session: Session, tenant: int, rows: Table, days: tuple[date, date] | None = None
) -> FromClause | None:
    """Pairs (trace_id, other_trace_id) of two that failed, one within the other's time.

    Of different emitters, and both without an answer; None where none of ``rows`` is so.
    """
    windows = _failed_windows(session, rows)
    if not windows:
        return None
    failed = (
        sightings.c.tenant_id == tenant,
        sightings.c.failure.is_not(None),
        sightings.c.answer_id.is_(None),
    )
    around = timedelta(microseconds=_LONGEST_FAILURE) + SAME_TIME
    spans = [(first - around, last + around) for first, last in windows]
    longest = session.scalar(
        select(func.max(column_of(sightings, "duration_us"))).where(
            *failed, sightings.c.start_at.between(spans[0][0], spans[-1][1])
        )
    )
    # Bounds what is looked at: in an outage there are thousands in an hour.
    longest = min(longest or 0, _LONGEST_FAILURE)
    began = [
        and_(
            sightings.c.start_at.between(*span),
            sightings.c.day.between(span[0].date(), span[1].date()),
        )
        for span in spans
    ]
    which = [*failed, or_(*began)]
    if days is not None:
        which.append(sightings.c.day.between(*days))
    gather(session, _FAILED, select(*links_of(sightings)).where(*which))
    session.execute(text(f"CREATE INDEX ON {_FAILED.name} (start_at)"))
    slack = SAME_TIME // timedelta(microseconds=1)
    own = func.coalesce(rows.c.duration_us, literal(0, BigInteger))
    together = and_(
        _FAILED.c.emitter_id != rows.c.emitter_id,
        _FAILED.c.start_at.between(
            rows.c.start_at - literal(timedelta(microseconds=longest + slack), Interval),
            rows.c.start_at + interval(func.least(own, _LONGEST_FAILURE) + slack),
        ),
        one_within_other(rows, _FAILED, slack),
    )
    return (
        select(rows.c.trace_id, _FAILED.c.trace_id.label("other_trace_id"))
        .join_from(rows, _FAILED, together)
        .where(*_is_failed(rows))
        .subquery("failed_together")
    )


def _is_failed(rows: Table) -> tuple[ColumnElement[bool], ...]:
    return rows.c.outcome != Outcome.OK, rows.c.answer_id.is_(None)


def _failed_windows(session: Session, rows: Table) -> list[tuple[datetime, datetime]]:
    """When those of ``rows`` that failed began: times apart from each other, in their order."""
    hours = select(func.date_trunc("hour", rows.c.start_at, "UTC")).where(*_is_failed(rows))
    windows: list[tuple[datetime, datetime]] = []
    for hour in sorted(session.scalars(hours.distinct())):
        first = hour
        if windows and hour - windows[-1][1] <= 2 * timedelta(microseconds=_LONGEST_FAILURE):
            first = windows.pop()[0]
        windows.append((first, hour + timedelta(hours=1)))
    return windows
