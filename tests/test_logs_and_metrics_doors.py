"""Logs and metrics come in through both doors, from real exporters, and are answered in kind."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import orjson
import pytest
from deliveries import sent
from doors import JSON, NOON, Doors, open_doors
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcMetrics,
)
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
    OTLPMetricExporter as HttpMetrics,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from records import api_request, logs

from collector.limits import Limits
from collector.signals import Signal
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

AT = int(NOON.timestamp()) * 10**9


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


def export(doors: Doors, body: bytes, signal: Signal) -> bytes:
    with grpc.insecure_channel(doors.grpc) as channel:
        answer: bytes = channel.unary_unary(f"/{signal.service}/Export")(body, timeout=20)
        return answer


def log(exporter: Any) -> None:
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("com.anthropic.claude_code.events", "2.1.197")
    for number in range(20):
        attributes: Any = {**api_request().attributes, "event.sequence": number}
        logger.emit(LogRecord(timestamp=AT, attributes=attributes, body="claude_code.api_request"))
    provider.shutdown()


LOG_EXPORTERS: dict[str, Callable[[Doors], Any]] = {
    "http": lambda doors: HttpLogs(f"http://{doors.http}/v1/logs"),
    "grpc": lambda doors: GrpcLogs(endpoint=doors.grpc, insecure=True),
}
METRIC_EXPORTERS: dict[str, Callable[[Doors], Any]] = {
    "http": lambda doors: HttpMetrics(f"http://{doors.http}/v1/metrics"),
    "grpc": lambda doors: GrpcMetrics(endpoint=doors.grpc, insecure=True),
}


@pytest.mark.parametrize("door", LOG_EXPORTERS)
def test_a_real_log_exporter_finds_every_call_stored(doors: Doors, door: str) -> None:
    log(LOG_EXPORTERS[door](doors))
    assert doors.stored() == 20


@pytest.mark.parametrize("door", METRIC_EXPORTERS)
def test_a_real_metric_exporter_finds_every_point_accounted_for(doors: Doors, door: str) -> None:
    reader = PeriodicExportingMetricReader(METRIC_EXPORTERS[door](doors))
    provider = MeterProvider([reader])
    provider.get_meter("test").create_counter("requests").add(1, {"route": "/"})
    provider.get_meter("test").create_histogram("seconds").record(0.5)
    provider.shutdown()
    accounted = doors.accounted()
    assert (accounted["heard"], accounted["not_a_call"]) == (2, 2)


def test_logs_as_json_and_as_protobuf_are_the_same_calls(doors: Doors) -> None:
    for signal, body in sent("gemini-cli/http", ["logs", "metrics"]):
        assert doors.post(body, path=signal.path).body == b""
    stored = doors.stored()
    for signal, body in sent("gemini-cli/http", ["logs", "metrics"], as_sent=True):
        answer = doors.post(body, JSON, path=signal.path)
        assert (answer.status, answer.body) == (200, b"{}")
    assert (stored, doors.stored()) == (1, 1)


def test_logs_that_are_sent_again_are_duplicates(doors: Doors) -> None:
    body = logs(api_request(time=AT), api_request(time=AT, attributes={"event.sequence": 2}))
    assert doors.post(body, path="/v1/logs").status == 200
    assert export(doors, body, Signal.LOGS) == b""
    assert doors.accounted() == {
        "heard": 4, "stored": 2, "duplicate": 2, "not_a_call": 0, "refused": 0,
    }  # fmt: skip


def test_records_that_are_refused_are_told_in_the_answer(doors: Doors) -> None:
    body = logs(api_request(time=AT), api_request(time=0, observed=0))
    over_grpc = ExportLogsServiceResponse.FromString(export(doors, body, Signal.LOGS))
    over_http = ExportLogsServiceResponse.FromString(doors.post(body, path="/v1/logs").body)
    for answer in (over_grpc, over_http):
        assert answer.partial_success.rejected_log_records == 1
        assert answer.partial_success.error_message.startswith("log records refused: ")
    told = {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "gemini-cli"}, "logRecords": [
        {"attributes": [{"key": "event.name", "value": {"stringValue": "gemini_cli.api_error"}}]}
    ]}]}]}  # fmt: skip
    as_json = doors.post(orjson.dumps(told), JSON, path="/v1/logs").body
    assert orjson.loads(as_json)["partialSuccess"]["rejectedLogRecords"] == "1"


def test_usage_of_a_logged_call_that_is_none_is_told_in_the_answer(doors: Doors) -> None:
    body = logs(api_request(time=AT, attributes={"input_tokens": -1}))
    told = ExportLogsServiceResponse.FromString(doors.post(body, path="/v1/logs").body)
    assert "input_tokens is negative" in told.partial_success.error_message
    assert told.partial_success.rejected_log_records == 0


def test_points_that_are_refused_are_told_in_the_answer(doors: Doors) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "claude_code.token.usage"
    metric.sum.aggregation_temporality = 1  # type: ignore[assignment] # delta
    point = metric.sum.data_points.add(as_int=-5, time_unix_nano=AT, start_time_unix_nano=AT - 1)
    point.attributes.add(key="type").value.string_value = "input"
    answer = ExportMetricsServiceResponse.FromString(
        doors.post(request.SerializeToString(), path="/v1/metrics").body
    )
    assert answer.partial_success.rejected_data_points == 1


def test_what_is_no_such_request_is_malformed(doors: Doors) -> None:
    for signal in (Signal.LOGS, Signal.METRICS):
        assert doors.post(b"\x0a\xff", path=signal.path).status == 400
        assert signal.request in doors.post(b"\x0a\xff", path=signal.path).error().message
        assert (
            doors.post(b'{"resourceLogs": 3, "resourceMetrics": 3}', JSON, path=signal.path).status
            == 400
        )
        with pytest.raises(grpc.RpcError) as caught:
            export(doors, b"\x0a\xff", signal)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_more_records_or_points_than_allowed_are_too_large(database: Database) -> None:
    points = ExportMetricsServiceRequest()
    metric = points.resource_metrics.add().scope_metrics.add().metrics.add()
    for number in range(60):
        metric.gauge.data_points.add(as_int=number)
    records = logs(*[api_request(time=AT + number) for number in range(60)])
    with open_doors(database, Limits(spans=50)) as doors:
        for path, body in (("/v1/logs", records), ("/v1/metrics", points.SerializeToString())):
            assert doors.post(body, path=path).status == 413
    assert doors.stored() == 0
