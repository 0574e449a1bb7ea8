"""Which sightings may be of one call: found by index, so that ordinary calls cost next to nothing.

What they amount to is decided in ``spend/twins.py``, and kept by ``store/twins.py``.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    FromClause,
    Interval,
    MetaData,
    Select,
    Table,
    Uuid,
    and_,
    cast,
    extract,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ColumnElement

from spend.calls import Outcome, Role
from spend.nearness import SAME_TIME
from spend.twins import MOST_SIGHTED
from store.tables.heard import sightings

_LONGEST_FAILURE: Final = timedelta(hours=1) // timedelta(microseconds=1)
"""A failed call rarely takes more than an hour."""

LINKS: Final = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "role",
    "outcome",
    "response_id",
    "emitter_id",
    "start_at",
    "duration_us",
    "kin_id",
)
"""What sightings are linked by."""


def _links(name: str) -> Table:
    """A temporary table of links, gone with the transaction."""
    return Table(
        name,
        MetaData(),
        *(Column(link, sightings.c[link].type) for link in LINKS),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


NEW: Final = _links("new_sightings")
NEAR: Final = _links("near_sightings")


def suspect_traces(
    session: Session, tenant: int, batches: Sequence[int], days: tuple[date, date]
) -> set[UUID]:
    """Traces in which a sighting of these batches is linked to another one, of any batch.

    The hot path of the roll: no row of an ordinary call leaves Postgres. ``days``: the first and
    last day of the batches; links reach a day further.
    """
    first, last = days[0] - timedelta(days=1), days[1] + timedelta(days=1)
    _gather(
        session,
        NEW,
        select(*(sightings.c[name] for name in LINKS)).where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batches),
            sightings.c.day.between(*days),
        ),
    )
    other = sightings.alias("other")
    in_reach = and_(other.c.tenant_id == tenant, other.c.day.between(first, last))
    told = NEW.c.response_id.is_not(None)
    answers = select(NEW.c.response_id).where(told).distinct().subquery("answers")
    seen = _with_answer(answers, tenant, (first, last))
    shared = (
        select(answers.c.response_id)
        .join(seen, true())
        .group_by(answers.c.response_id)
        .having(func.count().between(2, MOST_SIGHTED))
    )
    traces = select(NEW.c.trace_id).distinct().subquery("traces")
    near = _probe(other, in_reach, other.c.trace_id == traces.c.trace_id)
    _gather(session, NEAR, select(near).select_from(traces.join(near, true())))
    inner, outer = NEAR.alias("inner_"), NEAR.alias("outer_")
    within = and_(outer.c.trace_id == inner.c.trace_id, outer.c.span_id == inner.c.parent_span_id)
    found = union(
        select(inner.c.trace_id).join(outer, within),
        select(NEAR.c.trace_id).where(NEAR.c.role == Role.AGGREGATE),
        select(NEW.c.trace_id).where(NEW.c.response_id.in_(shared)),
        select(NEW.c.trace_id)
        .join(_probe(other, in_reach, _failed_together(NEW, other, tenant)), true())
        .where(NEW.c.outcome != Outcome.OK),
    )
    return set(session.scalars(found))


def _probe(other: FromClause, *which: ColumnElement[bool]) -> FromClause:
    """Sightings that fit a row of another table, looked up in an index for each row.

    OFFSET 0 keeps Postgres from making a join of it: a day that was just filled has no statistics
    yet, so it guesses one row there, and compares every sighting with every other.
    """
    return (
        select(*(other.c[name] for name in LINKS))
        .where(*which)
        .offset(literal_column("0"))
        .lateral()
    )


def _gather(session: Session, table: Table, rows: Select[Any]) -> None:
    """Fills a temporary table, and counts it for the planner's sake."""
    session.execute(CreateTable(table))
    session.execute(insert(table).from_select(LINKS, rows))
    session.execute(text(f"ANALYZE {table.name}"))


