"""Whatever ends the collector's workers, what real exporters send arrives once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from collecting import Collecting, Emitter, Knocker, collecting, ids_stored
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from serving import eventually

from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@contextmanager
def emitters(collector: Collecting) -> Iterator[list[Emitter]]:
    """Two over HTTP and one over gRPC, at work; they end with the block."""
    # Of more patience than theirs, as the machine that tests may be busy with others.
    over_http = [OverHttp(f"http://{collector.http}/v1/traces", timeout=60) for _ in range(2)]
    over_grpc = OverGrpc(f"http://{collector.grpc}", insecure=True, timeout=60)
    sending = [Emitter(exporter) for exporter in (*over_http, over_grpc)]
    for emitter in sending:
        emitter.start()
    try:
        yield sending
    finally:
        for emitter in sending:
            emitter.enough.set()
        for emitter in sending:
            emitter.join(timeout=60)


def end_workers(collector: Collecting, number: signal.Signals) -> None:
    """Sends a signal to each worker, or what asks for new ones to their parent."""
    before = collector.workers()
    told = {collector.process.pid} if number is signal.SIGUSR2 else before
    for pid in told:
        os.kill(pid, number)

    def are_replaced() -> bool:
        now = collector.workers()
        return len(now) == len(before) and not now & before

    eventually(are_replaced, f"there are other workers after {number.name}")


def test_no_way_to_end_a_worker_loses_a_span_or_refuses_a_connection(
    data_dir: Path, database_url: str, database: Database
) -> None:
    with collecting(data_dir, database_url) as collector:
        knocker = Knocker(collector.http)
        knocker.start()
        with emitters(collector) as sending:
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR2):
                for emitter in sending:
                    emitter.goes_on()
                end_workers(collector, number)
            for emitter in sending:
                emitter.goes_on()
        knocker.enough.set()
        knocker.join()
        assert (collector.stop(), knocker.refused) == (0, 0)
    assert [emitter.lost for emitter in sending] == [0, 0, 0]
    stored = ids_stored(database)
    assert len(stored) == len(set(stored))
    assert set(stored) == set().union(*(emitter.taken for emitter in sending))
