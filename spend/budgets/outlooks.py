"""What periods of budgets will come to: what is spent, and what their other days should cost.

Days are those of UTC, as their sums are kept so. Of the day that goes on, and of one that a period
ends in, the part that counts goes by the hours in which the budget's spend of the last two weeks
was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

import numpy as np

from spend.budgets.budgets import Filter
from spend.budgets.day_series import DaySeries, part_before
from spend.forecasts.forecast import Forecast
from spend.forecasts.seasonal import LEAST_DAYS, METHOD, RATE, Ahead, ahead
from spend.forecasts.steadied import Floats
from spend.money import ATOM_DIGITS, EXACT, ROUNDING
from spend.periods import Period

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)
_CENT: Final = Decimal("0.01")
_MOST: Final = 10.0**9
"""Per cent, that an error is told up to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A period of a budget, that goes on."""

    budget_id: int
    version: int
    period: Period
    filter: Filter
    currency: str
    spent: Decimal
    """In the period, until now."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of a period, or why nothing is."""

    forecast: Forecast | None
    reason: str | None = None
    rest: tuple[tuple[Period, float], ...] = ()
    """What each part that is left of it should cost, in order: a UTC day, or as much of one."""


def outlooks(
    asked: Iterable[Asked],
    series: Mapping[str, DaySeries],
    *,
    through: datetime,
    made_at: datetime,
) -> dict[int, Outlook]:
    """By budget. ``series``, by currency, end with the last whole UTC day before ``through``."""
    found: dict[int, Outlook] = {}
    in_order = sorted(asked, key=lambda each: (each.period.start, each.period.end, each.budget_id))
    for period, group in groupby(in_order, key=lambda each: each.period):
        its = list(group)
        days = days_left(period, through)
        elapsed = max(0, (days[0] - period.start.astimezone(UTC).date()).days)
        daily = np.stack([series[each.currency].days.on(each.filter) for each in its])
        expected = ahead(daily, len(days), elapsed)
        for row, each in enumerate(its):
            left = left_of(period, through, days, series[each.currency].of_day(each.filter))
            found[each.budget_id] = outlook_of(each, expected, row, left, (through, made_at))
    return found


def days_left(period: Period, through: datetime) -> list[date]:
    """The UTC days from that of ``through`` to the period's last."""
    day, last = through.astimezone(UTC).date(), (period.end - _INSTANT).astimezone(UTC).date()
    return [day + number * _DAY for number in range((last - day).days + 1)]


def left_of(
    period: Period, through: datetime, days: Sequence[date], of_day: Floats
) -> list[tuple[Period, float]]:
    """What is left of each day in the period, and which part of its spend that is."""
    left = []
    for day in days:
        midnight = datetime.combine(day, time(), UTC)
        end = min(midnight + _DAY, period.end)
        start = min(max(midnight, through, period.start), end)
        part = part_before(end, day, of_day) - part_before(start, day, of_day)
        left.append((Period(start, end), part))
    return left


def outlook_of(
    asked: Asked,
    expected: Ahead,
    row: int,
    left: Sequence[tuple[Period, float]],
    times: tuple[datetime, datetime],
) -> Outlook:
    """What is expected of one period, by its row of what is ahead and the days that are left.

    ``times`` are through when it is known, and when it is made.
    """
    days = int(expected.days[row])
    if days < LEAST_DAYS:
        return Outlook(None, _too_few(days))
    rest = [float(each) * part for each, (_, part) in zip(expected.daily[row], left, strict=True)]
    whole = float(expected.daily[row].sum())
    # The band is of whole days: of what is left of them it is as wide for its size.
    counts = sum(rest) / whole if whole > 0 else sum(part for _, part in left) / len(left)
    error = float(expected.past_error[row])
    through, made_at = times
    forecast = Forecast(
        version=asked.version,
        made_at=made_at,
        through=through,
        expected=_with(asked.spent, sum(rest)),
        low=_with(asked.spent, min(float(expected.low[row]) * counts, sum(rest))),
        high=_with(asked.spent, max(float(expected.high[row]) * counts, sum(rest))),
        past_error=None if np.isnan(error) else _quantised(min(error, _MOST), _CENT),
        days=days,
        method=METHOD if expected.seasonal[row] else RATE,
    )
    parts = tuple((each, amount) for (each, _), amount in zip(left, rest, strict=True))
    return Outlook(forecast, rest=parts)


def _too_few(days: int) -> str:
    if not days:
        return "nothing was spent on it in the last half year, before today"
    told = "1 whole day" if days == 1 else f"{days} whole days"
    return f"{told} since its first spend: it takes {LEAST_DAYS}"


def _with(spent: Decimal, rest: float) -> Decimal:
    return _quantised(EXACT.add(spent, _quantised(rest, _ATOM)), _ATOM)


def _quantised(value: Decimal | float, to: Decimal) -> Decimal:
    return Decimal(value).quantize(to, context=ROUNDING)
