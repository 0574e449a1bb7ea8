"""How many spans a second go through OTLP/HTTP into Postgres, beside a bare COPY of the same rows.

The collector, the sender and Postgres share this machine's cores; the sender's bodies are made
before the clock starts. Trust the ratio, which is of one run, more than the numbers.
"""

import http.client
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue

import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.local_postgres import LocalPostgres
from collector.serve import run
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
NUMBERS = {"server.port": 443, "gen_ai.request.max_tokens": 4096}
TEAMS = 20


def body(tokens: Sequence[tuple[int, int]]) -> bytes:
    """One request, as an SDK's batch processor sends it: a span for each (tokens in, out)."""
    start = time.time_ns() - 3_600 * 10**9
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    team = f"team-{random.randrange(TEAMS)}"  # noqa: S311  # teams, not secrets
    for key, value in {"service.name": "search-api", "team": team}.items():
        group.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.openai_v2"
    for n, (tokens_in, tokens_out) in enumerate(tokens):
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
        counts = {
            "gen_ai.usage.input_tokens": tokens_in,
            "gen_ai.usage.cache_read.input_tokens": tokens_in // 2,
            "gen_ai.usage.output_tokens": tokens_out,
        }
        for key, count in {**NUMBERS, **counts}.items():
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


@dataclass(frozen=True, slots=True)
class Ingest:
    """How fast spans came in, and how fast the same rows go in without us."""

    spans: int
    seconds: float
    bare_rows_a_second: float

    @property
    def spans_a_second(self) -> float:
        """From the first byte sent to the last answer, which is after the commit."""
        return self.spans / self.seconds


def measure(server: LocalPostgres, bodies: list[bytes], connections: int) -> Ingest:
    """Sends the bodies through a collector of its own into a migrated database."""
    ours, theirs = multiprocessing.Pipe()
    collector = multiprocessing.get_context("spawn").Process(
        target=serve, args=(server.url, theirs)
    )
    collector.start()
    address = ours.recv()
    # The first request pays for what is remembered afterwards.
    send_all(address, [body([(1, 1)] * SPANS)], 1)
    took = send_all(address, bodies, connections)
    ours.send("stop")
    collector.join()
    rows, bare = copy_bare(server.url)
    return Ingest(len(bodies) * SPANS, took, rows / bare)
