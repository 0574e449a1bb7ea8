"""Hours in which a channel is left alone, by the wall clock of a zone.

A quiet time begins on its weekdays whenever the clock first shows ``begins`` or is past it, and
ends when it next first shows ``ends``: of a clock that skips either of them, at the skip.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from spend.checked_fields import TermsRefused
from spend.fiscal import WEEKDAYS
from spend.periods import Period, local_day
from spend.zones import zone_named

MOST_TIMES: Final = 7
MINUTES_OF_A_DAY: Final = 24 * 60

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_MINUTE_OF_A_DAY: Final = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class QuietTime:
    """From a minute of some weekdays to the next time the clock shows another one."""

    begins: time
    ends: time
    """Of the next day where it is not after ``begins``; the same: a whole day."""
    weekdays: tuple[str, ...] = WEEKDAYS
    """Those that it begins on."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When a channel is left alone."""

    times: tuple[QuietTime, ...]
    zone: ZoneInfo
    over_waits: bool = False
    """Whether what is over waits, too."""

    def until(self, moment: datetime) -> datetime | None:
        """When the quiet time that holds a moment ends (UTC), with those that follow at once.

        None: it is not quiet.
        """
        end = moment
        while True:
            holding = [each.end for each in self._around(end) if each.start <= end < each.end]
            if not holding:
                return None if end == moment else end
            end = max(holding)

    def _around(self, moment: datetime) -> Iterator[Period]:
        today = local_day(moment, self.zone)
        # Tomorrow's may have begun already, where the clock goes back across midnight.
        for day in (today + days * _DAY for days in (-2, -1, 0, 1)):
            for each in self.times:
                if WEEKDAYS[day.weekday()] in each.weekdays:
                    last = day if each.begins < each.ends else day + _DAY
                    yield Period(
                        _first(day, each.begins, self.zone), _first(last, each.ends, self.zone)
                    )


def quiet_hours(
    times: Sequence[Mapping[str, Any]], zone: str, *, over_waits: bool = False
) -> QuietHours:
    """Quiet hours that make sense; TermsRefused otherwise.

    A time says ``from`` and ``to`` as HH:MM, and may say its ``weekdays``.
    """
    if not 0 < len(times) <= MOST_TIMES:
        raise TermsRefused("quiet.times", f"1 to {MOST_TIMES} times")
    try:
        found = zone_named(zone)
    except ValueError as unknown:
        raise TermsRefused("quiet.zone", str(unknown)) from None
    read = tuple(_time(each, f"quiet.times.{place}") for place, each in enumerate(times))
    if len(set().union(*map(_minutes, read))) == len(WEEKDAYS) * MINUTES_OF_A_DAY:
        raise TermsRefused("quiet.times", "nothing would ever be sent: remove the channel")
    return QuietHours(read, found, over_waits)


def as_said(quiet: QuietHours) -> dict[str, Any]:
    """Quiet hours as ``quiet_hours`` reads them."""
    return {
        "times": [
            {
                "from": f"{each.begins:%H:%M}",
                "to": f"{each.ends:%H:%M}",
                "weekdays": list(each.weekdays),
            }
            for each in quiet.times
        ],
        "zone": quiet.zone.key,
        "over_waits": quiet.over_waits,
    }


def _time(said: Mapping[str, Any], field: str) -> QuietTime:
    unknown = said.keys() - {"from", "to", "weekdays"}
    if unknown:
        raise TermsRefused(f"{field}.{min(unknown)}"[:100], "there is no such field")
    weekdays = said.get("weekdays")
    if weekdays is None:
        weekdays = WEEKDAYS
    if isinstance(weekdays, str) or not weekdays or set(weekdays) - set(WEEKDAYS):
        raise TermsRefused(f"{field}.weekdays", f"a list of {', '.join(WEEKDAYS)}")
    kept = tuple(day for day in WEEKDAYS if day in weekdays)
    return QuietTime(
        _minute(said.get("from"), f"{field}.from"), _minute(said.get("to"), f"{field}.to"), kept
    )


def _minute(said: object, field: str) -> time:
    found = _MINUTE_OF_A_DAY.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise TermsRefused(field, "a minute of the day, such as 22:00")
    return time(int(found[1]), int(found[2]))


def _minutes(quiet: QuietTime) -> set[int]:
    """Those of the week that it holds, where no clock is changed."""
    begins, ends = (each.hour * 60 + each.minute for each in (quiet.begins, quiet.ends))
    length = (ends - begins - 1) % MINUTES_OF_A_DAY + 1
    week = len(WEEKDAYS) * MINUTES_OF_A_DAY
    return {
        (WEEKDAYS.index(day) * MINUTES_OF_A_DAY + begins + minute) % week
        for day in quiet.weekdays
        for minute in range(length)
    }


def _first(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which a local clock shows a time of a day, or is past it."""
    wanted = datetime.combine(day, at)
    shown = wanted.replace(tzinfo=zone)
    found = shown.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wanted:
        return found
    # The clock skips it. Read by the offset of after the skip it lies before it, and the other
    # way round; the skip is where the offset changes.
    before, after = shown.replace(fold=1).astimezone(UTC), found
    while after - before > _MINUTE:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)
