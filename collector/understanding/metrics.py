"""From OTLP metrics to readings: what data points say of tokens, and of energy.

Metrics are few beside spans, so points are looked at one by one. Points of other metrics than
those that a dialect names are no calls, whatever they hold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from collector.understanding.energy import counts_energy, energy_of
from collector.understanding.metric_requests import read_metrics
from collector.understanding.metric_sources import Sources, Spoken, sources_of, spoken
from collector.understanding.points import NO_VALUE, RefusedPoint, is_cumulative, moments
from spend.calls import Emitter, Owner, Route
from spend.capacity.energy import EnergyCounter, EnergyReading
from spend.readings import MOST_TOKENS, Reading, TokenCounter
from store.intake.intake import Heard, Part
from store.sightings import no_sightings

_AHEAD: Final = timedelta(days=1)


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
    energy: list[EnergyReading] = field(default_factory=list)
    energy_counters: dict[int, EnergyCounter] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def part(self) -> Part:
        kept = len(self.readings) + len(self.energy)
        return Part(
            heard=self.points,
            not_a_call=self.points - kept - self.refused.total(),
            refused=self.refused,
            readings=self.readings,
            energy=tuple(self.energy),
        )


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
        energy_counters={
            id_: counter for each in told for id_, counter in each.energy_counters.items()
        },
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
                _keep_energy(metric, kind, group.resource.attributes, scope.scope.name, told)
    return told


def _keep(point: Any, temporality: int, words: Spoken, sources: Sources, told: _Told) -> None:
    """Adds what a data point says of tokens; or why it cannot be kept."""
    if point.flags & NO_VALUE:
        return
    source = sources.of(words, point.attributes)
    if source is None:
        return
    try:
        reading = _reading(point, temporality, words, told.latest)
    except RefusedPoint as refusal:
        told.refused[str(refusal)] += 1
        return
    told.counters[source.counter_id] = source.counter
    told.owners[source.counter.owner_id] = source.owner
    told.routes[source.counter.route_id] = source.route
    told.emitters[source.counter.emitter_id] = source.emitter
    told.readings.append(
        Reading(counter=source.counter_id, series=source.series, count=source.count, **reading)
    )


def _keep_energy(metric: Any, kind: str, resource: Any, scope: str, told: _Told) -> None:
    """Adds what a metric's data points say of energy, if it is of that."""
    words = counts_energy(metric, kind)
    if words is None:
        return
    for point in getattr(metric, kind).data_points:
        try:
            found = energy_of(words, metric, point, resource, scope, told.latest)
        except RefusedPoint as refusal:
            told.refused[str(refusal)] += 1
            continue
        if found is not None:
            id_, told.energy_counters[id_], reading = found
            told.energy.append(reading)


def _reading(point: Any, temporality: int, words: Spoken, latest: int) -> dict[str, Any]:
    """When a point was read, and what it said. Raises ``RefusedPoint``."""
    cumulative = is_cumulative(temporality)
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
    read_at, started_at = moments(point, latest)
    if cumulative and not point.start_time_unix_nano:
        raise RefusedPoint("start_time_unix_nano: a cumulative point has none")
    return read_at, started_at


def _value(point: Any) -> int:
    for name in _values(point):
        value = getattr(point, name)
        if not 0 <= value <= MOST_TOKENS:  # NaN is neither
            raise RefusedPoint("value: no number of tokens")
        if value != int(value):
            raise RefusedPoint("value: tokens are whole")
        return int(value)
    raise RefusedPoint("value: the point has none")


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
        raise RefusedPoint("count: no number of calls")
    return int(count)
