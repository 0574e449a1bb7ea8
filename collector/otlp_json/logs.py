"""A log record in OTLP/JSON."""

from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collector.otlp_json.values import any_value, attributes, enum, id_of, text, unsigned


def put_record(record: LogRecord, content: dict[str, Any]) -> None:
    """Put what an object says into a record. Raises ``Malformed``, naming the member."""
    record.time_unix_nano = unsigned(content.get("timeUnixNano"))
    record.observed_time_unix_nano = unsigned(content.get("observedTimeUnixNano"))
    record.severity_number = enum(content, "severityNumber", "")  # type: ignore[assignment] # any number may come
    record.event_name = text(content, "eventName", "")
    if content.get("body") is not None:
        record.body.CopyFrom(any_value(content["body"]))
    record.attributes.extend(attributes(content, ""))
    record.trace_id = id_of(content.get("traceId"))
    record.span_id = id_of(content.get("spanId"))
