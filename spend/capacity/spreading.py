"""Amounts that are spread over time: what has accrued of one until a moment, in whole 1e-12.

Only what has accrued is rounded, towards zero; an hour's cost is the difference of two such sums.
So the hours of a month, of a term, of a life add up to the whole amount, whatever is left over by
the division. Months, days and years are those of a time zone: in Berlin, March 2026 has 743 hours.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from spend.periods import Month, day_start, local_day

HOUR: Final = "hour"
DAY: Final = "day"
MONTH: Final = "month"
YEAR: Final = "year"
PERIODS: Final = (HOUR, DAY, MONTH, YEAR)

_US: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


def accrued(atoms: int, per: str, zone: str, until: datetime) -> int:
    """What has accrued of ``atoms`` each hour, day, month or year of a zone since the year 2000."""
    if per == HOUR:
        return atoms * ((until - _EPOCH) // _US) // (_HOUR // _US)
    number, start, end = _period(per, zone, until)
    return atoms * number + _part(atoms, start, end, until)


def accrued_of_term(atoms: int, start: datetime, end: datetime, until: datetime) -> int:
    """What has accrued of ``atoms`` that are spread evenly from ``start`` to ``end``."""
    return _part(atoms, start, end, min(max(until, start), end))


@lru_cache(maxsize=4096)
def months_later(start: datetime, months: int, zone: str) -> datetime:
    """The moment (UTC) so many months of a zone later, at the same time by its clock.

    From the 31st to a month that is shorter: its last day.
    """
    local = start.astimezone(ZoneInfo(zone))
    month = Month(local.year, local.month).plus(months)
    day = min(local.day, monthrange(month.year, month.month)[1])
    return local.replace(year=month.year, month=month.month, day=day).astimezone(UTC)


def _part(atoms: int, start: datetime, end: datetime, until: datetime) -> int:
    return atoms * ((until - start) // _US) // ((end - start) // _US)


def _period(per: str, zone: str, at: datetime) -> tuple[int, datetime, datetime]:
    """The number, the start and the end (UTC) of the period of a zone that holds a moment."""
    local = local_day(at, ZoneInfo(zone))
    if per == DAY:
        return local.toordinal(), *_bounds(DAY, zone, local.toordinal(), 0)
    if per == MONTH:
        number = local.year * 12 + local.month - 1
        return number, *_bounds(MONTH, zone, local.year, local.month)
    return local.year, *_bounds(YEAR, zone, local.year, 1)


@lru_cache(maxsize=4096)
def _bounds(per: str, zone: str, number: int, month: int) -> tuple[datetime, datetime]:
    where = ZoneInfo(zone)
    if per == DAY:
        day = _EPOCH.date().fromordinal(number)
        return day_start(day, where), day_start(day + timedelta(days=1), where)
    first = Month(number, month)
    after = first.plus(1 if per == MONTH else 12)
    return day_start(first.first_day, where), day_start(after.first_day, where)
