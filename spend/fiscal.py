"""Fiscal calendars: which periods, quarters and years books are kept in, as moments of UTC.

A fiscal year begins in some month, and is cut into months, or into weeks: 4-4-5, 4-5-4 or 5-4-4
weeks a quarter, or thirteen times 4 weeks. A year of weeks ends on one day of the week, either the
last such day of its last month or the one nearest to that month's end; so now and then it has 53
weeks, and the last period gets the one more. (Years of 52 to 53 weeks: IRS Publication 538. 4-5-4
with the Saturday nearest to the end of January: the National Retail Federation's calendar.)

A fiscal year is called by the calendar year that it ends in: with a start in February, FY2027 is
February 2026 to January 2027.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from spend.periods import FIRST_YEAR, LAST_YEAR, Month, Period, day_start, local_day, parse_month

MONTHS: Final = "month"
_WEEKS: Final = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13x4": (4,) * 13,
}
"""Weeks of each period of a year of 52."""
KINDS: Final = (MONTHS, *_WEEKS)
"""What a fiscal year may be cut into."""
ENDS: Final = ("last", "nearest")
WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_QUARTERS: Final = 4
_DECEMBER: Final = 12
_NAMED: Final = re.compile(r"FY([0-9]{4})(?:-(P|Q)([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """How years are cut: the same in every zone."""

    kind: str = MONTHS
    """One of KINDS."""
    starts_in: int = 1
    """The month in which it begins, 1 to 12; of years of weeks, near whose beginning."""
    week_starts_on: str = WEEKDAYS[0]
    """One of WEEKDAYS. Of years of weeks only."""
    ends: str = ENDS[0]
    """On which such day a year of weeks ends, by its last month: one of ENDS."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not one of {', '.join(KINDS)}")
        if self.week_starts_on not in WEEKDAYS:
            raise ValueError(f"{self.week_starts_on!r} is not one of {', '.join(WEEKDAYS)}")
        if self.ends not in ENDS:
            raise ValueError(f"{self.ends!r} is not one of {', '.join(ENDS)}")
        if not 1 <= self.starts_in <= _DECEMBER:
            raise ValueError(f"{self.starts_in} is not a month, 1 to 12")

    def first_days(self, year: int) -> tuple[date, ...]:
        """Where each period of a fiscal year begins, and at last where the next year does."""
        return _first_days(self, year)

    def year_of(self, day: date) -> int:
        """The fiscal year that holds a day."""
        # A year of weeks begins at most 7 days beside the month that it is near.
        return next(
            year
            for year in (day.year - 1, day.year, day.year + 1, day.year + 2)
            if day < self.first_days(year)[-1]
        )

    def quarters(self) -> tuple[int, ...]:
        """How many periods each quarter has: of thirteen, the last one four."""
        return (3, 3, 3, len(_WEEKS.get(self.kind, ())) - 9 if self.kind in _WEEKS else 3)


CALENDAR_YEAR: Final = FiscalYear()
"""January to December, by months."""


@cache
def _first_days(fiscal: FiscalYear, year: int) -> tuple[date, ...]:
    start, end = _start_of(fiscal, year), _start_of(fiscal, year + 1)
    if fiscal.kind == MONTHS:
        first = Month(start.year, start.month)
        return tuple(first.plus(number).first_day for number in range(13))
    days = [start]
    for weeks in _WEEKS[fiscal.kind][:-1]:
        days.append(days[-1] + weeks * _WEEK)
    return (*days, end)


