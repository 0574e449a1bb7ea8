"""Where budgets stand: what is spent in the period that a moment is in, and what was reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.budget_periods import period_at
from spend.budgets import Budget, percent, state
from spend.money import EXACT
from spend.periods import Period
from store.completeness import complete_until
from store.crossings import Crossing, recorded, spending_in


@dataclass(frozen=True, slots=True)
class Status:
    """A budget in its present period."""

    budget: Budget
    period: Period
    spent: Decimal
    """Exact, in the budget's currency."""
    crossed_at: Mapping[int, datetime | None]
    """By threshold (percent): when it was found reached (UTC); None: it was not."""
    complete_until: datetime | None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    without_rate: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency -> what was spent in it and is not in ``spent``, as it has no rate."""

    @property
    def percent(self) -> Decimal | None:
        """Of the amount, cut to 2 decimals; None of an amount of 0."""
        return percent(self.spent, self.budget.terms.amount)

    @property
    def left(self) -> Decimal:
        """What is left of the amount; negative when over."""
        return EXACT.subtract(self.budget.terms.amount, self.spent)

    @property
    def state(self) -> str:
        """``ok``, ``warning`` or ``over``."""
        return state(self.spent, self.budget.terms)


def statuses(
    session: Session, tenant: int, budgets: Sequence[Budget], now: datetime
) -> list[Status]:
    """Where each budget stands at ``now``: the ledger is read once for each period among them."""
    periods = [
        period_at(now, budget.terms.period, ZoneInfo(budget.terms.timezone), budget.terms.fiscal)
        for budget in budgets
    ]
    currencies = {budget.terms.currency for budget in budgets}
    spending = {
        period: spending_in(session, tenant, period, currencies, now=now)
        for period in dict.fromkeys(periods)
    }
    since = min((period.start for period in periods), default=now)
    reached = recorded(session, tenant, {budget.id for budget in budgets}, since)
    complete = complete_until(session)
    found: list[Status] = []
    for budget, period in zip(budgets, periods, strict=True):
        terms = budget.terms
        crossed_at = {
            threshold: reached.get(Crossing(budget.id, budget.armed, period.start, threshold))
            for threshold in terms.thresholds
        }
        spent = spending[period].on(terms.filter, terms.currency)
        found.append(Status(budget, period, spent.amount, crossed_at, complete, spent.without))
    return found
