"""What processes and the ledger tell of themselves, as Prometheus and OpenMetrics read it.

Beneath all doors, as each of them has some of it to tell.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate
from typing import Any, Final

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as _Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from spend.durations import Durations
from spend.metric_names import (
    BUILD_INFO,
    CERTIFICATE_BEGINS,
    CERTIFICATE_ENDS,
    OWN_SPANS_LOST,
    PROCESS,
    Metric,
)
from store.steps import LOST_FOR

Family = _Family
"""A metric with its series, as the library has it."""
Values = Mapping[Any, float]
"""Values of the labels (a tuple of texts, in the metric's order) -> the metric's value there."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is good (UTC)."""

    begins: datetime
    ends: datetime


Certificates = Callable[[], Mapping[str, Validity]]
"""Those that a process shows at present, by what is shown: the name of a door, or ``senders``."""

_OPEN: Final = "application/openmetrics-text"
_OF_PROCESS: Final = {metric.name.removesuffix("_total"): metric for metric in PROCESS}


def told(metric: Metric, values: Values | float) -> Family:
    """A counter or a gauge; of one without labels its value alone."""
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels, unit=metric.unit)
    for labels, value in (values if isinstance(values, Mapping) else {(): values}).items():
        family.add_metric(labels, value)
    return family


def timed(metric: Metric, values: Mapping[tuple[str, ...], Durations]) -> Family:
    """A histogram."""
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels, unit=metric.unit)
    for labels, durations in values.items():
        bounds = [*map(str, durations.bounds), "+Inf"]
        counts = accumulate(durations.counts)
        family.add_metric(labels, list(zip(bounds, counts, strict=True)), durations.seconds)
    return family


def build() -> Family:
    """Which version runs."""
    return told(BUILD_INFO, {(version("spanledger"),): 1})


def no_certificates() -> Mapping[str, Validity]:
    """Of a process that speaks no TLS."""
    return {}


def of_certificates(shown: Mapping[str, Validity]) -> Iterator[Family]:
    """CERTIFICATES."""
    begins = {(of,): each.begins.timestamp() for of, each in shown.items()}
    yield told(CERTIFICATE_BEGINS, begins)
    yield told(CERTIFICATE_ENDS, {(of,): each.ends.timestamp() for of, each in shown.items()})


def of_lost(lost: Mapping[str, int]) -> Family:
    """OWN_SPANS_LOST."""
    return told(OWN_SPANS_LOST, {(why,): lost.get(why, 0) for why in LOST_FOR})


def of_process(pid: int | str = "self") -> dict[Metric, float]:
    """What Linux says of a process; nothing where it is gone, or on other systems."""
    collector = ProcessCollector(pid=lambda: pid, registry=None)
    return {
        _OF_PROCESS[family.name]: float(family.samples[0].value) for family in collector.collect()
    }


def processes(
    metrics: Sequence[Metric], each: Mapping[tuple[str, ...], Mapping[Metric, float]]
) -> Iterator[Family]:
    """PROCESS of one or several processes, told as ``metrics``, which may label them."""
    for metric, plain in zip(metrics, PROCESS, strict=True):
        values = {labels: its[plain] for labels, its in each.items() if plain in its}
        if values:
            yield told(metric, values)


def as_text(families: Iterable[Family], accept: str | None) -> tuple[str, bytes]:
    """The media type and the text: OpenMetrics 1.0 where the header ``accept`` names that."""
    # prometheus_client's own choice fails on versions that are no numbers.
    named = {each.partition(";")[0].strip().lower() for each in (accept or "").split(",")}
    if _OPEN in named:
        text: bytes = openmetrics.generate_latest(_Told(families))  # type: ignore[no-untyped-call]  # theirs
        return openmetrics.CONTENT_TYPE_LATEST, text
    return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(_Told(families))


class _Told(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        """As it is given."""
        return self._families
