"""Builds OTLP requests for tests, and reads what the collector understood of them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from collector.signals import Signal
from collector.understanding.by_signal import understand_signal
from spend.calls import Emitter, Outcome, Owner, Role, Route, Sighting
from spend.meters import METER_NAMES
from spend.readings import Reading, TokenCounter
from store.intake.intake import Heard
from store.tenants import TENANT

VECTORS = Path(__file__).parent / "vectors"
"""Requests as real instrumentations sent them: see vectors/README.md."""

RECEIVED = datetime(2026, 11, 23, tzinfo=UTC)
START = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 10**9


def captured(scenario: str) -> list[bytes]:
    """The trace requests of ``folder/scenario``, in the order in which they were sent."""
    folder, name = scenario.split("/")
    files = (VECTORS / folder).glob(f"{name}-traces-*.pb")
    return [
        file.read_bytes()
        for file in sorted(files, key=lambda file: int(file.stem.rsplit("-", 1)[-1]))
    ]


@dataclass(frozen=True)
class Understood:
    """What some requests hold, as one."""

    sightings: pa.RecordBatch
    owners: Mapping[int, Owner]
    routes: Mapping[int, Route]
    emitters: Mapping[int, Emitter]
    counters: Mapping[int, TokenCounter]
    readings: Sequence[Reading]
    heard: int
    not_a_call: int
    refused: Counter[str]
    usage_refused: Counter[str]
    usage_conflicts: Counter[str]


def as_one(heard: Heard) -> Understood:
    def added(name: str) -> Counter[str]:
        return sum((Counter(getattr(part, name)) for part in heard.parts), Counter[str]())

    return Understood(
        heard.sightings,
        heard.owners,
        heard.routes,
        heard.emitters,
        heard.counters,
        readings=[reading for part in heard.parts for reading in part.readings],
        heard=sum(part.heard for part in heard.parts),
        not_a_call=sum(part.not_a_call for part in heard.parts),
        refused=added("refused"),
        usage_refused=added("usage_refused"),
        usage_conflicts=added("usage_conflicts"),
    )


def heard(
    *requests: bytes, key_team: str | None = None, signal: Signal = Signal.TRACES
) -> Understood:
    return as_one(
        understand_signal(signal, requests, tenant=TENANT, received_at=RECEIVED, key_team=key_team)
    )


def value(content: object) -> AnyValue:
    if isinstance(content, bool):
        return AnyValue(bool_value=content)
    if isinstance(content, int):
        return AnyValue(int_value=content)
    if isinstance(content, float):
        return AnyValue(double_value=content)
    if isinstance(content, str):
        return AnyValue(string_value=content)
    if isinstance(content, bytes):
        return AnyValue(bytes_value=content)
    found = AnyValue()
    if isinstance(content, Mapping):
        found.kvlist_value.SetInParent()
        found.kvlist_value.values.extend(pairs(content))
    elif isinstance(content, Sequence):
        found.array_value.SetInParent()
        found.array_value.values.extend(value(item) for item in content)
    return found


def pairs(attributes: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(content)) for key, content in attributes.items()]


@dataclass(frozen=True, kw_only=True)
class Told:
    """A span as a test tells it."""

    attributes: Mapping[str, object]
    name: str = "chat gpt-4o"
    kind: int = 3
    trace_id: bytes = b"\x01" * 16
    span_id: bytes = b"\x02" * 8
    parent_span_id: bytes = b""
    start: int = START
    end: int = START + 10**9
    status: int = 0
    message: str = ""
    scope: str = "opentelemetry.instrumentation.genai.openai"
    version: str = "1.3b0"
    events: Sequence[tuple[int, str, Mapping[str, object]]] = ()


def request(*told: Told, resource: Mapping[str, object] | None = None) -> bytes:
    """A request of one resource, one scope for each span."""
    body = ExportTraceServiceRequest()
    group = body.resource_spans.add()
    group.resource.attributes.extend(pairs(resource or {}))
    for one in told:
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = one.scope, one.version
        span = scope.spans.add(
            name=one.name,
            trace_id=one.trace_id,
            span_id=one.span_id,
            parent_span_id=one.parent_span_id,
            start_time_unix_nano=one.start,
            end_time_unix_nano=one.end,
            attributes=pairs(one.attributes),
        )
        span.kind = one.kind  # type: ignore[assignment] # any number may come
        if one.status or one.message:
            span.status.code = one.status  # type: ignore[assignment] # as above
            span.status.message = one.message
        for time, name, attributes in one.events:
            span.events.add(time_unix_nano=time, name=name, attributes=pairs(attributes))
    return body.SerializeToString()


CHAT: Mapping[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
}


def call(**changes: Any) -> Told:
    """A call with ``attributes`` beside those of a chat, and other fields of the span."""
    attributes = {**CHAT, **changes.pop("attributes", {})}
    return Told(attributes=attributes, **changes)


def only(understood: Understood) -> Sighting:
    """The one sighting."""
    (one,) = sightings(understood)
    return one


def sightings(understood: Understood) -> list[Sighting]:
    return [
        Sighting(
            trace_id=UUID(bytes=row["trace_id"]),
            span_id=row["span_id"],
            parent_span_id=row["parent_span_id"],
            start_at=row["start_at"],
            duration_us=row["duration_us"],
            ttft_us=row["ttft_us"],
            role=Role(row["role"]),
            outcome=Outcome(row["outcome"]),
            owner=understood.owners[row["owner_id"]],
            route=understood.routes[row["route_id"]],
            emitter=understood.emitters[row["emitter_id"]],
            response_id=row["response_id"],
            usage={name: row[name] for name in METER_NAMES if row[name] is not None},
            details=json.loads(row["details"]) if row["details"] else {},
            kin_id=row["kin_id"],
        )
        for row in understood.sightings.to_pylist()
    ]
