"""Builds OTLP log requests for tests."""

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from spans import START, pairs, value

CLAUDE = "com.anthropic.claude_code.events"
CODEX = "codex_otel.log_only"
GEMINI = "gemini-cli"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A log record as a test tells it."""

    attributes: Mapping[str, object]
    scope: str = CLAUDE
    version: str = "2.1.197"
    time: int = START
    observed: int = START
    severity: int = 0
    event_name: str = ""
    body: object = None
    trace_id: bytes = b""
    span_id: bytes = b""


def logs(*told: Record, resource: Mapping[str, object] | None = None) -> bytes:
    """A request of one resource, one scope for each record."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(pairs(resource or {}))
    for one in told:
        scope = group.scope_logs.add()
        scope.scope.name, scope.scope.version = one.scope, one.version
        record = scope.log_records.add(
            time_unix_nano=one.time,
            observed_time_unix_nano=one.observed,
            event_name=one.event_name,
            attributes=pairs(one.attributes),
            trace_id=one.trace_id,
            span_id=one.span_id,
        )
        record.severity_number = one.severity  # type: ignore[assignment] # any number may come
        if one.body is not None:
            record.body.CopyFrom(value(one.body))
    return request.SerializeToString()


def api_request(**changes: object) -> Record:
    """A call that Claude Code logged; ``attributes`` beside its own, and other fields."""
    more = changes.pop("attributes", {})
    assert isinstance(more, Mapping)
    attributes = {
        "event.name": "api_request",
        "session.id": "s-1",
        "prompt.id": "p-1",
        "event.sequence": 1,
        "model": "claude-sonnet-4-5",
        "input_tokens": 300,
        "output_tokens": 50,
        "cache_read_tokens": 580,
        "cache_creation_tokens": 120,
        "cost_usd": 0.0023,
        "duration_ms": 171,
        **more,
    }
    return Record(attributes=attributes, **changes)  # type: ignore[arg-type] # the test's word
