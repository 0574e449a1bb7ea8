"""Reads what the present period of the books has come to so far, in few figures: for monitoring.

From rollups, the ledger's sums of days, and where budgets were found to stand: a few statements,
whose cost does not grow with the number of calls. What waits for its charge is not in it: usage and
money are of the same calls, those that the ledger has taken in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.fiscal import Calendar, FiscalPeriod
from spend.folded_groups import OTHER, Folded, Place, fold
from spend.owners import UNALLOCATED
from spend.periods import Period
from spend.totals import Totals, plus
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Key, TooManyRowsError
from store.budgets import budgets
from store.budgets.standings import standings
from store.completeness import complete_until
from store.conversion import Conversion
from store.spending.spend_by import Spent, spend_by_days
from store.tables.pools import pool_hours, pools

MOST_GROUPS: Final = 500
"""Of team, provider and model that are told apart; the rest is folded (spend/folded_groups.py)."""
MOST_NAMED: Final = 200
"""Budgets, and pools, that are told; of more, the fullest and the dearest."""
TOLD_BY: Final = ("team", "provider", "model")


@dataclass(frozen=True, slots=True)
class BudgetSoFar:
    """Where a budget stood in its present period when it was last compared."""

    id: int
    name: str
    currency: str
    period: Period
    """UTC."""
    spent: Decimal
    """In the budget's currency."""
    limit: Decimal
    """Its amount, and what was rolled in."""
    state: str
    """ok, warning, over or recovered (spend/budgets/budget_states.py)."""

    @property
    def ratio(self) -> Decimal | None:
        """Spent ÷ limit, for showing; None of a limit of 0."""
        return self.spent / self.limit if self.limit else None


@dataclass(frozen=True, slots=True)
class PoolSoFar:
    """What the settled hours of a pool that begin in the period come to."""

    id: int
    name: str
    currency: str
    hours: int
    cost: Decimal
    """In the pool's currency."""
    idle: Decimal
    """Of the cost, what no call used."""

    @property
    def busy_share(self) -> Decimal | None:
        """Of the cost, what calls were charged: 0 to 1, for showing; None: it cost nothing."""
        return 1 - self.idle / self.cost if self.cost else None


@dataclass(frozen=True, slots=True)
class SpendSoFar:
    """The present period of the books, as far as the ledger has come."""

    month: FiscalPeriod
    """A calendar month, unless the fiscal year is cut otherwise."""
    currency: str
    """Of the groups' money."""
    groups: Mapping[Place, Totals]
    """By team, provider and model, at most MOST_GROUPS, the most expensive first. Nothing is left
    out: what has no group of its own is in one of OTHER. Exact."""
    folded: int
    """How many groups are in those of OTHER, where that is known; 0: all stand by themselves."""
    without_rate: Mapping[str, Decimal]
    """Currency -> money that has no rate: it is in no group."""
    budgets: Sequence[BudgetSoFar]
    """The fullest first, at most MOST_NAMED."""
    budgets_left_out: int
    pools: Sequence[PoolSoFar]
    """The dearest first, at most MOST_NAMED."""
    pools_left_out: int
    complete_until: datetime | None
    """Everything heard before this (UTC) is in it; None: not known."""

    @property
    def not_apart(self) -> Mapping[str, int]:
        """Of what kind (group, budget, pool) how many are not told by themselves."""
        return {
            "group": self.folded,
            "budget": self.budgets_left_out,
            "pool": self.pools_left_out,
        }


def spend_so_far(
    session: Session,
    tenant: int,
    calendar: Calendar,
    telling: Conversion,
    now: datetime,
    *,
    team: str | None = None,
) -> SpendSoFar:
    """The period of ``calendar`` that goes on at ``now`` (UTC), by when things were used.

    Ask in one snapshot, so that figures fit each other. ``telling`` says in which currency money is
    told, and at which rates. ``team``: what whoever acts for one team sees: what it pays for,
    budgets on it alone, and no pools.
    """
    month = calendar.period_at(now)
    spent, folded = _spent(session, tenant, month.period, telling, team)
    its_budgets = _budgets(session, tenant, now, team)
    its_pools = _pools(session, tenant, month.period) if team is None else []
    return SpendSoFar(
        month=month,
        currency=telling.to,
        groups=folded.groups,
        folded=folded.folded,
        without_rate=_without_rate(spent),
        budgets=its_budgets[:MOST_NAMED],
        budgets_left_out=max(0, len(its_budgets) - MOST_NAMED),
        pools=its_pools[:MOST_NAMED],
        pools_left_out=max(0, len(its_pools) - MOST_NAMED),
        complete_until=complete_until(session),
    )


def _spent(
    session: Session, tenant: int, period: Period, telling: Conversion, team: str | None
) -> tuple[Spent, Folded]:
    """Coarser where team, provider and model make more groups than a question may find."""
    only = {} if team is None else {"team": (team,)}
    for known in range(len(TOLD_BY), -1, -1):
        question = Question(period, telling.zone, TOLD_BY[:known], only)
        try:
            spent = spend_by_days(session, question, tenant, telling, waiting=False)
        except TooManyRowsError:
            continue
        groups = {_place(key): totals for key, totals in spent.groups.items()}
        return spent, fold(groups, MOST_GROUPS)
    raise TooManyRowsError  # not of one group


def _place(key: Key) -> Place:
    told: tuple[str | None, ...] = key + (OTHER,) * (len(TOLD_BY) - len(key))
    team, provider, model = told
    return team or UNALLOCATED, provider, model


def _without_rate(spent: Spent) -> dict[str, Decimal]:
    found: dict[str, Decimal | None] = {}
    for (_key, currency), totals in spent.elsewhere.items():
        found[currency] = plus(found.get(currency), totals.cost)
    return {currency: cost for currency, cost in sorted(found.items()) if cost}


def _budgets(session: Session, tenant: int, now: datetime, team: str | None) -> list[BudgetSoFar]:
    held = {
        each.id: each.terms
        for each in budgets.all_in_force(session, tenant, now)
        if team is None or each.terms.filter.get("team") == (team,)
    }
    found = [
        BudgetSoFar(
            id=each.budget_id,
            name=held[each.budget_id].name,
            currency=held[each.budget_id].currency,
            period=each.period,
            spent=each.spent,
            limit=each.limit,
            state=each.state,
        )
        for each in standings(session, tenant)
        if each.budget_id in held and each.period.start <= now < each.period.end
    ]
    return sorted(found, key=lambda each: (-(each.ratio or each.spent), each.name))


def _pools(session: Session, tenant: int, period: Period) -> list[PoolSoFar]:
    rows = session.execute(
        select(
            pools.c.id,
            pools.c.name,
            pools.c.currency,
            func.count().label("hours"),
            func.sum(pool_hours.c.cost).label("cost"),
            func.sum(pool_hours.c.idle).label("idle"),
        )
        .join_from(
            pool_hours,
            pools,
            (pools.c.tenant_id == pool_hours.c.tenant_id) & (pools.c.id == pool_hours.c.pool_id),
        )
        .where(
            pool_hours.c.tenant_id == tenant,
            pool_hours.c.hour >= period.start,
            pool_hours.c.hour < period.end,
        )
        .group_by(pools.c.id, pools.c.name, pools.c.currency)
    )
    found = [PoolSoFar(**row._asdict()) for row in rows]
    return sorted(found, key=lambda each: (-each.cost, each.name))
