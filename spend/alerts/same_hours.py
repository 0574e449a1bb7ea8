"""The last whole hours of a zone, and the same hours by its clock in the weeks before.

A change of the clock does not shift what is compared: 09:00 to 12:00 is held against 09:00 to
12:00. Hours in which the clock changes are like no others: they can be compared as a part of a day,
by as many hours from the same time on, but not alone.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from spend.periods import Period

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7 * _DAY


def last_hours(until: datetime, hours: int, zone: ZoneInfo) -> Period:
    """So many hours (UTC), of which the last is over by a zone's clock at a moment."""
    local = until.astimezone(zone)
    end = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    return Period(end - hours * _HOUR, end)


def weeks_before(window: Period, weeks: int, zone: ZoneInfo) -> list[Period]:
    """As many hours from the same time by the clock on: one week before, two, and so on."""
    start, long = window.start.astimezone(zone), window.end - window.start
    # Between datetimes of one zone, arithmetic is that of the clock on the wall.
    starts = [(start - number * _WEEK).astimezone(UTC) for number in range(1, weeks + 1)]
    return [Period(each, each + long) for each in starts]


def can_be_compared(window: Period, zone: ZoneInfo) -> bool:
    """Whether the clock does not change in it, or that matters little: it is a day long."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    return start.utcoffset() == end.utcoffset() or window.end - window.start >= _DAY


def hours_name(window: Period, zone: ZoneInfo) -> str:
    """For people, by the zone's clock: 'Sunday 2026-11-15, 09:00 to 12:00 (Europe/Berlin)'."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    day = f"{_WEEKDAYS[start.weekday()]} {start:%Y-%m-%d}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{day}, {start:%H:%M} to {until} ({zone.key})"


_WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday"),
    *("Friday", "Saturday", "Sunday"),
)
