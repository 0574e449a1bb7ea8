"""From data points to readings of energy: which machine or device, and how many millijoules."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collector.dialects.hardware import (
    DEVICES,
    ENERGY,
    ESTIMATED,
    HOSTS,
    KNOWN_BY,
    MODELS,
    UNITS,
    UUIDS,
    EnergyMetric,
)
from collector.understanding.metric_sources import plain_texts
from collector.understanding.points import NO_VALUE, RefusedPoint, is_cumulative, moments
from collector.understanding.scrub import scrub
from spend.capacity.energy import MOST_MILLIJOULES, EnergyCounter, EnergyReading
from spend.ids import id_of

_METRICS: Final = {metric.name: metric for metric in ENERGY}
_NAMES: Final = frozenset({*HOSTS, *UUIDS, *DEVICES, *MODELS})
_MOST_ATTRIBUTES: Final = 40

Told = tuple[int, EnergyCounter, EnergyReading]
"""The id of a counter, the counter, and what it said."""


def counts_energy(metric: Any, kind: str) -> EnergyMetric | None:
    """The metric by that name, if it is one that counts energy."""
    known = _METRICS.get(metric.name)
    fits = known is not None and (kind == "sum" or (kind == "gauge" and known.gauge))
    return known if fits else None


def energy_of(
    words: EnergyMetric,
    metric: Any,
    point: Any,
    resource: Iterable[KeyValue],
    scope: str,
    latest: int,
) -> Told | None:
    """What a data point of a metric says; None where it says nothing.

    Raises ``RefusedPoint`` for one that cannot be kept.
    """
    if point.flags & NO_VALUE:
        return None
    of_resource, of_point = plain_texts(resource), plain_texts(point.attributes)
    said = of_resource | of_point
    if _is_other(words, said):
        return None
    # A gauge by the name of a counter that only goes up.
    cumulative = metric.WhichOneof("data") == "gauge" or is_cumulative(
        metric.sum.aggregation_temporality
    )
    read_at, started_at = moments(point, latest)
    millijoules = _millijoules(point, _unit(words, metric.unit))
    if cumulative and not millijoules:
        return None  # where a device cannot tell, some say 0
    id_, counter = _counter(words, cumulative=cumulative, said=said, scope=scope)
    since = read_at if cumulative else started_at
    return id_, counter, EnergyReading(id_, since, read_at, millijoules)


def _is_other(words: EnergyMetric, said: Mapping[str, str]) -> bool:
    """Whether it is of something else, or was measured by nobody."""
    fits = all(said.get(key, "").lower() == value for key, value in words.where.items())
    return not fits or any(said.get(key, "").lower() == text for key, text in ESTIMATED.items())


def _unit(words: EnergyMetric, unit: str) -> int:
    if not unit or unit in UNITS:
        return UNITS.get(unit, words.millijoules)
    raise RefusedPoint("unit: none of energy")


def _millijoules(point: Any, unit: int) -> int:
    name = point.WhichOneof("value")
    if name is None:
        raise RefusedPoint("value: the point has none")
    value: float = getattr(point, name)
    if not 0 <= value <= MOST_MILLIJOULES / unit:  # NaN is neither
        raise RefusedPoint("value: no amount of energy")
    return round(value * unit)


def _counter(
    words: EnergyMetric, *, cumulative: bool, said: Mapping[str, str], scope: str
) -> tuple[int, EnergyCounter]:
    host = _first(HOSTS, said)
    uuid = _first(UUIDS, said)
    within = _first(DEVICES, said)
    # Two machines that nobody names are told apart by all that is told of them.
    place = host or repr(sorted(said.items()))
    if words.whole_host:
        device = id_of("host", place)
    elif uuid:
        device = id_of("device", uuid)
    else:
        device = id_of("device", place, within)
    # Deltas of two tellers are two counts of the same, of which one counts; what cumulative ones
    # say is the device's own.
    teller = () if cumulative else (scope, said.get("service.instance.id"))
    counter = EnergyCounter(
        name=words.name,
        device=device,
        host=id_of("host", host) if host else 0,
        whole_host=words.whole_host,
        rank=words.rank,
        cumulative=cumulative,
        attributes=_attributes(said, host, uuid or within),
    )
    return id_of("energy", words.name, str(cumulative), str(device), *teller), counter


def _attributes(said: Mapping[str, str], host: str | None, device: str | None) -> dict[str, str]:
    """What people find it by; ``host.name`` and ``hw.id`` are there whatever they are called."""
    known = {
        scrub(key): value
        for key, value in sorted(said.items())
        if key in _NAMES or key.startswith(KNOWN_BY)
    }
    bounded = dict(list(known.items())[:_MOST_ATTRIBUTES])
    named = {"host.name": host, "hw.id": device}
    return bounded | {key: value for key, value in named.items() if value}


def _first(keys: Iterable[str], said: Mapping[str, str]) -> str | None:
    return next((said[key] for key in keys if said.get(key)), None)
