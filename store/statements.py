"""Collects what a month's statement is drawn up from."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from spend.budgets import Budget
from spend.exchange import DAILY
from spend.fiscal import Calendar, FiscalPeriod
from spend.statements import Books, Sources, Statement, draw_up
from store.budgets import with_history
from store.completeness import complete_until
from store.converted_books import (
    Conversion,
    converted_books,
    converted_commitments,
    converted_pools,
)


def statement_of(
    session: Session,
    tenant: int,
    month: FiscalPeriod,
    *,
    calendar: Calendar,
    currency: str,
    policy: str = DAILY,
    now: datetime,
    as_known_at: datetime | None = None,
    team: str | None = None,
) -> Statement:
    """The statement of a period of a calendar by what is booked in it; ``now`` is UTC.

    Money in other currencies than ``currency`` is converted by a ``policy`` (spend/exchange.py).
    ``as_known_at`` as of ``store.booked.booked``.
    """
    before = calendar.previous(month)
    asked = Conversion(
        to=currency, policy=policy, zone=calendar.zone, now=now, as_known_at=as_known_at
    )
    books = converted_books(session, tenant, month.period, asked)
    # This month's amounts are compared at last month's rates, too.
    currencies = {row.currency for row in books.own}
    last = converted_books(session, tenant, before.period, asked, also=currencies)
    known = min(month.end - timedelta(microseconds=1), as_known_at or now)
    sources = Sources(
        now=books.rows,
        last=last.rows,
        at_last_rates=books.at_rates_of(last),
        budgets=_budgets_of(session, tenant, known),
        pools=converted_pools(session, tenant, month.period, asked, books.exchange),
        commitments=converted_commitments(session, tenant, month.period, asked, books.exchange),
        rates=books.used,
        books=Books(complete_until=complete_until(session), as_known_at=as_known_at),
    )

    def month_of(day: date) -> str:
        return calendar.period_at(datetime(day.year, day.month, day.day, tzinfo=UTC)).name

    return draw_up(month, before, calendar.zone, currency, sources, month_of=month_of, team=team)


def _budgets_of(session: Session, tenant: int, moment: datetime) -> list[Budget]:
    """Each budget as it was at a moment; one that was set later, as it was first set."""
    found = []
    for _id, versions in groupby(with_history(session, tenant), key=lambda each: each.id):
        all_versions = list(versions)
        held = [each for each in all_versions if each.created_at <= moment]
        found.append((held or all_versions[:1])[-1])
    return found
