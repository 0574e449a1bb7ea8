"""Logs in OTLP/JSON."""

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collector.otlp_json.sources import put_resource, put_scope
from collector.otlp_json.values import any_value, attributes, enum, id_of, objects, text, unsigned


def logs_request(content: dict[str, Any]) -> ExportLogsServiceRequest:
    """The request that a parsed body stands for. Raises ``Malformed``, naming the place."""
    request = ExportLogsServiceRequest()
    for group, place in objects(content, "resourceLogs", ""):
        by_resource = request.resource_logs.add()
        put_resource(by_resource.resource, group, place)
        for scoped, scoped_place in objects(group, "scopeLogs", place):
            by_scope = by_resource.scope_logs.add()
            put_scope(by_scope.scope, scoped, scoped_place)
            for one, its_place in objects(scoped, "logRecords", scoped_place):
                _put_record(by_scope.log_records.add(), one, its_place)
    return request


def _put_record(record: LogRecord, content: dict[str, Any], place: str) -> None:
    record.time_unix_nano = unsigned(content.get("timeUnixNano"))
    record.observed_time_unix_nano = unsigned(content.get("observedTimeUnixNano"))
    record.severity_number = enum(content, "severityNumber", place)  # type: ignore[assignment] # any number may come
    record.event_name = text(content, "eventName", place)
    if content.get("body") is not None:
        record.body.CopyFrom(any_value(content["body"]))
    record.attributes.extend(attributes(content, place))
    record.trace_id = id_of(content.get("traceId"))
    record.span_id = id_of(content.get("spanId"))
