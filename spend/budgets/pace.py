"""How fast a budget is being spent, beside the even rate at which it would just last."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from spend.money import EXACT
from spend.periods import Period

SHARE_JUDGED: Final = 1
"""Per cent of the limit that has to be spent in the window, or its pace says nothing."""

_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_SHORT: Final = timedelta(hours=36)
_MOST: Final = 2_000_000_000
"""Per cent, as many as the column takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a budget in a window of its period."""

    window: Period
    spent: Decimal
    """In the window, in the budget's currency."""
    percent: int
    """Of the even rate, cut; 200 is twice as fast as it would last."""
    judged: bool
    """Whether enough was spent for it to say something."""
    gone_at: datetime | None
    """When nothing is left at this rate (UTC); None: not in this period, or nothing is now."""


def window_of(period: Period, until: datetime) -> Period | None:
    """What a pace is measured over: 24 hours, of periods of a day one.

    It ends with the last quarter hour (UTC) before ``until``. None: it would begin before its
    period.
    """
    length = _HOUR if period.end - period.start < _SHORT else _DAY
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight + (until - midnight) // _QUARTER * _QUARTER
    return Period(end - length, end) if end - length >= period.start else None


def pace(*, limit: Decimal, spent: Decimal, period: Period, window: Period, of: Decimal) -> Pace:
    """The pace of a window in which ``of`` was spent; ``spent`` is so in all of the period.

    Of a limit above 0.
    """
    length = window.end - window.start
    even = EXACT.multiply(limit, Decimal(length // _QUARTER))
    real = EXACT.multiply(of, Decimal((period.end - period.start) // _QUARTER * 100))
    percent = max(0, int(EXACT.divide_int(real, even))) if even else 0
    judged = EXACT.multiply(of, Decimal(100)) >= EXACT.multiply(limit, Decimal(SHARE_JUDGED))
    left = EXACT.subtract(limit, spent)
    gone_at = None
    if of > 0 and left > 0:
        # To the second, and not beyond the period: what is left may last for centuries.
        seconds = EXACT.multiply(left, Decimal(int(length.total_seconds())))
        if seconds < EXACT.multiply(of, Decimal((period.end - window.end) // timedelta(seconds=1))):
            lasts = int(EXACT.divide_int(seconds, of))
            gone_at = window.end + timedelta(seconds=lasts)
    return Pace(window, of, min(percent, _MOST), judged, gone_at)
