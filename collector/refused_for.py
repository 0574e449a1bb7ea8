"""Why items are refused, in a few words: what a sender is told has many, and a metric must not."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from collector.signals import Signal

OTHER: Final = "other"
_TOO_OLD: Final = "too_old"
_BY_PLACE: Final = {
    "trace_id": "id",
    "span_id": "id",
    "start": "time",
    "time_unix_nano": "time",
    "start_time_unix_nano": "time",
    "value": "value",
    "count": "value",
    "unit": "value",
    "aggregation_temporality": "value",
    "cannot be stored (SQLSTATE": "unstorable",
    # Bytes that no decoder takes, and items of JSON that are of another shape.
    **{signal.items: "unreadable" for signal in Signal},
    **dict.fromkeys(("spans", "logRecords", "dataPoints", "metrics"), "unreadable"),
}
REASONS: Final = (*dict.fromkeys(_BY_PLACE.values()), _TOO_OLD, OTHER)


def in_short(refused: Mapping[str, int]) -> Counter[str]:
    """The same counts by REASONS. A reason begins with the place that it is of."""
    counts: Counter[str] = Counter()
    for reason, count in refused.items():
        counts[_in_short(reason)] += count
    return counts


def _in_short(reason: str) -> str:
    place, _, why = reason.partition(": ")
    if why.startswith(_TOO_OLD):
        return _TOO_OLD
    return _BY_PLACE.get(place) or _BY_PLACE.get(reason.rpartition(" ")[0], OTHER)
