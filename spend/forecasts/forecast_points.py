"""A period day by day: what was spent, what is still to come, and where that leads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from zoneinfo import ZoneInfo

from spend.forecasts.forecast import Forecast
from spend.money import ATOM_DIGITS, EXACT, ROUNDING
from spend.periods import Period, day_start, days_in

_ATOM = Decimal(1).scaleb(-ATOM_DIGITS)


@dataclass(frozen=True, slots=True)
class Point:
    """A local day of a period. Amounts are in the budget's currency."""

    day: date
    spent: Decimal | None
    """None: the day is to come."""
    expected: Decimal | None
    """What is still to come of it; None: it is over."""
    low: Decimal
    """At its end, of all days until then: of the band, which is as narrow as little is to come."""
    total: Decimal
    high: Decimal


def points(
    period: Period,
    zone: ZoneInfo,
    spent: Mapping[date, Decimal],
    rest: Sequence[tuple[Period, float]],
    forecast: Forecast,
) -> Iterator[Point]:
    """Each day of a period, in order; the last one's total is what the forecast expects.

    ``rest`` is what parts of the time to come should cost: what is still expected is spread as
    that is.
    """
    days = list(days_in(period, zone))
    to_come = _by_day(days, zone, rest)
    whole = sum(to_come.values())
    known = Decimal(0)
    for amount in spent.values():
        known = EXACT.add(known, amount)
    left = max(Decimal(0), EXACT.subtract(forecast.expected, known))
    below = EXACT.subtract(forecast.expected, forecast.low)
    above = EXACT.subtract(forecast.high, forecast.expected)
    so_far, until, given = Decimal(0), 0.0, Decimal(0)
    for day in days:
        so_far = EXACT.add(so_far, spent.get(day, Decimal(0)))
        until += to_come.get(day, 0.0)
        part = min(1.0, until / whole) if whole else 1.0
        before, given = given, left if day == days[-1] else _times(left, part)
        total = EXACT.add(so_far, given)
        yield Point(
            day,
            spent.get(day),
            EXACT.subtract(given, before) if day in to_come else None,
            EXACT.subtract(total, _times(below, sqrt(part) if given else 0.0)),
            total,
            EXACT.add(total, _times(above, sqrt(part) if given else 0.0)),
        )


def _by_day(
    days: Sequence[date], zone: ZoneInfo, rest: Sequence[tuple[Period, float]]
) -> dict[date, float]:
    """Local days that are not over -> what is to come of them, by how long each part is theirs."""
    found: dict[date, float] = {}
    bounds = [day_start(day, zone) for day in days]
    for part, amount in rest:
        if part.end <= part.start:
            continue
        for day, start, end in zip(days, bounds, [*bounds[1:], part.end], strict=True):
            of_it = min(part.end, max(end, start)) - max(part.start, start)
            if of_it.total_seconds() > 0:
                share = of_it / (part.end - part.start)
                found[day] = found.get(day, 0.0) + amount * share
    return found


def _times(amount: Decimal, part: float) -> Decimal:
    return EXACT.multiply(amount, Decimal(part).quantize(_ATOM, context=ROUNDING)).quantize(
        _ATOM, context=ROUNDING
    )