def _start_of(fiscal: FiscalYear, year: int) -> date:
    first = Month(year if fiscal.starts_in == 1 else year - 1, fiscal.starts_in).first_day
    if fiscal.kind == MONTHS:
        return first
    # The week's first day after the last day of the year before: of `last` the last one that is
    # not after the month's end, of `nearest` at most three days after it.
    limit = first if fiscal.ends == "last" else first + 3 * _DAY
    return limit - (limit.weekday() - WEEKDAYS.index(fiscal.week_starts_on)) % 7 * _DAY


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """A period, quarter or year of a calendar, or a calendar month."""

    name: str
    """``2026-10`` of a calendar month, ``FY2027-P02``, ``FY2027-Q1``, ``FY2027``."""
    first_day: date
    last_day: date
    period: Period
    """UTC, half-open."""

    @property
    def start(self) -> datetime:
        """UTC, inclusive."""
        return self.period.start

    @property
    def end(self) -> datetime:
        """UTC, exclusive."""
        return self.period.end

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Calendar:
    """A fiscal year in a time zone."""

    zone: ZoneInfo
    fiscal: FiscalYear = CALENDAR_YEAR

    def named(self, text: str) -> FiscalPeriod:
        """The period of a name; ValueError, whose text can be shown, if there is none.

        Calendar months can be asked for whatever the fiscal year is cut into.
        """
        found = _NAMED.fullmatch(text)
        if found is None:
            try:
                return self._month(parse_month(text))
            except ValueError:
                reason = f"{text[:20]!r} is not a month such as 2026-10, or a period such as"
                raise ValueError(f"{reason} FY2026-P01, FY2026-Q1 or FY2026") from None
        year, kind, number = int(found[1]), found[2], int(found[3] or 0)
        if not FIRST_YEAR < year < LAST_YEAR:
            raise ValueError(f"{text!r}: a year is {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
        if kind is None:
            return self._whole(f"FY{year}", year, 0, len(self.fiscal.first_days(year)) - 1)
        most = _QUARTERS if kind == "Q" else len(self.fiscal.first_days(year)) - 1
        if not 1 <= number <= most:
            raise ValueError(f"{text!r}: a year has {kind}1 to {kind}{most}")
        return self._quarter(year, number) if kind == "Q" else self._period(year, number)

    def period_at(self, moment: datetime) -> FiscalPeriod:
        """The period that holds a moment."""
        year, number = self._place(local_day(moment, self.zone))
        return self._period(year, number)

    def quarter_at(self, moment: datetime) -> FiscalPeriod:
        """The quarter that holds a moment."""
        year, number = self._place(local_day(moment, self.zone))
        return self._quarter(year, min((number + 2) // 3, _QUARTERS))

    def year_at(self, moment: datetime) -> FiscalPeriod:
        """The fiscal year that holds a moment."""
        return self.named(f"FY{self.fiscal.year_of(local_day(moment, self.zone)):04d}")

    def next(self, period: FiscalPeriod) -> FiscalPeriod:
        """The one of the same kind that begins where this one ends."""
        return self._like(period, period.end)

    def previous(self, period: FiscalPeriod) -> FiscalPeriod:
        """The one of the same kind that ends where this one begins."""
        return self._like(period, period.start - timedelta(microseconds=1))

    def between(self, start: datetime, end: datetime) -> Iterator[FiscalPeriod]:
        """The periods that a time (UTC, half-open) touches, in order."""
        found = self.period_at(start)
        while found.start < end:
            yield found
            found = self.next(found)

    def _like(self, period: FiscalPeriod, moment: datetime) -> FiscalPeriod:
        named = _NAMED.fullmatch(period.name)
        if named is None:
            day = local_day(moment, self.zone)
            return self._month(Month(day.year, day.month))
        at = {"P": self.period_at, "Q": self.quarter_at, None: self.year_at}
        return at[named[2]](moment)

    def _place(self, day: date) -> tuple[int, int]:
        """Year, and number of the period from 1."""
        year = self.fiscal.year_of(day)
        starts = self.fiscal.first_days(year)
        return year, sum(start <= day for start in starts)

    def _period(self, year: int, number: int) -> FiscalPeriod:
        if self.fiscal.kind == MONTHS:
            first = self.fiscal.first_days(year)[number - 1]
            return self._month(Month(first.year, first.month))
        return self._whole(f"FY{year}-P{number:02d}", year, number - 1, number)

    def _quarter(self, year: int, number: int) -> FiscalPeriod:
        counts = self.fiscal.quarters()
        before = sum(counts[: number - 1])
        return self._whole(f"FY{year}-Q{number}", year, before, before + counts[number - 1])

    def _whole(self, name: str, year: int, first: int, end: int) -> FiscalPeriod:
        days = self.fiscal.first_days(year)
        return self._of_days(name, days[first], days[end])

    def _month(self, month: Month) -> FiscalPeriod:
        return self._of_days(str(month), month.first_day, month.plus(1).first_day)

    def _of_days(self, name: str, first: date, end: date) -> FiscalPeriod:
        bounds = Period(day_start(first, self.zone), day_start(end, self.zone))
        return FiscalPeriod(name, first, end - _DAY, bounds)
