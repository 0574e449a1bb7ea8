"""Collects what a month's statement is drawn up from."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from spend.budgets import Budget
from spend.money import EXACT
from spend.owners import UNALLOCATED
from spend.periods import Month, Period, month_period
from spend.pools import IDLE_METER
from spend.statements import LineKey, PoolLine, Spent, Statement, draw_up
from spend.totals import Totals, together
from store.budgets import with_history
from store.completeness import complete_until
from store.dimensions import Question
from store.spend_by import spend_by
from store.tables.ledger import charges
from store.tables.pools import pools


def statement_of(
    session: Session,
    tenant: int,
    month: Month,
    *,
    zone: ZoneInfo,
    currency: str,
    now: datetime,
    team: str | None = None,
) -> Statement:
    """The statement of a month in a time zone, as the ledger stands; ``now`` is UTC.

    Raises TooManyRowsError (store/grouping.py) where team, provider and model make too many lines.
    """
    period = month_period(month, zone)
    return draw_up(
        month,
        zone,
        currency,
        spent=_spent(session, tenant, period, zone, currency),
        last=_spent(session, tenant, month_period(month.plus(-1), zone), zone, currency),
        budgets=_budgets_of(session, tenant, min(period.end - timedelta(microseconds=1), now)),
        pools=_pool_lines(session, tenant, period, currency),
        complete_until=complete_until(session),
        team=team,
    )


def _spent(session: Session, tenant: int, period: Period, zone: ZoneInfo, currency: str) -> Spent:
    question = Question(period, zone, ("team", "provider", "model"))
    found = spend_by(session, question, tenant, currency=currency)
    # Money of an owner that is not in the dictionary is nobody's, and still counted.
    spent: dict[LineKey, Totals] = {}
    for (team, provider, model), totals in found.items():
        key = (team or UNALLOCATED, provider, model)
        spent[key] = together([spent[key], totals]) if key in spent else totals
    return spent


def _budgets_of(session: Session, tenant: int, moment: datetime) -> list[Budget]:
    """Each budget as it was at a moment; one that was set later, as it was first set."""
    found = []
    for _id, versions in groupby(with_history(session, tenant), key=lambda each: each.id):
        all_versions = list(versions)
        held = [each for each in all_versions if each.created_at <= moment]
        found.append((held or all_versions[:1])[-1])
    return found


def _pool_lines(session: Session, tenant: int, period: Period, currency: str) -> list[PoolLine]:
    rows = session.execute(
        select(charges.c.pool_id, pools.c.name, charges.c.meter, func.sum(charges.c.amount))
        .join_from(
            charges,
            pools,
            and_(pools.c.tenant_id == charges.c.tenant_id, pools.c.id == charges.c.pool_id),
            isouter=True,
        )
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot >= period.start,
            charges.c.slot < period.end,
            charges.c.pool_id.is_not(None),
            charges.c.currency == currency,
        )
        .group_by(charges.c.pool_id, pools.c.name, charges.c.meter)
    )
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    idle: defaultdict[str, Decimal] = defaultdict(Decimal)
    for pool_id, name, meter, amount in rows:
        pool = name or f"pool {pool_id}"
        cost[pool] = EXACT.add(cost[pool], amount)
        if meter == IDLE_METER:
            idle[pool] = EXACT.add(idle[pool], amount)
    return [PoolLine(pool, cost[pool], idle[pool]) for pool in sorted(cost)]
