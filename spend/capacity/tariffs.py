"""What a kilowatt-hour costs: by the month, weekday and hour of a place's wall clock.

The clock is that of an IANA time zone, so the day it is put forward has 23 tariff hours and the day
it is put back 25, two of them at the price of the same hour. Public holidays are days like others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

QUARTER: Final = timedelta(minutes=15)
"""The largest step that the hours of every time zone begin on (Kathmandu is +05:45)."""

_US: Final = timedelta(microseconds=1)

MONTHS: Final = range(1, 13)
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS: Final = range(24)

LocalHour = tuple[int, int, int]
"""Month (1 to 12), weekday (0: Monday), hour (0 to 23)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A price per kWh and the local hours that it holds in: all of three must fit."""

    price: Decimal
    months: frozenset[int] = frozenset(MONTHS)
    weekdays: frozenset[int] = frozenset(range(7))
    hours: frozenset[int] = frozenset(HOURS)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices per kWh for every hour of the week and month, from ``valid_from`` to ``valid_to``."""

    name: str
    zone: str
    """IANA name."""
    rates: tuple[Rate, ...]
    valid_from: datetime | None = None
    """UTC, half-open; None: without a bound."""
    valid_to: datetime | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether it holds at ``at``."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_to is None or at < self.valid_to
        )


def priced_hours(rates: Sequence[Rate]) -> dict[LocalHour, list[Decimal]]:
    """The prices that hold in each local hour: one each in a tariff without gaps and overlaps."""
    found: dict[LocalHour, list[Decimal]] = {
        (month, weekday, hour): [] for month in MONTHS for weekday in range(7) for hour in HOURS
    }
    for rate in rates:
        for month in rate.months:
            for weekday in rate.weekdays:
                for hour in rate.hours:
                    found[month, weekday, hour].append(rate.price)
    return found


@lru_cache(maxsize=256)
def _table(tariff: Tariff) -> dict[LocalHour, Decimal]:
    return {when: prices[0] for when, prices in priced_hours(tariff.rates).items()}


def price_at(tariffs: Sequence[Tariff], at: datetime) -> Decimal:
    """The price per kWh at a moment, by the tariff in force. Raises LookupError if none is."""
    for tariff in tariffs:
        if tariff.in_force(at):
            local = at.astimezone(ZoneInfo(tariff.zone))
            return _table(tariff)[local.month, local.weekday(), local.hour]
    raise LookupError(f"no tariff holds at {at}")


def first_gap(tariffs: Sequence[Tariff], start: datetime, end: datetime | None) -> datetime | None:
    """The first moment from ``start`` to ``end`` that no tariff (in order of time) holds at."""
    at = start
    for tariff in tariffs:
        if tariff.valid_from is not None and tariff.valid_from > at:
            break
        if tariff.valid_to is None:
            return None
        at = max(at, tariff.valid_to)
    return at if end is None or at < end else None


def price_of_hour(
    tariffs: Sequence[Tariff], hour: datetime, start: datetime, end: datetime
) -> Fraction:
    """What the part of one UTC hour between ``start`` and ``end`` pays per kWh of a whole hour.

    The mean over quarters of the hour; those outside of the part count 0.
    """
    total = Fraction(0)
    for number in range(4):
        at = hour + number * QUARTER
        inside = min(end, at + QUARTER) - max(start, at)
        if inside > timedelta(0):
            total += Fraction(price_at(tariffs, at)) * Fraction(inside // _US, QUARTER // _US)
    return total / 4
