"""Reads how a period of a budget was spent: what had been spent by the end of each day, or hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.budgets.budgets import Terms
from spend.money import EXACT
from spend.periods import Period, day_start, days_in
from store.budgets.budget_spend import read_spend

_HOUR: Final = timedelta(hours=1)
_DAYS_BY_THE_HOUR: Final = 2
"""A period of at most so many days is told by the hour."""


def budget_curve(
    session: Session, tenant: int, terms: Terms, period: Period, through: datetime, now: datetime
) -> list[tuple[datetime, Decimal]]:
    """Moments (UTC), and what was spent from the period's start until each, in order.

    Begins with 0 at the start, ends at ``through``, up to which all is known. What is dated later
    (clocks that are ahead) is in the last part.
    """
    begun = [each for each in _starts(terms, period) if each < through]
    # Of a period that has just begun nothing may be known yet.
    ends = [*begun[1:], period.end] if begun else []
    parts = [Period(start, end) for start, end in zip(begun, ends, strict=True)]
    read = read_spend(session, tenant, parts, [terms.filter], [terms.currency], now=now)
    points = [(period.start, Decimal(0))]
    for part in parts:
        spent = EXACT.add(points[-1][1], read.on(terms.filter, terms.currency, part).amount)
        points.append((min(part.end, through), spent))
    return points


def _starts(terms: Terms, period: Period) -> Sequence[datetime]:
    zone = ZoneInfo(terms.timezone)
    starts = [max(day_start(day, zone), period.start) for day in days_in(period, zone)]
    if len(starts) > _DAYS_BY_THE_HOUR:
        return starts
    return [period.start + hour * _HOUR for hour in range(int((period.end - period.start) / _HOUR))]
