"""Two collectors, two APIs and two that run the jobs, over one Postgres; one of each is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from doors import call, request
from faults.house import Part, free_port
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from priced import price_of
from serving import PATIENCE, environment, eventually
from slack_stand_in import slack_stand_in
from sqlalchemy import func, select

from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tables.budgets import crossings
from store.tables.heard import batches, sightings
from store.tables.jobs import job_runs
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = "the pepper that both machines have"
CALLS = 240
COST = Decimal("3.6")
"""10 tokens in and 5 out each, at a dollar a thousand."""
TOGETHER = 8
"""Calls in a request."""
JOBS = Path(__file__).with_name("hurried_jobs.py")


def requests() -> list[tuple[bytes, bytes]]:
    """Each of some calls: as their application saw them, and as their gateway did."""
    start = int((datetime.now(UTC) - timedelta(minutes=1)).timestamp()) * 10**9
    return [
        (seen(numbers, start, trace=1, scope="app"), seen(numbers, start, trace=2, scope="gateway"))
        for numbers in (range(at, at + TOGETHER) for at in range(0, CALLS, TOGETHER))
    ]


def seen(numbers: range, start: int, *, trace: int, scope: str) -> bytes:
    """What one emitter saw of calls: that they are the same, the ids of their answers say."""
    spans = []
    for number in numbers:
        answer = f"chatcmpl-{start}-{number}"
        span = call(number + 1, trace=1000 * (number + 1) + trace, gen_ai__response__id=answer)
        span.start_time_unix_nano, span.end_time_unix_nano = start, start + 10**9
        spans.append(span)
    message = ExportTraceServiceRequest.FromString(request(*spans))
    message.resource_spans[0].scope_spans[0].scope.name = scope
    return message.SerializeToString()


class Sender(threading.Thread):
    """Sends one request after the other, to whichever of some collectors takes it."""

    def __init__(self, sent: list[tuple[bytes, list[str]]], key: str) -> None:
        super().__init__(daemon=True)
        self.sent = sent
        self.done = 0
        self._headers = {
            "Content-Type": "application/x-protobuf",
            "Authorization": f"Bearer {key}",
        }

    def run(self) -> None:
        for body, addresses in self.sent:
            tries = 0
            while not self._taken(addresses[tries % len(addresses)], body):
                tries += 1
            self.done += 1

    def _taken(self, address: str, body: bytes) -> bool:
        connection = HTTPConnection(address, timeout=10)
        try:
            connection.request("POST", "/v1/traces", body, self._headers)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class Machine:
    """One of each, with a folder of its own."""

    def __init__(self, folder: Path, url: str, webhook: str) -> None:
        self.otlp, self.api = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self._folder = folder
        folder.mkdir()
        settings = {
            "DATABASE_URL": url,
            "KEY_PEPPER": PEPPER,
            "COLLECTOR_WORKERS": "1",
            "OTLP_HTTP_ADDR": self.otlp,
            "API_ADDR": self.api,
        }
        self.parts = [Part(name, settings, folder) for name in ("collector", "api")]
        for part in self.parts:
            part.start()
        self._jobs = subprocess.Popen(  # noqa: S603  # our own code
            [sys.executable, "-P", JOBS, url, webhook], env=environment(folder), cwd="/"
        )

    def serves(self) -> bool:
        """Whether both doors are open."""
        try:
            for address in (self.otlp, self.api):
                urllib.request.urlopen(f"http://{address}/livez", timeout=5).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """kill -9, each, in one blow."""
        for pid in (*(part.pid for part in self.parts), self._jobs.pid):
            os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        for part in self.parts:
            part.stop()
        self._jobs.kill()
        self._jobs.wait()

    def asked(self, path: str, key: str, body: dict[str, object] | None = None) -> Any:
        """What its API answers; the status where that is no success."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"http://{self.api}{path}", sent, headers)  # http
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  # as above
                return json.load(answer)
        except HTTPError as refused:
            return refused.code


