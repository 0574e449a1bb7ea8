"""Builds OTLP log requests for tests."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from spans import Told, pairs


def logged(*told: Told) -> bytes:
    """What spans tell, as log records that were written when they ended."""
    body = ExportLogsServiceRequest()
    group = body.resource_logs.add()
    for one in told:
        scope = group.scope_logs.add()
        scope.scope.name, scope.scope.version = one.scope, one.version
        record = scope.log_records.add(
            time_unix_nano=one.end or one.start,
            trace_id=one.trace_id,
            span_id=one.span_id,
            attributes=pairs(one.attributes),
            event_name=one.name,
        )
        record.body.string_value = one.message
    return body.SerializeToString()
