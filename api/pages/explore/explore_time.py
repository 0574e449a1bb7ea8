"""The time that spend is explored in, the one that it is compared with, and how it is cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from spend.periods import Period, day_start, days_in, local_day, months_ago, months_in

RANGES: Final[Mapping[str, str]] = {
    "this-month": "This month",
    "last-month": "Last month",
    "7-days": "7 days",
    "30-days": "30 days",
    "90-days": "90 days",
    "this-quarter": "This quarter",
    "this-year": "This year",
}
"""Times that move with the day, as an address and as a person says them."""
RangeName = Literal[
    "this-month", "last-month", "7-days", "30-days", "90-days", "this-quarter", "this-year"
]
Compare = Literal["none", "before", "month", "year"]
Cut = Literal["day", "week", "month"]

_STEPS: Final = {"this-month": 1, "last-month": 1, "this-quarter": 3, "this-year": 12}
"""How many months back the time before is, where it is not as many days."""
MOST_DAYS: Final = 100
"""Of a table by day, to be read."""
_DAY: Final = timedelta(days=1)
_DAILY: Final = 35
_WEEKLY: Final = 140


def days_of(name: str, today: date) -> tuple[date, date]:
    """The first day of a range, and the one after its last; with today in all but last-month.

    >>> [str(day) for day in days_of("this-quarter", date(2026, 11, 23))]
    ['2026-10-01', '2026-11-24']
    >>> [str(day) for day in days_of("last-month", date(2026, 1, 5))]
    ['2025-12-01', '2026-01-01']
    >>> [str(day) for day in days_of("7-days", date(2026, 1, 5))]
    ['2025-12-30', '2026-01-06']
    """
    tomorrow, first = today + timedelta(days=1), today.replace(day=1)
    if name == "last-month":
        return (first - timedelta(days=1)).replace(day=1), first
    if name == "this-quarter":
        return first.replace(month=(today.month - 1) // 3 * 3 + 1), tomorrow
    if name == "this-year":
        return first.replace(month=1), tomorrow
    if name.endswith("-days"):
        return tomorrow - timedelta(days=int(name.removesuffix("-days"))), tomorrow
    return first, tomorrow


def compared(period: Period, zone: ZoneInfo, how: Compare, range_name: str | None) -> Period | None:
    """The time that a period is compared with; None: it is not, or there are no such days.

    ``before``: of months, quarters and years the same days of the one before; else as many days
    right before.
    """
    if how == "none":
        return None
    months = {"month": 1, "year": 12}.get(how) or _months(period, zone, range_name)
    if months:
        start, end = _months_before(months, period.start, zone), _end_before(months, period, zone)
        return Period(start, end) if start < end else None
    first, last = (local_day(each, zone) for each in (period.start, period.end))
    if day_start(first, zone) == period.start and day_start(last, zone) == period.end:
        # By the calendar: days are not all of 24 hours.
        return Period(day_start(first - (last - first), zone), period.start)
    return Period(period.start - (period.end - period.start), period.start)


def _months_before(months: int, moment: datetime, zone: ZoneInfo) -> datetime:
    """The same time of the same day, or of the last that the month has."""
    day = local_day(months_ago(months, moment, zone), zone)
    return datetime.combine(day, moment.astimezone(zone).time(), zone).astimezone(UTC)


def _end_before(months: int, period: Period, zone: ZoneInfo) -> datetime:
    """Where the time before ends: with the last day's counterpart, months with a month's end."""
    end = local_day(period.end, zone)
    if day_start(end, zone) != period.end or end.day == 1:
        return _months_before(months, period.end, zone)
    # The day after the last: the 30th of October has the 30th of September, and no 31st.
    last = local_day(months_ago(months, day_start(end - _DAY, zone), zone), zone)
    return day_start(last + _DAY, zone)


def _months(period: Period, zone: ZoneInfo, range_name: str | None) -> int:
    if range_name is not None:
        return _STEPS.get(range_name, 0)
    months = list(months_in(period, zone))
    whole = Period(
        day_start(months[0].first_day, zone), day_start(months[-1].plus(1).first_day, zone)
    )
    return len(months) if whole == period else 0


@dataclass(frozen=True, slots=True)
class Pieces:
    """A period cut into days, weeks that begin on Monday, or months."""

    cut: Cut
    bounds: Mapping[str, tuple[date, date]]
    """Name -> its first day and the one after its last, within the period's days; in order."""

    def of_day(self, name: str) -> str:
        """The piece that holds a day or month, as the store names them."""
        if self.cut == "week":
            day = date.fromisoformat(name)
            return (day - timedelta(days=day.weekday())).isoformat()
        return name if self.cut == "day" else name[:7]


def pieces_of(period: Period, zone: ZoneInfo, cut: Cut) -> Pieces:
    """The pieces of a period; those at its ends may be shorter."""
    bounds: dict[str, tuple[date, date]] = {}
    for day in days_in(period, zone):
        name = {
            "day": day.isoformat(),
            "week": (day - timedelta(days=day.weekday())).isoformat(),
            "month": day.isoformat()[:7],
        }[cut]
        first, _end = bounds.get(name, (day, day))
        bounds[name] = (first, day + timedelta(days=1))
    return Pieces(cut, bounds)


def fitting(period: Period, zone: ZoneInfo, asked: str | None) -> tuple[Cut, bool]:
    """How a time is cut, so that it can be read; and whether that is coarser than was asked.

    None: as suits its length.
    """
    days = sum(1 for _day in days_in(period, zone))
    if asked is None:
        return ("day" if days <= _DAILY else "week" if days <= _WEEKLY else "month"), False
    if asked == "day" and days > MOST_DAYS:
        return "week", True
    cut: Cut = "day" if asked == "day" else "week" if asked == "week" else "month"
    return cut, False
