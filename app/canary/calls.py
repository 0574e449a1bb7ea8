"""What is sent: four calls, and what is to become of them.

One is sent twice, one has a broken neighbour, one comes over gRPC, and one is told of by two: by an
instrumentation, and by a gateway in a trace of its own. No two use the same, and each has an id of
its answer, so that nothing makes two of them one.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from spend.canary import MODEL, NO_TRACE, OPERATION, PROVIDER, SERVICE, TEAM, cost_of

INSTRUMENTATION: Final = "spanledger.canary"
GATEWAY: Final = "spanledger.canary.gateway"
MALFORMED: Final = b"\xff\xff\xff\xff, no request"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AGO: Final = timedelta(seconds=2)
"""Before they are sent: a call is told of when it is over."""
_RESOURCE: Final = {"service.name": SERVICE, "team": TEAM}
_CLIENT: Final = SpanMessage.SPAN_KIND_CLIENT


@dataclass(frozen=True, slots=True)
class Span:
    """What one emitter tells of a call."""

    trace_id: str
    """Hex, as ``span_id``."""
    span_id: str
    scope: str
    start: datetime
    """UTC, of whole milliseconds."""
    milliseconds: int
    prompt: int
    """Tokens, those from a cache among them."""
    cached: int
    output: int
    response_id: str

    def attributes(self) -> dict[str, str | int]:
        """As the GenAI conventions have them."""
        return {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": MODEL,
            "gen_ai.response.model": MODEL,
            "gen_ai.response.id": self.response_id,
            "gen_ai.usage.input_tokens": self.prompt,
            "gen_ai.usage.cache_read.input_tokens": self.cached,
            "gen_ai.usage.output_tokens": self.output,
        }

    def nanoseconds(self) -> tuple[int, int]:
        """When it began and ended, since 1970."""
        start = (self.start - _EPOCH) // timedelta(microseconds=1) * 1000
        return start, start + self.milliseconds * 10**6


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model that never was."""

    spans: tuple[Span, ...]
    """What is told of it, the instrumentation's first."""

    @property
    def tokens(self) -> dict[str, int]:
        """What it used, by meter."""
        told = self.spans[0]
        return {
            "input": told.prompt - told.cached,
            "cache_read": told.cached,
            "output": told.output,
        }

    @property
    def cost(self) -> Decimal:
        """What it costs, in the currency of its price lines."""
        return cost_of(self.tokens)


@dataclass(frozen=True, slots=True)
class Calls:
    """All that one run sends."""

    twice: Call
    beside: Call
    """With a broken neighbour."""
    over_grpc: Call
    seen_by_two: Call

    @property
    def all(self) -> tuple[Call, ...]:
        """Every one."""
        return self.twice, self.beside, self.over_grpc, self.seen_by_two


def new_calls(now: datetime) -> Calls:
    """Calls that nobody has sent before, over at ``now`` (UTC)."""
    start = (now - _AGO).replace(microsecond=0)
    calls = []
    for number in range(4):
        # In hundreds of their own: what is mixed up does not add up.
        prompt = 100 * (number + 1) + secrets.randbelow(100)
        told = Span(
            trace_id=secrets.token_hex(16),
            span_id=secrets.token_hex(8),
            scope=INSTRUMENTATION,
            start=start + timedelta(milliseconds=10 * number),
            milliseconds=900,
            prompt=prompt,
            cached=10 * (number + 1) + secrets.randbelow(10),
            output=20 + secrets.randbelow(80),
            response_id=f"resp_canary{secrets.token_hex(12)}",
        )
        calls.append(Call((told,)))
    twice, beside, over_grpc, last = calls
    seen_by_two = Call((*last.spans, _as_gateway(last.spans[0])))
    return Calls(twice, beside, over_grpc, seen_by_two)


def _as_gateway(told: Span) -> Span:
    """The same call as a gateway tells of it, which was given no trace to go on with."""
    return Span(
        trace_id=secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        scope=GATEWAY,
        start=told.start + timedelta(milliseconds=5),
        milliseconds=told.milliseconds - 10,
        prompt=told.prompt,
        cached=told.cached,
        output=told.output,
        response_id=told.response_id,
    )


def as_protobuf(spans: Sequence[Span]) -> bytes:
    """A request of OTLP that has these spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(_attribute(*each) for each in _RESOURCE.items())
    for told in spans:
        scope = group.scope_spans.add()
        scope.scope.name = told.scope
        start, end = told.nanoseconds()
        scope.spans.append(
            SpanMessage(
                trace_id=bytes.fromhex(told.trace_id),
                span_id=bytes.fromhex(told.span_id),
                name=_name(),
                kind=_CLIENT,
                start_time_unix_nano=start,
                end_time_unix_nano=end,
                attributes=[_attribute(*each) for each in told.attributes().items()],
            )
        )
    return request.SerializeToString()


def _attribute(key: str, value: str | int) -> KeyValue:
    told = AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
    return KeyValue(key=key, value=told)


def as_json_with_broken_neighbour(told: Span) -> bytes:
    """The same in JSON; before the span stands one whose trace id is none."""
    good = _json_span(told)
    broken = good | {"traceId": NO_TRACE.hex()}
    resource = {"attributes": [_json_attribute(*each) for each in _RESOURCE.items()]}
    scope = {"scope": {"name": told.scope}, "spans": [broken, good]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
    return json.dumps(body).encode()


def _json_span(told: Span) -> dict[str, Any]:
    start, end = told.nanoseconds()
    return {
        "traceId": told.trace_id,
        "spanId": told.span_id,
        "name": _name(),
        "kind": int(_CLIENT),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": [_json_attribute(*each) for each in told.attributes().items()],
    }


def _json_attribute(key: str, value: str | int) -> dict[str, Any]:
    told = {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}
    return {"key": key, "value": told}


def _name() -> str:
    return f"{OPERATION} {MODEL}"
