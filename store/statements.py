"""Collects what a month's statement is drawn up from."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from spend.booked import USAGE, Booked, BookedPool
from spend.budgets import Budget
from spend.fiscal import Calendar, FiscalPeriod
from spend.money import EXACT
from spend.owners import UNALLOCATED
from spend.periods import Period
from spend.pools import IDLE_METER
from spend.statements import Books, Sources, Statement, draw_up
from spend.totals import Totals
from store.budgets import with_history
from store.completeness import complete_until
from store.dimensions import Question
from store.spend_by import spend_by
from store.tables.ledger import charges
from store.tables.pools import pools


def statement_of(
    session: Session,
    tenant: int,
    month: FiscalPeriod,
    *,
    calendar: Calendar,
    currency: str,
    now: datetime,
    team: str | None = None,
) -> Statement:
    """The statement of a period of a calendar, as the ledger stands; ``now`` is UTC.

    Raises TooManyRowsError (store/grouping.py) where there are too many lines.
    """
    before = calendar.previous(month)
    last_moment = min(month.end - timedelta(microseconds=1), now)
    sources = Sources(
        now=list(_booked(session, tenant, month.period, calendar, currency)),
        last=list(_booked(session, tenant, before.period, calendar, currency)),
        budgets=_budgets_of(session, tenant, last_moment),
        pools=_pools(session, tenant, month.period, currency),
        books=Books(complete_until=complete_until(session)),
    )

    def month_of(day: date) -> str:
        return calendar.period_at(datetime(day.year, day.month, day.day, tzinfo=UTC)).name

    return draw_up(month, before, calendar.zone, currency, sources, month_of=month_of, team=team)


def _booked(
    session: Session, tenant: int, period: Period, calendar: Calendar, currency: str
) -> Iterator[Booked]:
    keys = ("team", "provider", "model", "deployment", "region")
    question = Question(period, calendar.zone, keys)
    for key, totals in spend_by(session, question, tenant, currency=currency).items():
        team, provider, model, deployment, region = key
        row = Booked(
            # Money of an owner that is not in the dictionary is nobody's, and still counted.
            team=team or UNALLOCATED,
            provider=provider,
            model=model,
            deployment=deployment,
            region=region,
            kind=None,
            currency=None,
            belongs_to=None,
            day=None,
            totals=replace(
                totals, cost=None, list_cost=None, contracted_cost=None, billed_cost=None
            ),
        )
        yield row
        if totals.cost is not None:
            money = Totals(
                cost=totals.cost,
                list_cost=totals.list_cost,
                contracted_cost=totals.contracted_cost,
                billed_cost=totals.billed_cost,
            )
            yield replace(row, kind=USAGE, currency=currency, totals=money)


def _budgets_of(session: Session, tenant: int, moment: datetime) -> list[Budget]:
    """Each budget as it was at a moment; one that was set later, as it was first set."""
    found = []
    for _id, versions in groupby(with_history(session, tenant), key=lambda each: each.id):
        all_versions = list(versions)
        held = [each for each in all_versions if each.created_at <= moment]
        found.append((held or all_versions[:1])[-1])
    return found


def _pools(session: Session, tenant: int, period: Period, currency: str) -> list[BookedPool]:
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
    cost: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    idle: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for pool_id, name, meter, amount in rows:
        pool = name or f"pool {pool_id}", pool_id
        cost[pool] = EXACT.add(cost[pool], amount)
        if meter == IDLE_METER:
            idle[pool] = EXACT.add(idle[pool], amount)
    return [
        BookedPool(
            id=pool[1], name=pool[0], currency=currency, day=None, cost=cost[pool], idle=idle[pool]
        )
        for pool in sorted(cost)
    ]
