"""Which sightings may be of one call: found by index, so that ordinary calls cost next to nothing.

What they amount to is decided in ``spend/twins.py``, and kept by ``store/twins.py``.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    FromClause,
    Interval,
    Uuid,
    and_,
    cast,
    func,
    literal,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome, Role
from spend.nearness import SAME_TIME
from spend.twins import MOST_SIGHTED
from store import alike
from store.links import (
    LINKED,
    NEAR,
    NEW,
    day_of,
    gather,
    interval,
    links_of,
    one_within_other,
    probe,
)
from store.narrow import column_of
from store.tables.heard import sightings

_LONGEST_FAILURE: Final = timedelta(hours=1) // timedelta(microseconds=1)
"""A failed call rarely takes more than an hour."""

_MOST_ALIKE: Final = 10_000
"""Traces that are followed by likeness: a bulk job of equal calls may run all day, and each of its
calls is alike to its neighbours."""


def suspect_traces(
    session: Session, tenant: int, batches: Sequence[int], days: tuple[date, date]
) -> set[UUID]:
    """Traces in which a sighting of these batches is linked to another one, of any batch.

    The hot path of the roll: no row of an ordinary call leaves Postgres. ``days``: the first and
    last day of the batches; links reach a day further.
    """
    reach = first, last = days[0] - timedelta(days=1), days[1] + timedelta(days=1)
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
    other = sightings.alias("other")
    in_reach = and_(other.c.tenant_id == tenant, other.c.day.between(first, last))
    told = NEW.c.answer_id.is_not(None)
    answers = select(NEW.c.answer_id).where(told).distinct().subquery("answers")
    seen = _with_answer(answers, tenant, (first, last))
    shared = (
        select(answers.c.answer_id)
        .join(seen, true())
        .group_by(answers.c.answer_id)
        .having(func.count().between(2, MOST_SIGHTED))
    )
    traces = select(NEW.c.trace_id).distinct().subquery("traces")
    near = probe(other, in_reach, other.c.trace_id == traces.c.trace_id)
    gather(session, NEAR, select(near).select_from(traces.join(near, true())))
    inner, outer = NEAR.alias("inner_"), NEAR.alias("outer_")
    within = and_(outer.c.trace_id == inner.c.trace_id, outer.c.span_id == inner.c.parent_span_id)
    found = [
        select(inner.c.trace_id).join(outer, within),
        select(NEAR.c.trace_id).where(NEAR.c.role == Role.AGGREGATE),
        select(NEW.c.trace_id).where(NEW.c.answer_id.in_(shared)),
        select(NEW.c.trace_id)
        .join(probe(other, in_reach, _failed_together(NEW, other, tenant)), true())
        .where(NEW.c.outcome != Outcome.OK),
        alike.alike_in_trace(NEAR),
    ]
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
        given = (
            func.unnest(cast(list(newest), ARRAY(Uuid)))
            .table_valued("trace_id", name="given")
            .render_derived()
        )
        one = sightings.alias("one")
        seen = probe(one, one.c.tenant_id == tenant, one.c.trace_id == given.c.trace_id)
        gather(session, LINKED, select(seen).select_from(given.join(seen, true())))
        follow_alike = len(known) <= len(traces) + _MOST_ALIKE
        newest = _linked_to(session, tenant, alike_too=follow_alike) - known
        known = known | newest
    return known


def _linked_to(session: Session, tenant: int, *, alike_too: bool) -> set[UUID]:
    """The traces linked to what is in ``LINKED``."""
    told = LINKED.c.answer_id.is_not(None)
    answers = select(LINKED.c.answer_id).where(told).distinct().subquery("answers")
    with_answer = _with_answer(answers, tenant)
    other = sightings.alias("other")
    failed_together = _failed_together(LINKED, other, tenant)
    by_failure = probe(other, other.c.tenant_id == tenant, failed_together)
    found = [
        select(func.unnest(func.array_agg(with_answer.c.trace_id)))
        .select_from(answers.join(with_answer, true()))
        .group_by(answers.c.answer_id)
        .having(func.count() <= MOST_SIGHTED),
        select(by_failure.c.trace_id)
        .select_from(LINKED.join(by_failure, true()))
        .where(LINKED.c.outcome != Outcome.OK),
    ]
    kin = alike.kin_beside(session, tenant, LINKED)
    if kin is not None:
        found.append(select(kin.c.other_trace_id))
    if alike_too and alike.is_twice_heard(session):
        found.append(select(alike.alike_beside(session, tenant, LINKED).c.other_trace_id))
    return set(session.scalars(union(*found)))


def _with_answer(
    answers: FromClause, tenant: int, days: tuple[date, date] | None = None
) -> FromClause:
    """Sightings that carry an id of an answer; one too many tells an id that many share."""
    # "+ 0" hides the tenant from the planner: without statistics it takes the primary key for the
    # better index, and reads the whole tenant for each answer.
    which = [sightings.c.tenant_id + 0 == tenant]
    if days is not None:
        which.append(sightings.c.day.between(*days))
    return (
        select(sightings.c.trace_id)
        .where(sightings.c.answer_id == answers.c.answer_id, *which)
        .limit(MOST_SIGHTED + 1)
        .lateral()
    )


def _failed_together(one: FromClause, other: FromClause, tenant: int) -> ColumnElement[bool]:
    """Two failed sightings of different emitters, one within the other's time."""
    slack = SAME_TIME // timedelta(microseconds=1)
    own = func.coalesce(one.c.duration_us, literal(0, BigInteger))
    # Bounds what the index has to look at: in an outage there are thousands in an hour.
    first = one.c.start_at - interval(_longest_failure(one, tenant) + slack)
    last = one.c.start_at + interval(func.least(own, _LONGEST_FAILURE) + slack)
    return and_(
        one.c.outcome != Outcome.OK,
        one.c.answer_id.is_(None),
        other.c.failure.is_not(None),
        other.c.answer_id.is_(None),
        other.c.emitter_id != one.c.emitter_id,
        other.c.start_at.between(first, last),
        other.c.day.between(day_of(first), day_of(last)),
        one_within_other(one, other, slack),
    )


def _longest_failure(near: FromClause, tenant: int) -> ColumnElement[int]:
    """The longest that a failed call took, of those around some others, in microseconds."""
    failed = near.alias("failed")
    around = literal(timedelta(microseconds=_LONGEST_FAILURE), Interval)
    begun = select(func.min(failed.c.start_at), func.max(failed.c.start_at)).where(
        failed.c.outcome != Outcome.OK, failed.c.answer_id.is_(None)
    )
    first, last = (
        begun.with_only_columns(part).scalar_subquery() for part in begun.selected_columns
    )
    longest = select(func.max(column_of(sightings, "duration_us"))).where(
        sightings.c.tenant_id == tenant,
        sightings.c.failure.is_not(None),
        sightings.c.answer_id.is_(None),
        sightings.c.start_at.between(first - around, last + around),
    )
    return func.least(
        func.coalesce(longest.scalar_subquery(), literal(0, BigInteger)), _LONGEST_FAILURE
    )
