"""Which period of a budget a moment is in, of its zone and, where it says so, fiscal year."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from spend.fiscal import CALENDAR_YEAR, Calendar, FiscalPeriod, FiscalYear
from spend.periods import Period, day_start, local_day

FISCAL: Final = ("fiscal-period", "fiscal-quarter", "fiscal-year")
KINDS: Final = ("day", "week", "month", "quarter", "year", *FISCAL)
"""Weeks begin on Monday (ISO 8601), quarters and years in January, fiscal ones as the fiscal year
is cut (``spend/fiscal.py``)."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def period_at(
    moment: datetime, kind: str, zone: ZoneInfo, fiscal: FiscalYear = CALENDAR_YEAR
) -> Period:
    """The period that holds a moment; its bounds are moments of UTC."""
    if kind in FISCAL:
        return _fiscal(moment, kind, zone, fiscal).period
    first = _first_day(local_day(moment, zone), kind)
    return Period(day_start(first, zone), day_start(_first_after(first, kind), zone))


def period_before(
    period: Period, kind: str, zone: ZoneInfo, fiscal: FiscalYear = CALENDAR_YEAR
) -> Period:
    """The period that ends where this one starts."""
    return period_at(period.start - timedelta(microseconds=1), kind, zone, fiscal)


def period_name(
    period: Period, kind: str, zone: ZoneInfo, fiscal: FiscalYear = CALENDAR_YEAR
) -> str:
    """What people call it: 2026-10-31, 2026-W44, 2026-10, 2026-Q4, 2026; FY2027-P02, FY2027-Q1."""
    if kind in FISCAL:
        return _fiscal(period.start, kind, zone, fiscal).name
    day = local_day(period.start, zone)
    year, week, _ = day.isocalendar()
    names = {
        "day": f"{day}",
        "week": f"{year}-W{week:02d}",
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
    }
    return names[kind]


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
    return first + timedelta(days=1 if kind == "day" else 7)
