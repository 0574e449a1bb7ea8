"""A load on running collectors, and what it took of each process."""

import http.client
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg

from bench.bodies import Template
from bench.plan import Plan
from bench.processes import cpu_seconds, peak_bytes, tree
from bench.running import Collector
from bench.sending import Load, Sender, Sent, send, sending
from collector.health import METRICS

_WARM_UP: Final = 1.0
_PATIENCE: Final = 120.0
_SPOOLED: Final = re.compile(r'^spanledger_spans_total\{fate="spooled"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load was, and what it took."""

    sent: Sent
    collector_cpu: float
    """Seconds, of all its processes."""
    postgres_cpu: float
    peak_bytes: int
    """Resident memory of the process that had most."""
    spooled: int
    """Spans that a worker answered when they were on disk, and not in Postgres yet: of the one
    worker that was asked, since it began."""

    @property
    def collector_us(self) -> float:
        """Microseconds of CPU time a span."""
        return self.collector_cpu / self.sent.spans * 1e6

    @property
    def where_time_goes(self) -> dict[str, float]:
        """Microseconds of CPU time a span, by process."""
        sent = self.sent
        return {
            "collector_us": round(self.collector_us, 2),
            "postgres_us": round(self.postgres_cpu / sent.spans * 1e6, 2),
            "sender_us": round(sent.cpu_seconds / sent.spans * 1e6, 2),
        }


def loaded(
    plan: Plan,
    collector: Collector,
    templates: list[Template],
    *,
    seconds: float | None = None,
    requests_a_second: float | None = None,
    twice_in: int = 0,
    meanwhile: Callable[[Sender], None] = lambda _sender: None,
) -> Loaded:
    """Sends a load to the collector, which was warmed up before. ``meanwhile`` runs beside it."""
    load = Load(
        address=collector.address,
        templates=templates,
        connections=plan.connections,
        seconds=plan.seconds if seconds is None else seconds,
        requests_a_second=requests_a_second,
        twice_in=twice_in,
    )
    collectors = collector.pids
    postgres = plan.server.pid or 0
    before = cpu_seconds(collectors), cpu_seconds(tree(postgres))
    with sending(load) as sender:
        meanwhile(sender)
        sent = sender.result()
    return Loaded(
        sent,
        cpu_seconds(collectors) - before[0],
        cpu_seconds(tree(postgres)) - before[1],
        max(peak_bytes(pid) for pid in collectors),
        _spooled(collector.address),
    )


def _spooled(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", METRICS)
        told = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = _SPOOLED.search(told)
    return int(float(found[1])) if found else 0


def warm_up(plan: Plan, collector: Collector, templates: list[Template]) -> Sent:
    """The first requests, which pay for what is remembered afterwards."""
    return send(Load(collector.address, templates, plan.connections, _WARM_UP))


class Lost(Exception):  # noqa: N818  # says what happened
    """Calls were acknowledged and are not in the database."""


def all_stored(url: str, calls: int, patience: float = _PATIENCE) -> None:
    """Waits until the database has as many sightings as were sent. Raises Lost."""
    deadline = time.monotonic() + patience
    with psycopg.connect(url, autocommit=True) as connection:
        while (found := _count(connection)) < calls:
            if time.monotonic() > deadline:
                raise Lost(f"{calls:,} calls were acknowledged, {found:,} are stored")
            time.sleep(0.5)
    if found > calls:
        raise Lost(f"{calls:,} calls were acknowledged, and {found:,} are stored: some twice")


def _count(connection: "psycopg.Connection[tuple[int, ...]]") -> int:
    row = connection.execute("SELECT count(*) FROM sightings").fetchone()
    return row[0] if row else 0
