"""Opens the collector's two doors on free ports, and makes requests to send through them."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Queue

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from serving import PATIENCE
from sqlalchemy import func, select

from collector import receive
from collector.limits import Limits
from collector.serve import Tls, run
from collector.spool.state import Place
from store.postgres.sessions import Database
from store.steps import Lost, Steps, none_lost, untold
from store.tables.heard import batches, sightings

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
PEPPER = b"a pepper for tests"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """What HTTP answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self) -> Status:
        return Status.FromString(self.body)

    def export(self) -> ExportTraceServiceResponse:
        return ExportTraceServiceResponse.FromString(self.body)


@dataclass(frozen=True)
class Doors:
    """Where a running collector listens."""

    http: str
    grpc: str
    database: Database
    stop: threading.Event

    def post(
        self,
        body: bytes,
        content_type: str | None = PROTOBUF,
        *,
        path: str = "/v1/traces",
        method: str = "POST",
        **headers: str,
    ) -> Answer:
        connection = http.client.HTTPConnection(self.http, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            sent["content-type"] = content_type
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def stored(self) -> int:
        """Sightings in the store."""
        with self.database.read() as session:
            return session.execute(select(func.count()).select_from(sightings)).scalar_one()

    def accounted(self) -> dict[str, int]:
        """The sums of all batches."""
        names = ("heard", "stored", "duplicate", "not_a_call", "refused")
        with self.database.read() as session:
            sums = session.execute(
                select(*(func.coalesce(func.sum(batches.c[name]), 0) for name in names))
            ).one()
        return {name: int(value) for name, value in zip(names, sums, strict=True)}


@contextmanager
def open_doors(
    database: Database,
    limits: Limits | None = None,
    spool: Place | None = None,
    tls: Tls | None = None,
    steps: Steps = untold,
    lost: Lost = none_lost,
) -> Iterator[Doors]:
    """A collector in a thread, stopped at the end of the block.

    A busy machine is no database that hangs: a key is looked up for longer than elsewhere.
    """
    opened: Queue[dict[str, str] | BaseException] = Queue()
    stop = threading.Event()

    def serve() -> None:
        try:
            run(
                database=database,
                http_addr="127.0.0.1:0",
                grpc_addr="127.0.0.1:0",
                pepper=PEPPER,
                ready=opened.put,
                stop=stop,
                limits=limits,
                spool=spool,
                tls=tls,
                steps=steps,
                lost=lost,
            )
        except BaseException as error:
            opened.put(error)
            raise

    thread = threading.Thread(target=serve)
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(receive, "_LOOKUP_SECONDS", 15)
        thread.start()
        try:
            addresses = opened.get(timeout=PATIENCE)
            if isinstance(addresses, BaseException):
                raise addresses
            yield Doors(addresses["otlp_http"], addresses["otlp_grpc"], database, stop)
        finally:
            stop.set()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the collector did not stop"


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def number(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))


def call(span: int, *, trace: int = 1, tokens: int = 10, **attributes: str) -> Span:
    """A span of a call to a model, as the current conventions have it."""
    start = int(NOON.timestamp()) * 10**9
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        name="chat gpt-5",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 10**9,
        attributes=[
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-5"),
            text("gen_ai.response.model", "gpt-5"),
            number("gen_ai.usage.input_tokens", tokens),
            number("gen_ai.usage.output_tokens", 5),
            *(text(key.replace("__", "."), value) for key, value in attributes.items()),
        ],
    )


def other_span(span: int) -> Span:
    """A span that is no call."""
    start = int(NOON.timestamp()) * 10**9
    return Span(
        trace_id=(1).to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        name="GET /",
        start_time_unix_nano=start,
        end_time_unix_nano=start + 10**6,
    )


def request(*spans: Span) -> bytes:
    """A serialised ExportTraceServiceRequest."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.append(text("service.name", "search-api"))
    group.resource.attributes.append(text("team", "search"))
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.openai_v2"
    scope.spans.extend(spans)
    return message.SerializeToString()


def varint(value: int) -> bytes:
    """A number, as protobuf writes lengths."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
