"""Lists calls, newest first, a page at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    Subquery,
    Table,
    Uuid,
    and_,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Outcome, Owner, Role, Route
from spend.meters import METER_NAMES
from spend.periods import Period
from store.breakdowns.dimensions import Question, conditions
from store.narrow import column_of, slot_of
from store.ownership import payers
from store.ownership.payers import Paying
from store.tables.heard import joined_calls, owners, routes, sightings

_SHOWN = (
    "trace_id",
    "span_id",
    "start_at",
    "duration_us",
    "ttft_us",
    "outcome",
    "owner_id",
    "route_id",
    *METER_NAMES,
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the next one holds what comes after this call."""

    start_at: datetime
    trace_id: UUID
    span_id: int


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call of a page."""

    position: Position
    row: Row[Any]
    """Its columns, as stored."""
    owner: Owner
    """As heard."""
    payer: Owner
    """Who pays, by the ownership rules."""
    route: Route
    usage: Mapping[str, int]
    """A meter that is absent is unknown."""

    @property
    def start_at(self) -> datetime:
        """UTC."""
        return self.position.start_at

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return Outcome(self.row.outcome)

    @property
    def counts(self) -> bool:
        """What only repeats others is in no page."""
        return True

    @property
    def place(self) -> tuple[int, int]:
        """The ids of its owner and its route."""
        return self.row.owner_id, self.row.route_id


def page(
    session: Session, question: Question, tenant: int, *, after: Position | None, at_most: int
) -> list[ListedCall]:
    """The next calls of the question's period after a position, by start, latest first."""
    period = question.period
    end = min(period.end, after.start_at + timedelta(microseconds=1)) if after else period.end
    rows: list[Row[Any]] = []
    for window in windows(Period(period.start, max(end, period.start))):
        calls = calls_of(session, replace(question, period=window), tenant, after)
        asked = _named(calls, tenant)
        rows.extend(session.execute(asked.limit(at_most - len(rows))))
        if len(rows) >= at_most:
            break
    return _all_listed(session, tenant, rows)


def calls_in_traces(
    session: Session, question: Question, tenant: int, traces: Collection[UUID], *, at_most: int
) -> list[ListedCall]:
    """Those of a question's calls that began under one of these traces, latest first."""
    calls = calls_of(session, question, tenant)
    wanted = calls.c.trace_id == func.any(literal(list(traces), ARRAY(Uuid)))
    rows = session.execute(_named(calls, tenant).where(wanted).limit(at_most)).all()
    return _all_listed(session, tenant, rows)


def _all_listed(session: Session, tenant: int, rows: Sequence[Row[Any]]) -> list[ListedCall]:
    paying = payers.paying(session, tenant, {row.owner_id for row in rows})
    return [_listed(row, paying) for row in rows]


def windows(period: Period) -> Iterator[Period]:
    """From the latest hour back, each window twice as long as the one before.

    An hour's calls are often enough for a page, and a search for rare ones is still few
    questions.
    """
    end, length = period.end, timedelta(hours=1)
    while end > period.start:
        start = max(period.start, end - length)
        yield Period(start, end)
        end, length = start, length * 2


def calls_of(
    session: Session, question: Question, tenant: int, after: Position | None = None
) -> Subquery:
    """The calls that a question is about, each once, however many saw it: what a page shows of one.

    Reads sightings by their time: of a short time, or with a limit.
    """
    single = (
        sightings.c.standing.is_(None),
        column_of(sightings, "role") != Role.AGGREGATE,
    )
    return union_all(
        _of(session, sightings, question, tenant, after).where(*single),
        _of(session, joined_calls, question, tenant, after),
    ).subquery("calls")


def _named(calls: Subquery, tenant: int) -> Select[Any]:
    """Calls with their owners and routes, latest first."""
    return (
        select(
            calls,
            *(owners.c[name].label(f"owner_{name}") for name in Owner.__slots__),
            *(routes.c[name].label(f"route_{name}") for name in Route.__slots__),
        )
        .join_from(
            calls, owners, and_(owners.c.tenant_id == tenant, owners.c.id == calls.c.owner_id)
        )
        .join(routes, and_(routes.c.tenant_id == tenant, routes.c.id == calls.c.route_id))
        .order_by(calls.c.start_at.desc(), calls.c.trace_id.desc(), calls.c.span_id.desc())
    )


def _of(
    session: Session, table: Table, question: Question, tenant: int, after: Position | None
) -> Select[Any]:
    period = question.period
    source, payer = payers.joined(session, tenant, table, table.c.start_at)
    asked = select(*(column_of(table, name) for name in _SHOWN)).select_from(source)
    asked = asked.where(
        *conditions(question, tenant, table, table.c.start_at, payer),
        # An index finds sightings by their slots.
        slot_of(table.c.start_at) >= slot_of(literal(period.start)),
        slot_of(table.c.start_at) <= slot_of(literal(period.end)),
        # The partitions that can hold it: a joined call's day is that of its first sighting, which
        # can be a server's, from before.
        table.c.day >= period.start.date() - timedelta(days=1),
        table.c.day <= period.end.date(),
    )
    if after is not None:
        place = tuple_(table.c.start_at, table.c.trace_id, table.c.span_id)
        asked = asked.where(place < (after.start_at, after.trace_id, after.span_id))
    return asked


def _listed(row: Row[Any], paying: Paying) -> ListedCall:
    owner = Owner(**{name: getattr(row, f"owner_{name}") for name in Owner.__slots__})
    told = ((name, getattr(row, name)) for name in METER_NAMES)
    return ListedCall(
        position=Position(row.start_at, row.trace_id, row.span_id),
        row=row,
        owner=owner,
        payer=paying.payer(owner, row.start_at),
        route=Route(**{name: getattr(row, f"route_{name}") for name in Route.__slots__}),
        usage={name: count for name, count in told if count is not None},
    )
