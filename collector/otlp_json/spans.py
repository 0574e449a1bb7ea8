"""Traces in OTLP/JSON."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp_json.sources import put_resource, put_scope
from collector.otlp_json.values import attributes, enum, id_of, inner, objects, text, unsigned


def trace_request(content: dict[str, Any]) -> ExportTraceServiceRequest:
    """The request that a parsed body stands for. Raises ``Malformed``, naming the place."""
    request = ExportTraceServiceRequest()
    for group, place in objects(content, "resourceSpans", ""):
        by_resource = request.resource_spans.add()
        put_resource(by_resource.resource, group, place)
        for scoped, scoped_place in objects(group, "scopeSpans", place):
            by_scope = by_resource.scope_spans.add()
            put_scope(by_scope.scope, scoped, scoped_place)
            for one, its_place in objects(scoped, "spans", scoped_place):
                _put_span(by_scope.spans.add(), one, its_place)
    return request


def _put_span(span: Span, content: dict[str, Any], place: str) -> None:
    span.trace_id = id_of(content.get("traceId"))
    span.span_id = id_of(content.get("spanId"))
    span.parent_span_id = id_of(content.get("parentSpanId"))
    span.name = text(content, "name", place)
    span.kind = enum(content, "kind", place)  # type: ignore[assignment] # any number may come
    span.start_time_unix_nano = unsigned(content.get("startTimeUnixNano"))
    span.end_time_unix_nano = unsigned(content.get("endTimeUnixNano"))
    span.attributes.extend(attributes(content, place))
    status = inner(content, "status", place)
    span.status.code = enum(status, "code", f"{place}status.")  # type: ignore[assignment] # as above
    span.status.message = text(status, "message", f"{place}status.")
    for told, its_place in objects(content, "events", place):
        event = span.events.add()
        event.time_unix_nano = unsigned(told.get("timeUnixNano"))
        event.name = text(told, "name", its_place)
        event.attributes.extend(attributes(told, its_place))
