"""From OTLP metrics to readings: what data points say of tokens.

Metrics are few beside spans, so points are looked at one by one. Points of other metrics than
those that a dialect names are no calls, whatever they hold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from collector.understanding.metric_requests import read_metrics
from collector.understanding.metric_sources import Sources, Spoken, sources_of, spoken
from spend.calls import Emitter, Owner, Route
from spend.readings import MOST_TOKENS, Reading, TokenCounter
from store.intake import Heard, Part
from store.sightings import no_sightings

_DELTA: Final = 1
_CUMULATIVE: Final = 2
_NO_VALUE: Final = 1
"""The flag of a point that says nothing: its series has ended."""
_FIRST: Final = 946_684_800 * 10**9
"""2000-01-01 UTC in nanoseconds: before it there were no models to call."""
_AHEAD: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Told:
    """What has been read so far of a request."""

    latest: int
    """No point is from after this, in nanoseconds."""
    points: int = 0
    readings: list[Reading] = field(default_factory=list)
    counters: dict[int, TokenCounter] = field(default_factory=dict)
    owners: dict[int, Owner] = field(default_factory=dict)
    routes: dict[int, Route] = field(default_factory=dict)
    emitters: dict[int, Emitter] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def part(self) -> Part:
        return Part(
            heard=self.points,
            not_a_call=self.points - len(self.readings) - self.refused.total(),
            refused=self.refused,
            readings=self.readings,
        )


class _Refused(Exception):  # noqa: N818 - it names the point, not a mistake of ours
    """A point cannot be kept; the message says why."""


def understand_metrics(
    requests: Sequence[bytes], *, tenant: int, received_at: datetime, key_team: str | None = None
) -> Heard:
    """What some serialised ``ExportMetricsServiceRequest`` s hold: readings, and points of others.

    Raises ``collector.errors.Malformed`` where some bytes are no such request.
    """
    del tenant  # readings get theirs when they are put down
    latest = int((received_at + _AHEAD).timestamp()) * 10**9
    told = [_read(request, latest, key_team) for request in requests]
    return Heard(
        [each.part() for each in told],
        no_sightings(),
        np.zeros(0, dtype=np.int64),
        owners={id_: owner for each in told for id_, owner in each.owners.items()},
        routes={id_: route for each in told for id_, route in each.routes.items()},
        emitters={id_: emitter for each in told for id_, emitter in each.emitters.items()},
        counters={id_: counter for each in told for id_, counter in each.counters.items()},
    )


def _read(request: bytes, latest: int, key_team: str | None) -> _Told:
    told = _Told(latest)
    for group in read_metrics(request).resource_metrics:
        sources = sources_of(group.resource.attributes, key_team)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                if kind is None:
                    continue
                data = getattr(metric, kind)
                told.points += len(data.data_points)
                words = spoken(metric.name, scope.scope.name, scope.scope.version)
                if words is not None and kind in ("sum", "histogram", "exponential_histogram"):
                    for point in data.data_points:
                        _keep(point, data.aggregation_temporality, words, sources, told)
    return told


def _keep(point: Any, temporality: int, words: Spoken, sources: Sources, told: _Told) -> None:
    """Adds what a data point says of tokens; or why it cannot be kept."""
    if point.flags & _NO_VALUE:
        return
    source = sources.of(words, point.attributes)
    if source is None:
        return
    try:
        reading = _reading(point, temporality, words, told.latest)
    except _Refused as refusal:
        told.refused[str(refusal)] += 1
        return
    told.counters[source.counter_id] = source.counter
    told.owners[source.counter.owner_id] = source.owner
    told.routes[source.counter.route_id] = source.route
    told.emitters[source.counter.emitter_id] = source.emitter
    told.readings.append(
        Reading(counter=source.counter_id, series=source.series, count=source.count, **reading)
    )


def _reading(point: Any, temporality: int, words: Spoken, latest: int) -> dict[str, Any]:
    """When a point was read, and what it said. Raises ``_Refused``."""
    if temporality not in (_DELTA, _CUMULATIVE):
        raise _Refused("aggregation_temporality: neither delta nor cumulative")
    cumulative = temporality == _CUMULATIVE
    read_at, started_at = _moments(point, latest, cumulative=cumulative)
    return {
        "started_at": started_at,
        "read_at": read_at,
        "last_read_at": read_at,
        "cumulative": cumulative,
        "value": _value(point),
        "calls": _calls(point) if words.metric.calls else None,
    }


def _moments(point: Any, latest: int, *, cumulative: bool) -> tuple[datetime, datetime]:
    read, started = point.time_unix_nano, point.start_time_unix_nano
    if not read:
        raise _Refused("time_unix_nano: the point has none")
    if read < _FIRST:
        raise _Refused("time_unix_nano: before 2000")
    if read > latest:
        raise _Refused("time_unix_nano: in the future")
    if not started and cumulative:
        raise _Refused("start_time_unix_nano: a cumulative point has none")
    started = started or read
    if started < _FIRST:
        raise _Refused("start_time_unix_nano: before 2000")
    if started > read:
        raise _Refused("start_time_unix_nano: after the point's own time")
    return _moment(read), _moment(started)


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _value(point: Any) -> int:
    for name in _values(point):
        value = getattr(point, name)
        if not 0 <= value <= MOST_TOKENS:  # NaN is neither
            raise _Refused("value: no number of tokens")
        if value != int(value):
            raise _Refused("value: tokens are whole")
        return int(value)
    raise _Refused("value: the point has none")


def _values(point: Any) -> Iterator[str]:
    """The field that holds a point's value, if any does."""
    if hasattr(point, "as_int"):
        told = point.WhichOneof("value")
        if told:
            yield told
    elif point.HasField("sum"):
        yield "sum"
    elif not point.count:
        yield "count"


def _calls(point: Any) -> int | None:
    """How many calls a histogram's point is of; None for a sum."""
    count = getattr(point, "count", None)
    if count is None:
        return None
    if count > MOST_TOKENS:
        raise _Refused("count: no number of calls")
    return int(count)
