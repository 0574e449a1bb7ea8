"""``spanledger collector`` as a process with its workers, and real exporters that send to it."""

import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from serving import PATIENCE, children_of, eventually, started
from sqlalchemy import select

from store.postgres.sessions import Database
from store.tables.heard import sightings

SAID = re.compile(r"OTLP/HTTP at http://(\S+), OTLP/gRPC at (\S+)")
BATCH = 20


class Collecting:
    """A running collector."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.http, self.grpc = self._addresses()

    def _addresses(self) -> tuple[str, str]:
        assert self.process.stdout
        said = SAID.search(self.process.stdout.readline())
        assert said, self.logged()
        return said[1], said[2]

    def workers(self) -> set[int]:
        return {pid for pid, said in children_of(self.process.pid) if "collector_worker" in said}

    def logged(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        """The exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def collecting(data_dir: Path, database_url: str, **settings: str) -> Iterator[Collecting]:
    """``spanledger collector`` over a database, ready; ended with the block."""
    settings = {"DATABASE_URL": database_url, "COLLECTOR_WORKERS": "1"} | settings
    with started("collector", data_dir, **settings) as (process, log):
        try:
            yield Collecting(process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=PATIENCE)


class Emitter(threading.Thread):
    """Exports batches of calls, one after the other, through an exporter of OpenTelemetry's."""

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(daemon=True)
        self.taken: set[int] = set()
        """Ids of the spans that it was told are there."""
        self.batches = 0
        self.lost = 0
        """Batches that it gave up."""
        self.enough = threading.Event()
        self._exporter = exporter
        self._spans = InMemorySpanExporter()
        self._tracer = TracerProvider()
        self._tracer.add_span_processor(SimpleSpanProcessor(self._spans))

    def run(self) -> None:
        while not self.enough.wait(0.02):
            self._spans.clear()
            for _ in range(BATCH):
                with self._tracer.get_tracer("test").start_as_current_span("chat") as span:
                    span.set_attribute("gen_ai.operation.name", "chat")
                    span.set_attribute("gen_ai.request.model", "gpt-5")
                    span.set_attribute("gen_ai.usage.input_tokens", 10)
            finished = self._spans.get_finished_spans()
            if self._exporter.export(finished) is SpanExportResult.SUCCESS:
                self.taken |= {as_stored(span.context.span_id) for span in finished}
                self.batches += 1
            else:
                self.lost += 1
        self._exporter.shutdown()

    def goes_on(self) -> None:
        """Waits until it has delivered something that it began only now."""
        before = self.batches
        eventually(lambda: self.batches > before + 1, "an emitter delivers")


class Knocker(threading.Thread):
    """Opens connections all the time, and counts the refused ones."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        host, port = address.split(":")
        self._address = host, int(port)
        self.refused = 0
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.wait(0.02):
            try:
                socket.create_connection(self._address, timeout=5).close()
            except ConnectionRefusedError:
                self.refused += 1


def ids_stored(database: Database) -> list[int]:
    """The span ids of all sightings."""
    with database.read() as session:
        return list(session.scalars(select(sightings.c.span_id)))


def as_stored(span_id: int) -> int:
    """A span's id as Postgres keeps it."""
    return int.from_bytes(span_id.to_bytes(8, "big"), "big", signed=True)
