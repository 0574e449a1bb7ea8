"""Reads what each UTC day cost, for forecasts of any number of budgets, in a few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Date, Float, Integer, Select, cast, func, null, select
from sqlalchemy.orm import Session

from spend.budgets.budgets import DIMENSIONS, Filter
from spend.budgets.day_series import HOURS, DaySeries, Told
from spend.currencies.exchange import DAILY, Exchange
from spend.forecasts.steadied import Floats
from spend.periods import Period
from spend.pieces import pieces_of
from store.breakdowns.booked_time import within
from store.budgets.budget_spend import Reading, named, told_apart
from store.conversion import Conversion
from store.spending.booked_lines import MONEY, summed_to
from store.tables.ledger import charges

DAYS: Final = 182
"""Half a year: 26 of each weekday."""
_OF_HOURS: Final = timedelta(days=14)
_NOT_VALUES: Final = frozenset({"place", "currency", "day", "amount"})
_UTC: Final = ZoneInfo("UTC")
_DAY: Final = timedelta(days=1)


def day_series(
    session: Session,
    tenant: int,
    filters: Iterable[Filter],
    currencies: Collection[str],
    *,
    last: date,
    now: datetime,
) -> dict[str, DaySeries]:
    """By currency, what was spent in each of the DAYS up to ``last``, by when it was used.

    What is in other currencies counts at daily rates; what has none doesn't. Three statements, and
    for each currency two more where there is spend in another one.
    """
    asked = {name for wanted in filters for name in wanted}
    dimensions = [name for name in DIMENSIONS if name in asked]
    end = datetime.combine(last + _DAY, time(), _UTC)
    period = Period(end - DAYS * _DAY, end)
    days = _table(session, _by_day(session, tenant, period, dimensions), DAYS)
    hours = _table(session, _by_hour(tenant, Period(end - _OF_HOURS, end), dimensions), HOURS)
    found = {}
    for to in sorted(set(currencies)):
        exchange = Conversion(to=to, policy=DAILY, zone=_UTC, now=now).exchange(
            session, tenant, period, set(days.currencies) | set(hours.currencies)
        )
        each_day = [last - number * _DAY for number in reversed(range(DAYS))]
        found[to] = DaySeries(
            last=last,
            days=Told(dimensions, days.values, days.amounts * _rates(days, exchange, each_day)),
            # Of hours only their parts are asked for.
            hours=Told(dimensions, hours.values, hours.amounts * _rates(hours, exchange, [last])),
        )
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    """A row for each currency and values, a column for each day or hour."""

    currencies: Sequence[str]
    values: Sequence[tuple[str, ...]]
    amounts: Floats


def _by_day(
    session: Session, tenant: int, period: Period, dimensions: Sequence[str]
) -> Select[Any]:
    days = [period.start + number * _DAY for number in range(DAYS)]
    pieces = pieces_of(Period(day, day + _DAY) for day in days)
    if pieces is None:
        raise ValueError("there are days")
    reading = Reading(tenant, pieces, None, summed_to(session, MONEY, tenant))
    return told_apart(reading, dimensions)


def _by_hour(tenant: int, period: Period, dimensions: Sequence[str]) -> Select[Any]:
    hour = cast(func.extract("hour", func.timezone("UTC", charges.c.slot)), Integer)
    keys = [charges.c.payer_id, charges.c.route_id, hour.label("place"), charges.c.currency]
    summed = (
        select(*keys, cast(null(), Date).label("day"), func.sum(charges.c.amount).label("amount"))
        .where(charges.c.tenant_id == tenant, within(charges.c.slot, period))
        .group_by(*keys)
    )
    return named(summed.subquery("sums"), tenant, dimensions)


def _table(session: Session, told: Select[Any], columns: int) -> _Table:
    """A row in one: places and amounts as arrays, as there are many of them."""
    each = told.subquery("each")
    values = [column for column in each.c if column.name not in _NOT_VALUES]
    places = func.array_agg(each.c.place).label("places")
    its = func.array_agg(cast(each.c.amount, Float(53))).label("its")
    asked = select(each.c.currency, places, its, *values).group_by(each.c.currency, *values)
    rows = session.execute(asked).mappings().all()
    amounts = np.zeros((len(rows), columns))
    for number, row in enumerate(rows):
        amounts[number, row["places"]] = row["its"]
    names = [column.name for column in values]
    told_as = [tuple(row[name] for name in names) for row in rows]
    return _Table([row["currency"] for row in rows], told_as, amounts)


def _rates(table: _Table, exchange: Exchange, days: Sequence[date]) -> Floats:
    """For each row and day what its amounts are multiplied with: 0 without a rate."""
    known: Mapping[str, list[float]] = {
        code: [_rate(exchange, code, day) for day in days] for code in set(table.currencies)
    }
    rates = [known[code] for code in table.currencies]
    return np.array(rates, np.float64).reshape(len(rates), len(days))


def _rate(exchange: Exchange, currency: str, day: date) -> float:
    if currency == exchange.to:
        return 1.0
    used = exchange.rate(currency, day)
    return 0.0 if used is None else float(used.rate)