def linked_traces(session: Session, tenant: int, traces: Collection[UUID]) -> set[UUID]:
    """These traces and all that are linked to them, directly or through others."""
    known = set(traces)
    newest = known
    one, other = sightings.alias("one"), sightings.alias("other")
    while newest:
        given = (
            func.unnest(cast(list(newest), ARRAY(Uuid)))
            .table_valued("trace_id", name="given")
            .render_derived()
        )
        of_trace = and_(one.c.tenant_id == tenant, one.c.trace_id == given.c.trace_id)
        seen = _probe(one, of_trace)
        linked = select(seen).select_from(given.join(seen, true())).cte("linked")
        told = linked.c.response_id.is_not(None)
        answers = select(linked.c.response_id).where(told).distinct().subquery("answers")
        with_answer = _with_answer(answers, tenant)
        failed_together = and_(other.c.tenant_id == tenant, _failed_together(linked, other, tenant))
        by_failure = _probe(other, failed_together)
        found = union(
            select(func.unnest(func.array_agg(with_answer.c.trace_id)))
            .select_from(answers.join(with_answer, true()))
            .group_by(answers.c.response_id)
            .having(func.count() <= MOST_SIGHTED),
            select(by_failure.c.trace_id)
            .select_from(linked.join(by_failure, true()))
            .where(linked.c.outcome != Outcome.OK),
        )
        newest = set(session.scalars(found)) - known
        known = known | newest
    return known


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
        .where(sightings.c.response_id == answers.c.response_id, *which)
        .limit(MOST_SIGHTED + 1)
        .lateral()
    )


def _failed_together(one: FromClause, other: FromClause, tenant: int) -> ColumnElement[bool]:
    """Two failed sightings of different emitters, one within the other's time."""
    starts = _microseconds(one.c.start_at) - _microseconds(other.c.start_at)
    ends = (
        starts
        + func.coalesce(one.c.duration_us, literal(0, BigInteger))
        - func.coalesce(other.c.duration_us, literal(0, BigInteger))
    )
    slack = SAME_TIME // timedelta(microseconds=1)
    own = func.coalesce(one.c.duration_us, literal(0, BigInteger))
    return and_(
        one.c.outcome != Outcome.OK,
        one.c.response_id.is_(None),
        other.c.outcome != Outcome.OK,
        other.c.response_id.is_(None),
        other.c.emitter_id != one.c.emitter_id,
        # Bounds what the index has to look at: in an outage there are thousands in an hour.
        other.c.start_at.between(
            one.c.start_at - _interval(_longest_failure(one, tenant) + slack),
            one.c.start_at + _interval(func.least(own, _LONGEST_FAILURE) + slack),
        ),
        or_(and_(starts >= -slack, ends <= slack), and_(starts <= slack, ends >= -slack)),
    )


def _longest_failure(near: FromClause, tenant: int) -> ColumnElement[int]:
    """The longest that a failed call took, of those around some others, in microseconds."""
    failed = near.alias("failed")
    around = literal(timedelta(microseconds=_LONGEST_FAILURE), Interval)
    begun = select(func.min(failed.c.start_at), func.max(failed.c.start_at)).where(
        failed.c.outcome != Outcome.OK, failed.c.response_id.is_(None)
    )
    first, last = (
        begun.with_only_columns(part).scalar_subquery() for part in begun.selected_columns
    )
    longest = select(func.max(sightings.c.duration_us)).where(
        sightings.c.tenant_id == tenant,
        sightings.c.outcome != Outcome.OK,
        sightings.c.response_id.is_(None),
        sightings.c.start_at.between(first - around, last + around),
    )
    return func.least(
        func.coalesce(longest.scalar_subquery(), literal(0, BigInteger)), _LONGEST_FAILURE
    )


def _interval(microseconds: ColumnElement[int]) -> ColumnElement[Any]:
    return cast(microseconds, BigInteger) * literal(timedelta(microseconds=1), Interval)


def _microseconds(moment: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(extract("epoch", moment) * 1_000_000, BigInteger)
