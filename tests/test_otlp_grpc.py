"""The OTLP/gRPC door answers as the specification says, to good requests and to bad ones."""

from collections.abc import Iterator

import grpc
import pytest
from doors import NOON, PEPPER, Doors, call, open_doors, request
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from collector.limits import Limits
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROFILES = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


def send(
    doors: Doors,
    body: bytes,
    *metadata: tuple[str, str],
    method: str = EXPORT,
    compression: grpc.Compression | None = None,
) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(doors.grpc) as channel:
        answer = channel.unary_unary(method)(
            body, timeout=20, metadata=metadata, compression=compression
        )
        return ExportTraceServiceResponse.FromString(answer)


def refused(doors: Doors, body: bytes, *metadata: tuple[str, str]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        send(doors, body, *metadata)
    return caught.value


def test_a_real_exporter_finds_every_call_stored(doors: Doors) -> None:
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        exporter = OTLPSpanExporter(doors.grpc, insecure=True, compression=compression)
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        for _ in range(20):
            with provider.get_tracer("test").start_as_current_span("chat") as span:
                span.set_attribute("gen_ai.operation.name", "chat")
                span.set_attribute("gen_ai.request.model", "gpt-5")
                span.set_attribute("gen_ai.usage.input_tokens", 10)
        provider.shutdown()
    assert doors.stored() == 40


def test_full_success_leaves_partial_success_unset(doors: Doors) -> None:
    answer = send(doors, request(call(1)))
    assert not answer.HasField("partial_success")
    assert not send(doors, b"").HasField("partial_success")
    assert doors.stored() == 1


def test_both_doors_know_the_same_span(doors: Doors) -> None:
    body = request(call(1), call(2))
    send(doors, body, compression=grpc.Compression.Gzip)
    assert doors.post(body).status == 200
    assert doors.stored() == 2


def test_refused_spans_are_told(doors: Doors) -> None:
    nameless = call(2)
    nameless.span_id = b""
    answer = send(doors, request(call(1), nameless))
    assert answer.partial_success.rejected_spans == 1
    assert doors.stored() == 1


def test_a_malformed_request_is_an_invalid_argument(doors: Doors) -> None:
    error = refused(doors, b"\xff\xff\xff")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = dict(error.trailing_metadata())
    told = Status.FromString(trailers["grpc-status-details-bin"])
    assert told.code == 3
    assert told.message == error.details()
    assert "google.rpc.retryinfo-bin" not in trailers


def test_a_message_over_the_limit_is_refused_for_good(doors: Doors) -> None:
    big = b"\0" * (20 * 2**20 + 1)
    assert refused(doors, big).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(grpc.RpcError) as caught:
        send(doors, b"\0" * 64 * 2**20, compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    send(doors, request(call(1)))
    assert doors.stored() == 1


def test_other_signals_are_not_taken(doors: Doors) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        send(doors, b"", method=PROFILES)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_when_busy_both_trailers_say_when_to_come_again(database: Database) -> None:
    with open_doors(database, Limits(in_flight_bytes=100)) as doors:
        error = refused(doors, b"\0" * 200)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    trailers = dict(error.trailing_metadata())
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 3
    detail = RetryInfo()
    assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(detail)
    assert detail.retry_delay.seconds == 3


def test_once_there_is_a_key_a_sender_needs_one(database: Database) -> None:
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="ingest", name="k", team=None, pepper=PEPPER, now=NOON
        )
    with open_doors(database) as doors:
        error = refused(doors, request(call(1)))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        assert (
            Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"]).code == 16
        )
        send(doors, request(call(1)), ("authorization", f"Bearer {key}"))
        send(doors, request(call(2)), ("x-api-key", key))
        assert doors.stored() == 2


def test_through_a_proxy_nobody_is_local(doors: Doors) -> None:
    send(doors, request(call(1)))
    for header in ("x-forwarded-for", "forwarded"):
        error = refused(doors, request(call(2)), (header, "192.0.2.1"))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
