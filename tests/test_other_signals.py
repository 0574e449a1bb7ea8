"""What is sent to another signal's address is refused and told where to go, not lost silently."""

from collections.abc import Iterator

import grpc
import orjson
import pytest
from deliveries import REQUESTS, as_otlp_json, item_by_item
from doors import JSON, Doors, call, open_doors, other_span, request
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from spans import VECTORS

from collector.errors import Malformed
from collector.limits import Limits
from collector.other_signals import check_signal
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


def captured(signal: Signal) -> list[bytes]:
    files = sorted(VECTORS.glob(f"*/*-{signal}-*.pb"))
    return [file.read_bytes() for file in files[:: max(1, len(files) // 25)]]


@pytest.mark.parametrize("signal", Signal)
def test_every_item_of_every_emitter_is_known_for_what_it_is(signal: Signal) -> None:
    for whole in captured(signal):
        for _, body in [(signal, whole), *item_by_item([(signal, whole)])[:20]]:
            check_signal(body, signal)
            for other in set(Signal) - {signal}:
                with pytest.raises(Malformed, match=f"send them to {signal.path}"):
                    check_signal(body, other)
        as_json = as_otlp_json(whole, signal)
        for other in set(Signal) - {signal}:
            with pytest.raises(Malformed, match=f"send them to {signal.path}"):
                to_protobuf(as_json, other, Limits())


def test_a_gauge_is_no_span_though_its_frame_is_one() -> None:
    told = ExportMetricsServiceRequest()
    metric = told.resource_metrics.add().scope_metrics.add().metrics.add(name="cpu", unit="1")
    metric.gauge.data_points.add(as_int=1)
    with pytest.raises(Malformed, match="/v1/metrics"):
        check_signal(told.SerializeToString(), Signal.TRACES)


def test_one_strange_span_does_not_speak_for_the_others() -> None:
    strange = call(1)
    strange.ClearField("start_time_unix_nano")
    strange.ClearField("kind")
    strange.trace_id = b"short"
    check_signal(request(strange, other_span(2)), Signal.TRACES)
    check_signal(request(), Signal.TRACES)
    check_signal(b"\x0a\xff", Signal.TRACES)
    for signal in Signal:
        check_signal(REQUESTS[signal][0]().SerializeToString(), signal)


def test_logs_sent_as_traces_are_refused_by_both_doors_and_nothing_is_stored(doors: Doors) -> None:
    provider = LoggerProvider()
    exporter = OTLPLogExporter(f"http://{doors.http}/v1/traces")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("x").emit(body="claude_code.api_request", event_name="api_request")
    provider.shutdown()
    body = captured(Signal.LOGS)[0]
    assert "send them to /v1/logs" in doors.post(body).error().message
    with grpc.insecure_channel(doors.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(f"/{Signal.TRACES.service}/Export")(body, timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    answer = doors.post(as_otlp_json(body, Signal.LOGS), JSON)
    assert (answer.status, orjson.loads(answer.body)["code"]) == (400, 3)
    snake = doors.post(b'{"resource_spans": []}', JSON)
    assert (snake.status, b"resourceSpans" in snake.body) == (400, True)
    assert doors.accounted()["heard"] == 0
