"""Moments as emitters write them, in nanoseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = 946_684_800 * 10**9
"""2000-01-01."""
_END: Final = 7_258_118_400 * 10**9
"""2200-01-01: nanoseconds still fit into 64 bits."""
_UNITS: Final = (1, 10**3, 10**6, 10**9)
"""Nanoseconds in a nanosecond, a microsecond, a millisecond and a second."""


def nanoseconds(moment: str) -> int:
    """Since 1970 (UTC), of ISO 8601 or of a number of any unit; 0 where it is no such moment.

    >>> nanoseconds('"2026-11-22T12:00:00.5Z"') == nanoseconds("1795348800500")
    True
    """
    told = moment.strip('" ')
    try:
        number = float(told)
    except ValueError:
        return _from_iso(told)
    return next((int(number * unit) for unit in _UNITS if _FIRST <= number * unit < _END), 0)


def _from_iso(told: str) -> int:
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        return 0
    since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    nanos = since // timedelta(microseconds=1) * 1000
    return nanos if _FIRST <= nanos < _END else 0
