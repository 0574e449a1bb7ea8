"""What Prometheus is told, as data: the name of each metric, its kind, its words and its labels.

Each package that opens a door lists its own in ``metric_list.py``; what any of them tells is here.
Names follow Prometheus' conventions: base units at the end (``_seconds``, ``_bytes``), ``_total``
of what only grows, ``_timestamp_seconds`` of moments (UTC, since 1970).
Source: prometheus.io, "Metric and label naming", and the OpenMetrics specification 1.0.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: a name, and a series for each set of values of its labels."""

    name: str
    """As it is asked for; of a histogram without ``_bucket``, ``_sum`` and ``_count``."""
    kind: Kind
    """counter: only grows, from the start of the process on; gauge: goes up and down."""
    help: str
    """What it says, in a sentence."""
    labels: tuple[str, ...] = ()
    """Their names; never ``job`` or ``instance``, which Prometheus itself gives to all it reads.
    What a sender chose is a value only where it is told of spend."""

    @property
    def unit(self) -> str:
        """What it is measured in, by its name: seconds, bytes, ratio; '': it is a number."""
        last = self.name.removesuffix("_total").rpartition("_")[2]
        return last if last in UNITS else ""


UNITS: Final = frozenset({"seconds", "bytes", "ratio"})

BUILD_INFO: Final = Metric(
    "spanledger_build_info", "gauge", "Always 1: the label says what runs.", ("version",)
)
DATABASE_UP: Final = Metric(
    "spanledger_database_up", "gauge", "1 while this process reaches Postgres, else 0."
)
CERTIFICATE_BEGINS: Final = Metric(
    "spanledger_certificate_begins_timestamp_seconds",
    "gauge",
    "From when on the certificate is good that a door shows (UTC).",
    ("shown",),
)
CERTIFICATE_ENDS: Final = Metric(
    "spanledger_certificate_expires_timestamp_seconds",
    "gauge",
    "Until when it is good (UTC). Nothing is told where we speak no TLS.",
    ("shown",),
)
CERTIFICATES: Final = (CERTIFICATE_BEGINS, CERTIFICATE_ENDS)
"""Of what a process shows: by the door, and of senders by the authority that signs theirs."""
OWN_SPANS_LOST: Final = Metric(
    "spanledger_own_spans_lost_total",
    "counter",
    "Spans of our own traces that nobody got: no room to wait (queue), or not taken (receiver).",
    ("why",),
)
CPU: Final = Metric(
    "process_cpu_seconds_total", "counter", "Time of the processor that the process has used."
)
RESIDENT: Final = Metric("process_resident_memory_bytes", "gauge", "Memory that the process holds.")
VIRTUAL: Final = Metric(
    "process_virtual_memory_bytes", "gauge", "Addresses that the process has claimed."
)
STARTED: Final = Metric("process_start_time_seconds", "gauge", "When the process began (UTC).")
OPEN_FILES: Final = Metric("process_open_fds", "gauge", "Files and sockets that are open.")
MOST_FILES: Final = Metric("process_max_fds", "gauge", "How many may be open.")

PROCESS: Final = (CPU, RESIDENT, VIRTUAL, STARTED, OPEN_FILES, MOST_FILES)
"""Of one process, by the names that every client library has. Told on Linux."""
