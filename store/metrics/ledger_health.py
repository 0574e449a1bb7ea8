"""Reads how the ledger does: what waits, what is late, what failed. For whoever watches over it.

A few statements by indexes, each over what is open or recent: none grows with the number of calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from spend.alerts.rule_kinds import KINDS
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE, STATES
from spend.canary import PROVIDER
from store import runs
from store.alerts.alert_states import NOT_OVER, stand_of
from store.budgets.standings import standings
from store.completeness import complete_until
from store.postgres.partitions import days_apart
from store.tables.budgets import crossings, outbox
from store.tables.heard import batches, routes
from store.tables.rollups import cells

LONGEST: Final = "3s"
"""Of one statement: whoever watches asks again."""
DAY: Final = timedelta(days=1)
_MESSAGES: Final = 10_000
"""The latest ones, among which the dead are counted: nobody looks further back."""
_OPEN_FOR: Final = timedelta(days=400)
"""For which an alert of a budget can be open: its period is a year at most."""
ALERT_KINDS: Final = (ACTUAL, FORECAST, PACE, *KINDS)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Messages to people."""

    waiting: int
    oldest_due_at: datetime | None
    """Since when the first is due of those that are (UTC); None: none is due."""
    dead: int
    """Nobody will get them; of the latest 10,000."""


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """How the ledger did at a moment. Times are UTC."""

    read_at: datetime
    jobs: Mapping[str, runs.Run]
    complete_until: datetime | None
    """Everything heard before is in reports; None: nothing is for sure."""
    batches_waiting: int
    oldest_batch_at: datetime | None
    day_calls: int
    """Of the last 24 hours, that the charge job has looked at."""
    day_unpriced: int
    """Of these, without a known cost."""
    day_canary: int
    """Of these, a canary's."""
    outbox: Outbox
    alerts: Mapping[str, int]
    """Kind -> alerts that are not over."""
    budgets: Mapping[str, int]
    """State -> budgets, as they were last compared in a period that goes on."""
    days_ahead: int
    """Days after today, without a gap, that have a partition of sightings."""
    database_bytes: int


def ledger_health(session: Session, tenant: int, now: datetime) -> LedgerHealth:
    """Ask in one snapshot. Raises SQLAlchemy's OperationalError where a statement takes LONGEST."""
    session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST}'"))
    waiting, oldest = _batches(session, tenant)
    calls, unpriced, canary = _last_day(session, tenant, now)
    return LedgerHealth(
        read_at=now,
        jobs=runs.latest(session),
        complete_until=complete_until(session),
        batches_waiting=waiting,
        oldest_batch_at=oldest,
        day_calls=calls,
        day_unpriced=unpriced,
        day_canary=canary,
        outbox=_outbox(session, tenant, now),
        alerts=_alerts(session, tenant, now),
        budgets=_budgets(session, tenant, now),
        days_ahead=_days_ahead(session, now),
        database_bytes=session.scalar(select(func.pg_database_size(func.current_database()))) or 0,
    )


def _batches(session: Session, tenant: int) -> tuple[int, datetime | None]:
    which = (batches.c.tenant_id == tenant, batches.c.rolled_at.is_(None))
    waiting = session.scalar(select(func.count()).select_from(batches).where(*which)) or 0
    oldest = select(batches.c.received_at).where(*which).order_by(batches.c.id).limit(1)
    return waiting, session.scalar(oldest)


def _last_day(session: Session, tenant: int, now: datetime) -> tuple[int, int, int]:
    known = cells.c.unpriced_calls.is_not(None)
    sung = select(routes.c.id).where(routes.c.tenant_id == tenant, routes.c.provider == PROVIDER)
    row = session.execute(
        select(
            func.coalesce(func.sum(cells.c.calls).filter(known), 0),
            func.coalesce(func.sum(cells.c.unpriced_calls), 0),
            func.coalesce(func.sum(cells.c.calls).filter(known, cells.c.route_id.in_(sung)), 0),
        ).where(cells.c.tenant_id == tenant, cells.c.slot >= now - DAY, cells.c.slot <= now)
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def _outbox(session: Session, tenant: int, now: datetime) -> Outbox:
    pending = (outbox.c.tenant_id == tenant, outbox.c.status == text("'pending'"))
    due = select(func.min(outbox.c.next_at)).where(*pending, outbox.c.next_at <= now)
    latest = (
        select(outbox.c.status)
        .where(outbox.c.tenant_id == tenant)
        .order_by(outbox.c.id.desc())
        .limit(_MESSAGES)
        .subquery()
    )
    dead = select(func.count()).select_from(latest).where(latest.c.status == "dead")
    return Outbox(
        waiting=session.scalar(select(func.count()).select_from(outbox).where(*pending)) or 0,
        oldest_due_at=session.scalar(due),
        dead=session.scalar(dead) or 0,
    )


def _alerts(session: Session, tenant: int, now: datetime) -> dict[str, int]:
    stand = stand_of(tenant, now)
    can_be: ColumnElement[bool] = or_(
        crossings.c.rule_id.is_not(None), crossings.c.crossed_at > now - _OPEN_FOR
    )
    open_ = stand.rows.where(crossings.c.recovered_at.is_(None), can_be).subquery("open")
    asked = select(open_.c.kind, func.count()).where(open_.c.state.in_(NOT_OVER))
    found = dict.fromkeys(ALERT_KINDS, 0)
    for kind, number in session.execute(asked.group_by(open_.c.kind)):
        found[kind] = number
    return found


def _budgets(session: Session, tenant: int, now: datetime) -> dict[str, int]:
    found = dict.fromkeys(STATES, 0)
    for each in standings(session, tenant):
        if each.period.start <= now < each.period.end:
            found[each.state] += 1
    return found


def _days_ahead(session: Session, now: datetime) -> int:
    there = days_apart(session, "sightings")
    today = now.astimezone(UTC).date()
    return next(n for n in count() if today + (n + 1) * DAY not in there)
