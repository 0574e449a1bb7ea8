"""The last whole hours of a zone, and the same hours by its clock in the weeks before.

A change of the clock does not shift what is compared: 09:00 to 12:00 is held against 09:00 to
12:00. In the night of a change the hours themselves are more or fewer; then amounts of the past are
taken for as long a time (``scaled``).
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from spend.periods import Period

_HOUR: Final = timedelta(hours=1)
_WEEK: Final = timedelta(days=7)
_MICROSECOND: Final = timedelta(microseconds=1)


def last_hours(until: datetime, hours: int, zone: ZoneInfo) -> Period:
    """So many hours by a zone's clock, of which the last is over at a moment. Bounds are of UTC."""
    local = until.astimezone(zone)
    whole = local.replace(minute=0, second=0, microsecond=0)
    end = whole.astimezone(UTC)
    # Between datetimes of one zone, arithmetic is that of the clock on the wall.
    start = whole - hours * _HOUR
    while start.astimezone(UTC) >= end:  # an hour that the clock skips
        start -= _HOUR
    return Period(start.astimezone(UTC), end)


def weeks_before(window: Period, weeks: int, zone: ZoneInfo) -> list[Period]:
    """The same hours by the clock, one week before, two, …; of hours that were skipped: none."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    before = [
        Period((start - back).astimezone(UTC), (end - back).astimezone(UTC))
        for back in (number * _WEEK for number in range(1, weeks + 1))
    ]
    return [each for each in before if each.start < each.end]


def scaled(atoms: int, past: Period, window: Period) -> int:
    """What an amount (1e-12) of a past time would be in one as long as ``window``; mostly equal."""
    long, asked = _length(past), _length(window)
    return atoms if long == asked else atoms * asked // long


def hours_name(window: Period, zone: ZoneInfo) -> str:
    """For people, by the zone's clock: 'Sunday 2026-11-15, 09:00 to 12:00 (Europe/Berlin)'."""
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    day = f"{_WEEKDAYS[start.weekday()]} {start:%Y-%m-%d}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{day}, {start:%H:%M} to {until} ({zone.key})"


def _length(period: Period) -> int:
    return (period.end - period.start) // _MICROSECOND


_WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday"),
    *("Friday", "Saturday", "Sunday"),
)
