"""Tells of which days is what was added to a budget's spend since it was last compared."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.budgets.budgets import Filter
from spend.periods import Period, local_day
from store.breakdowns.booked_time import within
from store.breakdowns.dimensions import fitting
from store.tables.ledger import charges


def days_added(
    session: Session,
    tenant: int,
    wanted: Filter,
    period: Period,
    since: datetime,
    zone: ZoneInfo,
) -> list[date]:
    """The days of use, in a zone, of lines that were posted after ``since`` (UTC) and add to it.

    In order; of lines used in the period that fit the filter.
    """
    c = charges.c
    # Ids go up as lines are posted: only the new ones are looked at, from the last one back.
    before = select(c.id).where(c.tenant_id == tenant, c.posted_at <= since)
    last = session.scalar(before.order_by(c.id.desc()).limit(1))
    rows = session.execute(
        select(c.slot, c.currency, func.sum(c.amount))
        .where(
            c.tenant_id == tenant,
            c.id > (last or 0),
            within(c.slot, period),
            *fitting(wanted, tenant, charges, c.payer_id),
        )
        .group_by(c.slot, c.currency)
    )
    added: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for slot, currency, amount in rows:
        added[local_day(slot, zone), currency] += amount
    return sorted({day for (day, _currency), amount in added.items() if amount > 0})
