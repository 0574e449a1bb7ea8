"""Times of sightings: start, duration and time to first token, and starts that cannot be."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from collector.dialects import DIALECTS
from collector.understanding.attributes import dialects_that
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.counts import Flags
from collector.understanding.otlp import Events, Ints, Spans

_NANOS: Final = 1000
_FIRST: Final = 946_684_800 * 10**9
"""2000-01-01 UTC in nanoseconds: before it there were no models to call."""
_SKEW: Final = timedelta(minutes=10)
_AHEAD: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=31)
"""A duration or a wait above this is a clock that jumped: unknown."""
_NONE: Final = np.iinfo(np.int64).max

FIRST_TOKEN_EVENTS: Final = frozenset(
    name.encode() for dialect in DIALECTS for name in dialect.first_token_events
)
_ONLY_STREAMING: Final = dialects_that(lambda dialect: dialect.ttft_only_streaming)
SERVING: Final = dialects_that(lambda dialect: dialect.serves)
"""Dialects of gateways and model servers."""
_LATE: Final = dialects_that(lambda dialect: dialect.first_token_events_late)


@dataclass(frozen=True, slots=True)
class Starts:
    """Whether each span's start can be believed."""

    fault: Ints
    """Index of ``START_FAULTS``, 0 for none."""
    clock_ahead: Flags
    """Later than the span arrived, by more than clocks usually differ; kept under its own day."""


START_FAULTS: Final = (
    "",
    "start: the span has none",
    "start: before 2000",
    "start: in the future",
)


def _nanos(moment: datetime) -> np.uint64:
    return np.uint64(int(moment.timestamp() * 1_000_000) * _NANOS)


def check_starts(start: npt.NDArray[np.uint64], received_at: datetime) -> Starts:
    """Which starts (nanoseconds since 1970, UTC) cannot be.

    A start stays what the span says: it is part of the sighting's key, and a retry must not
    change it.
    """
    fault = np.zeros(len(start), dtype=np.int64)
    fault[start > _nanos(received_at + _AHEAD)] = 3
    fault[start < np.uint64(_FIRST)] = 2
    fault[start == 0] = 1
    return Starts(fault, (fault == 0) & (start > _nanos(received_at + _SKEW)))


def since_begun(records: Spans, rows: Ints, columns: Columns) -> Spans:
    """Log records of calls, from when the call began to when the record was written.

    ``rows`` are the places of the columns' records, each with ``start`` as the time it was
    written; one that tells no duration keeps that, and has no end.
    """
    seconds, millis = columns.number("duration_s"), columns.number("duration_ms")
    lasted = np.where(np.isfinite(seconds), seconds * 1e9, millis * 1e6)
    told = np.isfinite(lasted) & (lasted >= 0) & (lasted <= _LONGEST / timedelta(seconds=1) * 1e9)
    start, end = records.start.copy(), records.end.copy()
    at = rows[told]
    end[at] = start[at]
    start[at] -= np.minimum(lasted[told].astype(np.uint64), start[at])
    return replace(records, start=start, end=end)


def durations(start: npt.NDArray[np.uint64], end: npt.NDArray[np.uint64]) -> Ints:
    """Microseconds, -1 where unknown: no end, an end before the start, or a clock that jumped."""
    limit = np.uint64(_LONGEST // timedelta(microseconds=1) * _NANOS)
    sane = (end >= start) & (end - np.minimum(start, end) <= limit)
    return np.where(sane, (end - np.minimum(start, end)) // np.uint64(_NANOS), 0).astype(
        np.int64
    ) - np.where(sane, 0, 1)


def first_tokens(spans: Spans, rows: Ints, columns: Columns, dialect: Ints) -> tuple[Ints, Flags]:
    """Microseconds from start to first token, -1 where unknown; and which calls streamed.

    ``rows`` are the places of the columns' spans in ``spans``. A call that says it did not
    stream has no first token: emitters put its latency there.
    """
    streams = columns.flag("streaming")
    waited = _told_waits(spans, rows, columns, streams, dialect)
    streamed = streams == 1
    told_by_event = _from_events(spans.events, spans.start)
    if told_by_event is not None:
        since_event = told_by_event[rows]
        streamed |= since_event >= 0
        known = (waited < 0) & ~_LATE[dialect]
        waited = np.where(known, since_event, waited)
    # A model server knows its first token of any call; who waits for one, streams.
    streamed |= (waited >= 0) & (streams == ABSENT) & ~SERVING[dialect]
    return waited, streamed


def _told_waits(spans: Spans, rows: Ints, columns: Columns, streams: Ints, dialect: Ints) -> Ints:
    """Microseconds from start to first token as attributes tell them, -1 where they do not."""
    if not any(columns.tells(column) for column in ("ttft_s", "ttft_ms", "first_token_at")):
        return np.full(len(rows), -1, dtype=np.int64)
    seconds, millis = columns.number("ttft_s"), columns.number("ttft_ms")
    told = np.where(np.isfinite(seconds), seconds * 1e6, millis * 1e3)
    at = columns.moment("first_token_at")
    since = (at - spans.start[rows].astype(np.int64)) / _NANOS
    told = np.where(np.isnan(told) & (at > 0), since, told)
    told[streams == 0] = np.nan
    told[_ONLY_STREAMING[dialect] & (streams != 1)] = np.nan
    sane = np.isfinite(told) & (told >= 0) & (told <= _LONGEST / timedelta(microseconds=1))
    return np.where(sane, np.nan_to_num(told, posinf=0, neginf=0), -1).astype(np.int64)


def _from_events(events: Events, start: npt.NDArray[np.uint64]) -> Ints | None:
    """For each span microseconds to the first event of a first token, -1 for none."""
    if not len(events.span):
        return None
    encoded = events.name.dictionary_encode()
    tells = [name in FIRST_TOKEN_EVENTS for name in encoded.dictionary.to_pylist()]
    at = np.flatnonzero(np.array(tells)[encoded.indices.to_numpy()])
    if not len(at):
        return None
    first = np.full(len(start), _NONE, dtype=np.int64)
    begun = start[events.span[at]]
    time = events.time[at]
    waits = np.where(time >= begun, (time - np.minimum(begun, time)) // np.uint64(_NANOS), _NONE)
    np.minimum.at(first, events.span[at], waits.astype(np.int64))
    longest = _LONGEST // timedelta(microseconds=1)
    return np.where(first <= longest, first, -1)