@contextmanager
def two_machines(folder: Path, url: str, webhook: str) -> Iterator[list[Machine]]:
    with ExitStack() as running:
        machines = [Machine(folder / name, url, webhook) for name in ("one", "two")]
        for machine in machines:
            running.callback(machine.close)
        eventually(lambda: all(machine.serves() for machine in machines), "both serve")
        yield machines


def prepared(database: Database) -> dict[str, str]:
    """A price, and keys that both machines know."""
    price_of(database, "gpt-5", ("input", "output"))
    with database.write() as session:
        return {
            kind: create_key(
                session, tenant=TENANT, kind=kind, name=kind, team=None,
                pepper=PEPPER.encode(), now=datetime.now(UTC),
            )
            for kind in ("ingest", "admin", "read")
        }  # fmt: skip


def budget() -> dict[str, object]:
    """Of a dollar, over some days around today."""
    own = {"starts_on": str((datetime.now(UTC) - timedelta(days=2)).date()), "days": 9}
    said = {"name": "search", "filter": {"team": ["search"]}, "amount": "1", "currency": "USD"}
    return {**said, "period": "custom", "own_period": own, "thresholds": [100]}


def booked(database: Database) -> tuple[int, Decimal]:
    with database.read() as session:
        return (
            int(session.scalar(select(func.sum(cells.c.calls))) or 0),
            session.scalar(select(func.sum(charges.c.amount))) or Decimal(0),
        )


def test_of_two_machines_one_dies_and_nothing_is_lost_or_doubled(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    keys = prepared(database)
    with slack_stand_in() as slack, two_machines(tmp_path, database_url, slack.url) as machines:
        one, two = machines
        made = one.asked("/v1/budgets", keys["admin"], budget())
        known = two.asked("/v1/budgets", keys["read"])
        assert [each["name"] for each in known["budgets"]] == ["search"], made
        # Twins go to different machines, and every third request to both.
        both = ([one.otlp, two.otlp], [two.otlp, one.otlp])
        work: list[list[tuple[bytes, list[str]]]] = [[], []]
        for number, (app, gateway) in enumerate(requests()):
            work[number % 2].append((app, both[number % 2]))
            work[1 - number % 2].append((gateway, both[1 - number % 2]))
            if number % 3 == 0:
                work[1 - number % 2].append((app, both[1 - number % 2]))
        senders = [Sender(each, keys["ingest"]) for each in work]
        for sender in senders:
            sender.start()
        eventually(lambda: senders[0].done > len(work[0]) // 3, "a third is sent")
        eventually(lambda: booked(database)[0], "the jobs have counted something")
        one.kill()
        for sender in senders:
            sender.join(PATIENCE)
        assert [sender.done for sender in senders] == [len(each) for each in work]
        eventually(lambda: booked(database) == (CALLS, COST), "all is counted and charged")
        eventually(lambda: slack.messages, "the alert is sent")
        [row] = two.asked("/v1/spend?group_by=team", keys["read"])["rows"]
        assert (row["team"], row["calls"], Decimal(row["cost"])) == ("search", CALLS, COST)
    with database.read() as session:
        sums = (
            func.sum(batches.c.heard),
            func.sum(batches.c.stored),
            func.sum(batches.c.duplicate),
        )
        heard, stored, again = session.execute(select(*sums)).one()
        assert stored == session.scalar(select(func.count()).select_from(sightings)) == 2 * CALLS
        assert heard == stored + again >= 2 * CALLS + CALLS // 3
        assert session.scalar(select(func.count()).select_from(crossings)) == 1
        periods = select(job_runs.c.job, job_runs.c.period).where(~job_runs.c.failed)
        ticks = session.execute(periods).all()
        assert len(set(ticks)) == len(ticks)
    assert booked(database) == (CALLS, COST)
    assert len(slack.messages) == 1, slack.texts
