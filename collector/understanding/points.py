"""What every data point of a metric has: its times, or a reason why it cannot be kept."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

DELTA: Final = 1
CUMULATIVE: Final = 2
NO_VALUE: Final = 1
"""The flag of a point that says nothing: its series has ended."""
_FIRST: Final = 946_684_800 * 10**9
"""2000-01-01 UTC in nanoseconds: before it there were no models to call."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class RefusedPoint(Exception):  # noqa: N818 - it names the point, not a mistake of ours
    """A point cannot be kept; the message says why."""


def is_cumulative(temporality: int) -> bool:
    """Whether a sum is, or else a delta. Raises ``RefusedPoint``."""
    if temporality not in (DELTA, CUMULATIVE):
        raise RefusedPoint("aggregation_temporality: neither delta nor cumulative")
    return temporality == CUMULATIVE


def moments(point: Any, latest: int) -> tuple[datetime, datetime]:
    """When a point was read, and since when it counts (UTC); the same, where it does not say.

    ``latest`` is in nanoseconds. Raises ``RefusedPoint``.
    """
    read, started = point.time_unix_nano, point.start_time_unix_nano
    if not read:
        raise RefusedPoint("time_unix_nano: the point has none")
    if read < _FIRST:
        raise RefusedPoint("time_unix_nano: before 2000")
    if read > latest:
        raise RefusedPoint("time_unix_nano: in the future")
    started = started or read
    if started < _FIRST:
        raise RefusedPoint("start_time_unix_nano: before 2000")
    if started > read:
        raise RefusedPoint("start_time_unix_nano: after the point's own time")
    return _moment(read), _moment(started)


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
