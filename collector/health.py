"""Whether this process lives, whether it can take more, and what it has counted.

``/livez`` and ``/readyz`` answer anybody who reaches the port, as load balancers have no keys;
they tell states and sizes, never of whom or what. ``/metrics`` is for this machine, or for whoever
has a key for sending.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.batches import Writer
from collector.limits import InFlight
from collector.spool.counts import of_all
from collector.spool.spool import Spool
from collector.tally import Tally

LIVE: Final = "/livez"
READY: Final = "/readyz"
METRICS: Final = "/metrics"
PATHS: Final = frozenset({LIVE, READY, METRICS})
FATES: Final = ("stored", "duplicate", "not_a_call", "refused", "spooled")
LATER: Final = ("stored", "duplicate", "refused", "quarantined")
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Health:
    """What can be asked of a collector's process."""

    tally: Tally
    in_flight: InFlight
    writer: Writer
    spool: Spool | None
    clock: Callable[[], datetime]

    def ready(self) -> tuple[bool, bytes]:
        """Whether requests are taken, and how things stand, as JSON."""
        told: dict[str, object] = {"database": "away" if self.writer.away else "there"}
        takes = False
        if self.spool:
            state = self.spool.state()
            takes = state.refuses is None
            told["spool"] = {
                "takes": takes,
                "refuses": state.refuses,
                "bytes": state.size,
                "most_bytes": self.spool.bounds.size,
                "nearly_full": state.nearly_full,
                "records": state.records,
                "oldest_at": state.oldest_at,
                "quarantined": state.quarantined,
            }
        else:
            told["spool"] = "off"
        ready = takes or not self.writer.away
        return ready, orjson.dumps({"ready": ready, **told})

    def metrics(self) -> bytes:
        """What was counted, as Prometheus reads it."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Metrics(self))
        return generate_latest(registry)


class _Metrics(Collector):
    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """What is told; no label has a value that somebody sent."""
        health = self._health
        counts = of_all(health.spool, health.tally) if health.spool else health.tally.counts()
        heard = "Spans, log records and points that were answered"
        yield CounterMetricFamily("spanledger_spans_heard", heard, value=counts.heard)
        fate = "What became of them by the time of the answer"
        yield _by("spans", fate, {name: counts.spans[name] for name in FATES})
        later = "What became of those that were spooled"
        yield _by("drained_spans", later, {name: counts.drained[name] for name in LATER})
        requests = CounterMetricFamily("spanledger_requests", "Requests", labels=("door", "answer"))
        for (door, answer), count in counts.answers.items():
            requests.add_metric((door, answer), count)
        yield requests
        yield _gauge("in_flight_bytes", "Requests not answered yet", health.in_flight.held)
        yield _gauge("database_away", "1 while Postgres cannot be reached", health.writer.away)
        if health.spool:
            yield from self._spool(health.spool, counts.waiting)

    def _spool(self, spool: Spool, waiting: Mapping[str, int]) -> Iterator[Metric]:
        state = spool.state()
        age = (self._health.clock() - state.oldest_at).total_seconds() if state.oldest_at else 0
        yield _gauge("spool_bytes", "On the disk, in all", state.size)
        yield _gauge("spool_most_bytes", "Its bound", spool.bounds.size)
        yield _gauge("spool_records", "Waiting to be stored", waiting["records"])
        yield _gauge("spool_spans", "In these records", waiting["spans"])
        yield _gauge("spool_oldest_seconds", "Since the oldest of this worker came", age)
        yield _gauge("spool_refuses", "1 while it takes nothing more", state.refuses is not None)
        yield _gauge("spool_quarantined", "Pieces kept aside", state.quarantined)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"spanledger_{name}", what, value=value)


def _by(name: str, what: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"spanledger_{name}", what, labels=["fate"])
    for fate, count in counts.items():
        family.add_metric([fate], count)
    return family
