"""What a collector tells at GET /metrics of OTLP/HTTP's port."""

from dataclasses import replace
from typing import Final

from spend.metric_names import (
    BUILD_INFO,
    CERTIFICATES,
    DATABASE_UP,
    OWN_SPANS_LOST,
    PROCESS,
    Metric,
)

HEARD: Final = Metric(
    "spanledger_spans_heard_total",
    "counter",
    "Spans, log records and data points that were answered.",
)
SPANS: Final = Metric(
    "spanledger_spans_total",
    "counter",
    "The same by what had become of them when they were answered.",
    ("fate",),
)
REFUSED: Final = Metric(
    "spanledger_refused_spans_total",
    "counter",
    "Those of them that were refused, by why.",
    ("reason",),
)
DRAINED: Final = Metric(
    "spanledger_drained_spans_total",
    "counter",
    "Those that were spooled, by what became of them since.",
    ("fate",),
)
REQUESTS: Final = Metric(
    "spanledger_requests_total",
    "counter",
    "Requests of OTLP, by door and answer.",
    ("door", "answer"),
)
DENIED: Final = Metric(
    "spanledger_denied_requests_total",
    "counter",
    "Those of them that were denied, by what is wrong with the key.",
    ("why",),
)
DURATION: Final = Metric(
    "spanledger_request_duration_seconds",
    "histogram",
    "Time from a request's headers to its answer, of all answers.",
    ("door",),
)
COMMIT: Final = Metric(
    "spanledger_commit_duration_seconds",
    "histogram",
    "Time of a transaction that put down what was heard, committed or not.",
)
WORKERS: Final = Metric(
    "spanledger_collector_workers", "gauge", "Workers that live and whose counts are in these sums."
)
IN_FLIGHT: Final = Metric(
    "spanledger_in_flight_bytes",
    "gauge",
    "Held by this worker for requests that are not answered yet.",
)
MOST_IN_FLIGHT: Final = Metric(
    "spanledger_in_flight_limit_bytes",
    "gauge",
    "Where this worker tells senders to come again.",
)
SPOOL_BYTES: Final = Metric(
    "spanledger_spool_bytes", "gauge", "On this machine's disk, of all workers."
)
SPOOL_LIMIT: Final = Metric(
    "spanledger_spool_limit_bytes", "gauge", "Where nothing more is spooled."
)
SPOOL_RECORDS: Final = Metric(
    "spanledger_spool_records", "gauge", "Spooled records that wait to be stored."
)
SPOOL_SPANS: Final = Metric("spanledger_spool_spans", "gauge", "Spans in these records.")
SPOOL_OLDEST: Final = Metric(
    "spanledger_spool_oldest_seconds",
    "gauge",
    "How long the oldest record of this worker has waited; 0 where none waits.",
)
SPOOL_REFUSES: Final = Metric(
    "spanledger_spool_refuses", "gauge", "1 while the spool takes nothing more, else 0."
)
QUARANTINED: Final = Metric(
    "spanledger_spool_quarantined",
    "gauge",
    "Pieces of the spool that could not be stored, kept aside for somebody to look at.",
)

OF_SPOOL: Final = (
    SPOOL_BYTES,
    SPOOL_LIMIT,
    SPOOL_RECORDS,
    SPOOL_SPANS,
    SPOOL_OLDEST,
    SPOOL_REFUSES,
    QUARANTINED,
)
"""Not told where the spool is off."""

OF_WORKERS: Final = tuple(replace(each, labels=("worker",)) for each in PROCESS)
"""Of each worker of this machine, whichever is asked."""

METRICS: Final = (
    BUILD_INFO,
    DATABASE_UP,
    *CERTIFICATES,
    OWN_SPANS_LOST,
    HEARD,
    SPANS,
    REFUSED,
    DRAINED,
    REQUESTS,
    DENIED,
    DURATION,
    COMMIT,
    WORKERS,
    IN_FLIGHT,
    MOST_IN_FLIGHT,
    *OF_SPOOL,
    *OF_WORKERS,
)
