"""Requests whose every span says which one it is: its ids number it, its tokens follow from that.

A span's identity is its trace id: 4 bytes of the run, 4 of the sender, 8 of its number there.
What it holds and what must become of it is a function of that, so that nothing but how far each
sender came has to be remembered.
"""

import time
from dataclasses import dataclass
from enum import Enum
from functools import cache

from doors import number, text
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SCOPE = "opentelemetry.instrumentation.openai_v2"
VARIANTS = 64


class Kind(Enum):
    CALL = "call"
    OTHER = "other"
    REFUSED = "refused"


@dataclass(frozen=True)
class Tokens:
    """As the span says it; the input holds what came from the cache."""

    input: int
    cached: int
    output: int


def resource_of(run: int) -> dict[str, str]:
    """Each run is a team, so that its cells are told from those of another."""
    return {"service.name": "search-api", "team": team_of(run)}


def team_of(run: int) -> str:
    return f"run-{run:08x}"


def tokens_of(number: int) -> Tokens:
    variant = number % VARIANTS
    told = 500 + 37 * variant
    return Tokens(told, 16 * (variant % 8), 3 + 11 * variant)


@dataclass(frozen=True)
class Mix:
    """Every so-manieth span is no call, or cannot be kept; 0 for none."""

    other_every: int = 0
    refused_every: int = 0

    def kind(self, number: int) -> Kind:
        if self.refused_every and number % self.refused_every == 5:
            return Kind.REFUSED
        if self.other_every and number % self.other_every == 3:
            return Kind.OTHER
        return Kind.CALL


CALLS = Mix()
MIXED = Mix(other_every=7, refused_every=13)
UNREFUSED = Mix(other_every=7)


def trace_of(run: int, sender: int, number: int) -> bytes:
    return run.to_bytes(4, "big") + sender.to_bytes(4, "big") + number.to_bytes(8, "big")


def span_of(number: int) -> bytes:
    return (number + 1).to_bytes(8, "big")


def attributes_of(number: int) -> dict[str, str | int]:
    """Of a call."""
    tokens = tokens_of(number)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5",
        "spanledger.feature": "rerank",
        "gen_ai.usage.input_tokens": tokens.input,
        "gen_ai.usage.cache_read.input_tokens": tokens.cached,
        "gen_ai.usage.output_tokens": tokens.output,
    }


_TRACE = b"\xaa\xbb\xcc\xdd" * 4
_SPAN = b"\x11\x22\x33\x44" * 2


@cache
def _pattern(kind: Kind, variant: int, start: int) -> bytes:
    """A span between marks, as it stands in a request."""
    span = Span(
        trace_id=_TRACE,
        span_id=_SPAN,
        name="chat gpt-5",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=0 if kind is Kind.REFUSED else start,
        end_time_unix_nano=start + 10**9,
    )
    if kind is Kind.OTHER:
        span.name = "GET /"
    else:
        for key, value in attributes_of(variant).items():
            span.attributes.append(
                number(key, value) if isinstance(value, int) else text(key, value)
            )
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(span)
    return request.resource_spans[0].scope_spans[0].SerializeToString()


@cache
def _frame(run: int) -> bytes:
    """A resource and a scope, before their spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(text(key, value) for key, value in resource_of(run).items())
    return group.SerializeToString()


@cache
def _scope() -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = SCOPE
    return scope.SerializeToString()


def body(run: int, sender: int, numbers: range, mix: Mix, *, start: int | None = None) -> bytes:
    """A serialised request; ``start`` in nanoseconds, by default the last full minute's."""
    minute = 60 * 10**9
    begun = (time.time_ns() // minute - 1) * minute if start is None else start
    scope = _scope() + b"".join(
        _pattern(mix.kind(n), n % VARIANTS, begun)
        .replace(_TRACE, trace_of(run, sender, n), 1)
        .replace(_SPAN, span_of(n), 1)
        for n in numbers
    )
    group = _frame(run) + b"\x12" + _length(len(scope)) + scope
    return b"\x0a" + _length(len(group)) + group


def _length(count: int) -> bytes:
    """A varint, as protobuf writes lengths."""
    parts = bytearray()
    while count > 0x7F:
        parts.append(count & 0x7F | 0x80)
        count >>= 7
    parts.append(count)
    return bytes(parts)
