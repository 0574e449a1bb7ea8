"""Days and months of a time zone, as moments of UTC.

A local day begins at local midnight, by the wall clock: in Berlin, March 2026 has 743 hours and
October 745. All bounds come from one copy of the time zone database (Python's), so that the store,
the answers and the budgets cut a month at the same moment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time: ``start`` inclusive, ``end`` exclusive, both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first_day(self) -> date:
        """The first of the month."""
        return date(self.year, self.month, 1)

    def plus(self, months: int) -> "Month":
        """The month that many months later (or earlier)."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)


FIRST_YEAR, LAST_YEAR = 2000, 2999
"""What a year may be: models are younger than the first, and arithmetic holds in the last."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def parse_month(text: str) -> Month:
    """``'2026-10'`` as a month; ValueError if it is not written so, between the two years."""
    found = _MONTH.fullmatch(text)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise ValueError(f"{text!r} is not a month such as 2026-10")
    return Month(int(found[1]), int(found[2]))


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that a local day begins at.

    Where the clock skips midnight, the day begins at the skip; where midnight comes twice, at the
    first.
    """
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def day_period(day: date, zone: ZoneInfo) -> Period:
    """A local day, of 23, 24 or 25 hours, from its start (UTC) to the next one's."""
    return Period(day_start(day, zone), day_start(day + timedelta(days=1), zone))


def month_period(month: Month, zone: ZoneInfo) -> Period:
    """A local month."""
    return Period(day_start(month.first_day, zone), day_start(month.plus(1).first_day, zone))


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local day that holds a moment."""
    return moment.astimezone(zone).date()


def month_of(moment: datetime, zone: ZoneInfo) -> Month:
    """The local month that holds a moment."""
    day = local_day(moment, zone)
    return Month(day.year, day.month)


def days_in(period: Period, zone: ZoneInfo) -> Iterator[date]:
    """The local days that a period touches, in order."""
    day = local_day(period.start, zone)
    while day_start(day, zone) < period.end:
        yield day
        day += timedelta(days=1)


def months_ago(months: int, moment: datetime, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the same local day so many months before, or of the last there was."""
    month = month_of(moment, zone).plus(-months)
    last = month.plus(1).first_day - timedelta(days=1)
    day = month.first_day + timedelta(days=local_day(moment, zone).day - 1)
    return day_start(min(last, day), zone)


def months_in(period: Period, zone: ZoneInfo) -> Iterator[Month]:
    """The local months that a period touches, in order."""
    month = month_of(period.start, zone)
    while month_period(month, zone).start < period.end:
        yield month
        month = month.plus(1)
