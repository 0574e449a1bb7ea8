"""Collects what a month's statement is drawn up from."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, and_, select, true
from sqlalchemy.orm import Session

from spend.budgets.budgets import Budget
from spend.currencies.exchange import Telling
from spend.fiscal import Calendar, FiscalPeriod
from spend.months.months import CLOSE, CLOSED, OPEN, REOPEN, SOFT_CLOSE, SOFT_CLOSED
from spend.periods import Period
from spend.statements.statements import Books, Sources, Statement, draw_up
from store.breakdowns.grouping import MOST_ROWS, TooManyRowsError
from store.budgets.budgets import held_at
from store.completeness import complete_until
from store.conversion import Conversion
from store.months.months import month_before
from store.spending.booked import waiting
from store.statements.converted_books import converted_books, converted_commitments, converted_pools
from store.tables.months import month_acts, months

_STATE_AFTER: Final = {SOFT_CLOSE: SOFT_CLOSED, REOPEN: OPEN, CLOSE: CLOSED}


def statement_of(
    session: Session,
    tenant: int,
    month: FiscalPeriod,
    *,
    calendar: Calendar,
    telling: Telling,
    currency: str | None = None,
    policy: str | None = None,
    now: datetime,
    as_known_at: datetime | None = None,
    team: str | None = None,
) -> Statement:
    """The statement of a period of a calendar by what is booked in it; ``now`` is UTC.

    Money in other currencies than ``currency`` is converted by a ``policy``
    (spend/currencies/exchange.py); where they are None, as a closed month was told when it was
    closed, and others by ``telling``. ``as_known_at`` as of ``store.spending.booked.booked``:
    rates, budgets and the month's state are those known then, too, and what waits for its charge is
    not in it. Of a closed month, rates, budgets and names stay those known when it was closed.

    Raises TooManyRowsError (store/breakdowns/grouping.py) where team, provider and model make too
    many lines.
    """
    before = month_before(session, tenant, month, calendar)
    done = _last_act(session, tenant, month, as_known_at)
    usual = _telling(done) or telling
    asked = Conversion(
        to=currency or usual.currency,
        policy=policy or usual.policy,
        zone=calendar.zone,
        now=now,
        as_known_at=as_known_at,
        closed_at=_closed_at(done),
    )
    books = converted_books(session, tenant, month.period, asked)
    # This month's amounts are compared at last month's rates, too.
    currencies = {row.currency for row in books.own}
    done_before = _last_act(session, tenant, before, as_known_at)
    asked_before = replace(asked, closed_at=_closed_at(done_before))
    last = converted_books(session, tenant, before.period, asked_before, also=currencies)
    to_come = [
        () if as_known_at else waiting(session, tenant, each.period) for each in (month, before)
    ]
    sources = Sources(
        now=(*books.rows, *to_come[0]),
        last=(*last.rows, *to_come[1]),
        at_last_rates=books.at_rates_of(last),
        budgets=budgets_of(session, tenant, month, asked.closed_at or as_known_at or now),
        pools=converted_pools(session, tenant, month.period, asked, books.exchange),
        commitments=converted_commitments(session, tenant, month.period, asked, books.exchange),
        rates=books.used,
        books=_books(session, done, as_known_at),
    )
    lines = {(row.team, row.provider, row.model) for row in (*sources.now, *sources.last)}
    if len(lines) > MOST_ROWS:
        raise TooManyRowsError

    def month_of(day: date) -> str:
        return calendar.period_at(datetime(day.year, day.month, day.day, tzinfo=UTC)).name

    return draw_up(month, before, calendar.zone, asked.to, sources, month_of=month_of, team=team)


def _last_act(
    session: Session, tenant: int, month: FiscalPeriod, as_known_at: datetime | None
) -> Row[*tuple[Any, ...]] | None:
    """What was done with a month last: act, at, and its record with the hash."""
    done = (
        select(month_acts.c.act, month_acts.c.at, months.c.record, months.c.hash)
        .join(months, and_(months.c.tenant_id == tenant, months.c.name == month_acts.c.month))
        .where(
            month_acts.c.tenant_id == tenant,
            months.c.starts == month.start,
            months.c.ends == month.end,
            true() if as_known_at is None else month_acts.c.at <= as_known_at,
        )
        .order_by(month_acts.c.id.desc())
        .limit(1)
    )
    return session.execute(done).first()


def _closed_at(done: Row[*tuple[Any, ...]] | None) -> datetime | None:
    return done.at if done is not None and done.act == CLOSE else None


def _telling(done: Row[*tuple[Any, ...]] | None) -> Telling | None:
    if done is None or done.act != CLOSE or done.record is None:
        return None
    return Telling(**json.loads(done.record)["versions"]["telling"])


def _books(
    session: Session, done: Row[*tuple[Any, ...]] | None, as_known_at: datetime | None
) -> Books:
    state = _STATE_AFTER[done.act] if done else OPEN
    # Runs of jobs are not kept for long: of what was known once, they say nothing. What is heard
    # once the month is closed is not in it, however far the jobs have come.
    until = None if as_known_at or state == CLOSED else complete_until(session)
    record = done.hash if done and state == CLOSED else None
    return Books(state=state, hash=record, complete_until=until, as_known_at=as_known_at)


def budgets_of(
    session: Session, tenant: int, month: FiscalPeriod | Period, known_at: datetime
) -> list[Budget]:
    """Each budget that held at a moment (UTC), as it was when the month ended.

    One that was set later, as it was first set.
    """
    ended = min(month.end - timedelta(microseconds=1), known_at)
    found = []
    for _id, versions in groupby(held_at(session, tenant, known_at), key=lambda each: each.id):
        all_versions = list(versions)
        held = [each for each in all_versions if each.starts <= ended]
        found.append((held or all_versions[:1])[-1])
    return found
