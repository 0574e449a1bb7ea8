"""Which period of a budget a moment is in, of its zone and, where it says so, fiscal year.

A budget has a period at every moment, but one of ``custom`` periods: before its first one, and
after the only one, there is none.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from spend.budgets.budgets import OwnPeriod, Terms
from spend.fiscal import CALENDAR_YEAR, Calendar, FiscalPeriod, FiscalYear
from spend.periods import Period, day_start, local_day

FISCAL: Final = ("fiscal-period", "fiscal-quarter", "fiscal-year")
CUSTOM: Final = "custom"
KINDS: Final = ("day", "week", "month", "quarter", "year", *FISCAL, CUSTOM)
"""Weeks begin on Monday (ISO 8601), quarters and years in January, fiscal ones as the fiscal year
is cut (``spend/fiscal.py``), custom ones as the budget says
(``spend.budgets.budgets.OwnPeriod``)."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


class NoPeriodError(LookupError):
    """Of custom periods none holds the moment."""


def period_of(terms: Terms, moment: datetime) -> Period | None:
    """The period of a budget that holds a moment, bounds in UTC; None: there is none then."""
    try:
        return period_at(
            moment, terms.period, ZoneInfo(terms.timezone), terms.fiscal, terms.own_period
        )
    except NoPeriodError:
        return None


def last_period_of(terms: Terms, moment: datetime) -> Period | None:
    """The latest period of a budget that had ended by a moment; None: none had.

    Of an only one that is over, that one.
    """
    zone, own = ZoneInfo(terms.timezone), terms.own_period
    if own is not None and own.ends_on is not None:
        only = _between(own.starts_on, own.ends_on + _DAY, zone)
        return only if only.end <= moment else None
    present = period_of(terms, moment)
    return None if present is None else period_of(terms, present.start - _INSTANT)


def name_of(terms: Terms, period: Period) -> str:
    """What people call a period of a budget, as ``period_name``."""
    return period_name(period, terms.period, ZoneInfo(terms.timezone), terms.fiscal)


def period_at(
    moment: datetime,
    kind: str,
    zone: ZoneInfo,
    fiscal: FiscalYear = CALENDAR_YEAR,
    own: OwnPeriod | None = None,
) -> Period:
    """The period that holds a moment; its bounds are moments of UTC.

    ``own`` is how periods of the kind ``custom`` are cut: of these, NoPeriodError where none does.
    """
    if kind == CUSTOM:
        if own is None:
            raise NoPeriodError("nothing says how its periods are cut")
        return _own(moment, own, zone)
    if kind in FISCAL:
        return _fiscal(moment, kind, zone, fiscal).period
    first = _first_day(local_day(moment, zone), kind)
    return _between(first, _first_after(first, kind), zone)


def period_name(
    period: Period, kind: str, zone: ZoneInfo, fiscal: FiscalYear = CALENDAR_YEAR
) -> str:
    """What people call it.

    2026-10-31, 2026-W44, 2026-10, 2026-Q4, 2026; FY2027-P02, FY2027-Q1; a custom one by its first
    and last day, 2026-10-05 to 2026-10-18.
    """
    if kind in FISCAL:
        return _fiscal(period.start, kind, zone, fiscal).name
    day = local_day(period.start, zone)
    if kind == CUSTOM:
        last = local_day(period.end - _INSTANT, zone)
        return f"{day}" if day == last else f"{day} to {last}"
    year, week, _ = day.isocalendar()
    names = {
        "day": f"{day}",
        "week": f"{year}-W{week:02d}",
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
    }
    return names[kind]


def _own(moment: datetime, own: OwnPeriod, zone: ZoneInfo) -> Period:
    day = local_day(moment, zone)
    if day < own.starts_on or (own.ends_on is not None and day > own.ends_on):
        raise NoPeriodError(f"no period holds {day}")
    if own.ends_on is not None:
        return _between(own.starts_on, own.ends_on + _DAY, zone)
    if own.days is None:
        raise NoPeriodError("nothing says how long its periods are")
    first = day - (day - own.starts_on) % timedelta(days=own.days)
    return _between(first, first + timedelta(days=own.days), zone)


def _between(first: date, after: date, zone: ZoneInfo) -> Period:
    return Period(day_start(first, zone), day_start(after, zone))


def _fiscal(moment: datetime, kind: str, zone: ZoneInfo, fiscal: FiscalYear) -> FiscalPeriod:
    calendar = Calendar(zone, fiscal)
    at = dict(zip(FISCAL, (calendar.period_at, calendar.quarter_at, calendar.year_at), strict=True))
    return at[kind](moment)


def _first_day(day: date, kind: str) -> date:
    if kind == "day":
        return day
    if kind == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[kind]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _first_after(first: date, kind: str) -> date:
    if kind in _MONTHS:
        years, month = divmod(first.month - 1 + _MONTHS[kind], 12)
        return date(first.year + years, month + 1, 1)
    return first + (_DAY if kind == "day" else 7 * _DAY)
