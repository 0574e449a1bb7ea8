"""Whether this process lives, whether it can take more, and what it has counted.

``/livez`` and ``/readyz`` answer anybody who reaches the port, as load balancers have no keys;
they tell states and sizes, never of whom or what. ``/metrics`` is for this machine, or for whoever
has a key for sending.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Final

import orjson

from collector.batches import Writer
from collector.limits import InFlight
from collector.metric_list import (
    COMMIT,
    DENIED,
    DRAINED,
    DURATION,
    HEARD,
    IN_FLIGHT,
    MOST_IN_FLIGHT,
    OF_WORKERS,
    QUARANTINED,
    REFUSED,
    REQUESTS,
    SPANS,
    SPOOL_BYTES,
    SPOOL_LIMIT,
    SPOOL_OLDEST,
    SPOOL_RECORDS,
    SPOOL_REFUSES,
    SPOOL_SPANS,
    WORKERS,
)
from collector.refused_for import REASONS
from collector.spool.counts import of_all, workers
from collector.spool.spool import Spool
from collector.tally import Tally
from spend.durations import Durations
from spend.metric_names import DATABASE_UP
from store.access.refused_keys import Why
from store.metrics.metric_text import (
    Certificates,
    Family,
    as_text,
    build,
    no_certificates,
    of_certificates,
    of_lost,
    of_process,
    processes,
    timed,
    told,
)

LIVE: Final = "/livez"
READY: Final = "/readyz"
METRICS: Final = "/metrics"
PATHS: Final = frozenset({LIVE, READY, METRICS})
FATES: Final = ("stored", "duplicate", "not_a_call", "refused", "spooled")
DOORS: Final = ("http", "grpc")
ANSWERS: Final = ("stored", "malformed", "too_large", "denied", "busy", "failed")
LATER: Final = ("stored", "duplicate", "refused", "quarantined")


@dataclass(frozen=True, slots=True)
class Health:
    """What can be asked of a collector's process."""

    tally: Tally
    in_flight: InFlight
    writer: Writer
    spool: Spool | None
    clock: Callable[[], datetime]
    certificates: Certificates = no_certificates

    def ready(self) -> tuple[bool, bytes]:
        """Whether requests are taken, and how things stand, as JSON."""
        stands: dict[str, object] = {"database": "away" if self.writer.away else "there"}
        takes = False
        if self.spool:
            state = self.spool.state()
            takes = state.refuses is None
            stands["spool"] = {
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
            stands["spool"] = "off"
        ready = takes or not self.writer.away
        return ready, orjson.dumps({"ready": ready, **stands})

    def metrics(self, accept: str | None) -> tuple[str, bytes]:
        """What was counted, as Prometheus reads it: its media type and text."""
        return as_text(self._told(), accept)

    def _told(self) -> Iterator[Family]:
        """``METRICS``; no label has a value that somebody sent."""
        spool = self.spool
        counts = of_all(spool, self.tally) if spool else self.tally.counts()
        yield build()
        yield told(DATABASE_UP, not self.writer.away)
        yield from of_certificates(self.certificates())
        yield told(HEARD, counts.heard)
        yield told(SPANS, {(name,): counts.spans[name] for name in FATES})
        yield told(REFUSED, {(name,): counts.refused[name] for name in REASONS})
        yield told(DRAINED, {(name,): counts.drained[name] for name in LATER})
        # From the start on, at 0: of what is not there nobody sees that it has grown.
        yield told(REQUESTS, dict.fromkeys(product(DOORS, ANSWERS), 0) | counts.answers)
        yield told(DENIED, {(why.value,): counts.denied[why] for why in Why})
        yield timed(DURATION, {(door,): counts.took.get(door, Durations()) for door in DOORS})
        yield timed(COMMIT, {(): counts.commits})
        yield of_lost(counts.own_lost)
        yield told(IN_FLIGHT, self.in_flight.held)
        yield told(MOST_IN_FLIGHT, self.in_flight.limit)
        living = (workers(spool) if spool else {}) or {"this": of_process()}
        yield told(WORKERS, len(living))
        yield from processes(OF_WORKERS, {(each,): its for each, its in living.items()})
        if spool:
            yield from self._of_spool(spool, counts.waiting)

    def _of_spool(self, spool: Spool, waiting: Mapping[str, int]) -> Iterator[Family]:
        state = spool.state()
        age = (self.clock() - state.oldest_at).total_seconds() if state.oldest_at else 0
        yield told(SPOOL_BYTES, state.size)
        yield told(SPOOL_LIMIT, spool.bounds.size)
        yield told(SPOOL_RECORDS, waiting["records"])
        yield told(SPOOL_SPANS, waiting["spans"])
        yield told(SPOOL_OLDEST, age)
        yield told(SPOOL_REFUSES, state.refuses is not None)
        yield told(QUARANTINED, state.quarantined)
