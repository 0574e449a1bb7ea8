"""How many spans a second go through OTLP/HTTP into Postgres, beside a bare COPY of the same rows.

    python bench/ingest.py [batches of 512 spans] [connections]

The collector, the sender and Postgres share this machine's cores; the sender's bodies are made
before the clock starts. Trust the ratio, which is of one run, more than the numbers.
"""

import http.client
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.local_postgres import local_postgres
from collector.serve import run
from migrations.run import upgrade
from store.partitions import ensure
from store.sessions import open_database

SPANS = 512
TEXTS = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2026-08-07",
    "server.address": "api.openai.com",
    "spanledger.feature": "rerank",
    "spanledger.customer": "acme",
    "gen_ai.conversation.id": "conv_5j66UpCpwteGg4YSxUnt7lPY",
}
NUMBERS = {
    "server.port": 443,
    "gen_ai.usage.input_tokens": 2047,
    "gen_ai.usage.output_tokens": 311,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.request.max_tokens": 4096,
}


def body(start: int) -> bytes:
    """One request, as an SDK's batch processor sends it."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in {"service.name": "search-api", "team": "search"}.items():
        group.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.openai_v2"
    for n in range(SPANS):
        span = Span(
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            name="chat gpt-5",
            kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=start + n * 10**6,
            end_time_unix_nano=start + n * 10**6 + 10**9,
        )
        for key, text in TEXTS.items():
            span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
        for key, count in NUMBERS.items():
            span.attributes.append(KeyValue(key=key, value=AnyValue(int_value=count)))
        response = AnyValue(string_value=f"chatcmpl-{os.urandom(15).hex()}")
        span.attributes.append(KeyValue(key="gen_ai.response.id", value=response))
        scope.spans.append(span)
    return request.SerializeToString()


def serve(url: str, pipe: "multiprocessing.connection.Connection") -> None:
    """The collector, until the pipe says stop."""
    stop = threading.Event()
    threading.Thread(target=lambda: (pipe.recv(), stop.set())).start()
    run(
        database=open_database(url, application="bench"),
        http_addr="127.0.0.1:0",
        grpc_addr="127.0.0.1:0",
        pepper=b"bench",
        ready=lambda where: pipe.send(where["otlp_http"]),
        stop=stop,
    )


def send_all(address: str, bodies: list[bytes], connections: int) -> float:
    """Seconds until the last is answered."""
    waiting: Queue[bytes] = Queue()
    for each in bodies:
        waiting.put(each)

    def send(_: int) -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        while not waiting.empty():
            headers = {"content-type": "application/x-protobuf"}
            connection.request("POST", "/v1/traces", waiting.get(), headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200 or said:  # noqa: PLR2004 - HTTP's
                raise SystemExit(f"not stored: {answer.status} {said!r}")

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as senders:
        list(senders.map(send, range(connections)))
    return time.perf_counter() - began


def copy_bare(url: str) -> tuple[int, float]:
    """Rows and seconds of COPY alone: the rows that are there, into an empty table like theirs."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (LIKE sightings INCLUDING ALL)")
        columns = "SELECT * FROM sightings ORDER BY batch_id, trace_id"
        with connection.cursor().copy(f"COPY ({columns}) TO STDOUT (FORMAT BINARY)") as copy:
            parts = [bytes(part) for part in copy]
        began = time.perf_counter()
        cursor = connection.cursor()
        with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            for part in parts:
                copy.write(part)
        return cursor.rowcount, time.perf_counter() - began


def main() -> None:
    """Print both numbers and their ratio."""
    batches = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 4  # noqa: PLR2004 - second argument
    now = datetime.now(UTC)
    bodies = [body(int(now.timestamp()) * 10**9) for _ in range(batches)]
    with (
        tempfile.TemporaryDirectory() as folder,
        local_postgres(Path(folder) / "data") as server,
    ):
        upgrade(server.url)
        with open_database(server.url, application="bench").write() as session:
            ensure(session, now.date(), now.date())
        ours, theirs = multiprocessing.Pipe()
        collector = multiprocessing.get_context("spawn").Process(
            target=serve, args=(server.url, theirs)
        )
        collector.start()
        address = ours.recv()
        send_all(address, [body(int(now.timestamp()) * 10**9)], 1)
        took = send_all(address, bodies, connections)
        ours.send("stop")
        collector.join()
        rows, bare = copy_bare(server.url)
    rate, bare_rate = batches * SPANS / took, rows / bare
    print(f"OTLP/HTTP to commit: {rate:,.0f} spans/s ({len(bodies[0]):,} bytes a batch)")
    print(f"bare COPY:           {bare_rate:,.0f} rows/s; ratio {rate / bare_rate:.2f}")


if __name__ == "__main__":
    main()
