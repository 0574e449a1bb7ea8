"""Counts by which evidence sightings were joined, and whose counts contradict each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    Uuid,
    and_,
    cast,
    column,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from store.breakdowns.dimensions import Question, conditions
from store.ownership import payers
from store.tables.heard import emitters, joined_calls, sightings

_KEY = ("trace_id", "span_id", "day")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A rule, and what it joined."""

    rule: str
    calls: int
    sightings: int


@dataclass(frozen=True, slots=True)
class Contradicted:
    """An instrumentation, and its calls of which another one told other usage."""

    scope: str
    version: str | None
    signal: str
    calls: int


@dataclass(frozen=True, slots=True)
class Joins:
    """What was joined of a period's calls."""

    calls: int
    """Calls put together from sightings."""
    rules: Sequence[Evidence]
    """Most sightings first. The sighting that began first needs no evidence."""
    contradicted: Sequence[Contradicted]
    """Most calls first."""


def joins(session: Session, question: Question, tenant: int) -> Joins:
    """What was joined of the calls that a question is about; reads the joined calls of its days."""
    period = question.period
    # The key's day is that of the first sighting, which can be a server's.
    days = period.start.date() - _A_DAY, period.end.date()
    source, payer = payers.joined(session, tenant, joined_calls, joined_calls.c.start_at)
    asked = (
        select(joined_calls)
        .select_from(source)
        .where(
            *conditions(question, tenant, joined_calls, joined_calls.c.start_at, payer),
            joined_calls.c.day.between(*days),
        )
        .cte("asked")
    )
    # Kept for what a wrapper tells, a call of one sighting stands there, too.
    several = func.jsonb_array_length(asked.c.evidence) > 1
    return Joins(
        calls=session.scalar(select(func.count()).select_from(asked).where(several)) or 0,
        rules=_rules(session, asked),
        contradicted=_contradicted(session, asked, tenant, days),
    )


def _calls(asked: CTE) -> ColumnElement[int]:
    return func.count(tuple_(*(asked.c[name] for name in _KEY)).distinct())


def _parts(asked: CTE) -> Any:
    elements = func.jsonb_array_elements(asked.c.evidence)
    return elements.table_valued(column("part", JSONB), name="parts").render_derived()


def _rules(session: Session, asked: CTE) -> list[Evidence]:
    parts = _parts(asked)
    rule = parts.c.part["rule"].astext
    found = session.execute(
        select(rule, _calls(asked), func.count())
        .select_from(asked.join(parts, true()))
        .where(rule != "first sighting")
        .group_by(rule)
        .order_by(func.count().desc(), rule)
    )
    return [Evidence(*row) for row in found]


def _contradicted(
    session: Session, asked: CTE, tenant: int, days: tuple[date, date]
) -> list[Contradicted]:
    parts = _parts(asked)
    traces = (
        select(
            *(asked.c[name] for name in _KEY),
            cast(parts.c.part["trace_id"].astext, Uuid).label("seen_in"),
        )
        .select_from(asked.join(parts, true()))
        .where(asked.c.usage_conflict)
        .distinct()
        .cte("traces")
    )
    member = and_(
        sightings.c.tenant_id == tenant,
        sightings.c.trace_id == traces.c.seen_in,
        sightings.c.call_trace_id == traces.c.trace_id,
        sightings.c.call_span_id == traces.c.span_id,
        sightings.c.call_day == traces.c.day,
        # The partitions that can hold it: another saw the call a little later.
        sightings.c.day.between(days[0], days[1] + _A_DAY),
    )
    teller = and_(emitters.c.tenant_id == tenant, emitters.c.id == sightings.c.emitter_id)
    named = emitters.c.scope, emitters.c.version, emitters.c.signal
    calls = func.count(tuple_(*(traces.c[name] for name in _KEY)).distinct())
    found = session.execute(
        select(*named, calls)
        .join_from(traces, sightings, member)
        .join(emitters, teller)
        .group_by(*named)
        .order_by(calls.desc(), *named)
    )
    return [Contradicted(*row) for row in found]
