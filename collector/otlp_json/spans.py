"""A span in OTLP/JSON."""

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp_json.values import attributes, enum, id_of, inner, objects, text, unsigned


def put_span(span: Span, content: dict[str, Any]) -> None:
    """Put what an object says into a span. Raises ``Malformed``, naming the member."""
    span.trace_id = id_of(content.get("traceId"))
    span.span_id = id_of(content.get("spanId"))
    span.parent_span_id = id_of(content.get("parentSpanId"))
    span.name = text(content, "name", "")
    span.kind = enum(content, "kind", "")  # type: ignore[assignment] # any number may come
    span.start_time_unix_nano = unsigned(content.get("startTimeUnixNano"))
    span.end_time_unix_nano = unsigned(content.get("endTimeUnixNano"))
    span.attributes.extend(attributes(content, ""))
    status = inner(content, "status", "")
    span.status.code = enum(status, "code", "status.")  # type: ignore[assignment] # as above
    span.status.message = text(status, "message", "status.")
    for told, its_place in objects(content, "events", ""):
        event = span.events.add()
        event.time_unix_nano = unsigned(told.get("timeUnixNano"))
        event.name = text(told, "name", its_place)
        event.attributes.extend(attributes(told, its_place))
