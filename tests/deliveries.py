"""The ways in which the same telemetry can reach the collector."""

import base64
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from truths import VECTORS

from collector.limits import Limits
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal

Sent = tuple[Signal, bytes]

REQUESTS: dict[Signal, tuple[type[Message], tuple[str, str, str]]] = {
    Signal.TRACES: (ExportTraceServiceRequest, ("resource_spans", "scope_spans", "spans")),
    Signal.LOGS: (ExportLogsServiceRequest, ("resource_logs", "scope_logs", "log_records")),
    Signal.METRICS: (ExportMetricsServiceRequest, ("resource_metrics", "scope_metrics", "metrics")),
}
"""Signal -> its request, and the names of its three lists: by resource, by scope, items."""


def sent(
    scenario: str, signals: Iterable[str] = ("traces",), *, as_sent: bool = False
) -> list[Sent]:
    """The requests of ``folder/scenario`` in the order in which they were sent, as protobuf.

    ``as_sent``: those that came as JSON as JSON.

    What follows an ``@`` tells truths of one scenario apart, by what is sent of it.
    """
    folder, name = scenario.partition("@")[0].split("/")
    found: list[Sent] = []
    for signal in (Signal(each) for each in signals):
        files = [
            file
            for file in (VECTORS / folder).glob(f"{name}-{signal}-*")
            if file.suffix in {".pb", ".json"}
        ]
        for file in sorted(files, key=lambda file: int(file.stem.rsplit("-", 1)[-1])):
            body = file.read_bytes()
            is_json = file.suffix == ".json" and not as_sent
            found.append((signal, to_protobuf(body, signal, Limits()).body if is_json else body))
    return found


def as_otlp_json(request: bytes, signal: Signal) -> bytes:
    """A request as OTLP/JSON, made from protobuf's JSON, whose ids are base64 and enums names."""
    message = REQUESTS[signal][0].FromString(request)
    text = json.dumps(MessageToDict(message, use_integers_for_enums=True))
    return re.sub(
        r'"(traceId|spanId|parentSpanId)": "([^"]+)"',
        lambda found: f'"{found[1]}": "{base64.b64decode(found[2]).hex().upper()}"',
        text,
    ).encode()


def with_resource_attribute(sent: list[Sent], key: str, value: str) -> list[Sent]:
    """The same from sources that say this of themselves too."""
    return [(signal, _said_by_resources(signal, body, key, value)) for signal, body in sent]


def _said_by_resources(signal: Signal, body: bytes, key: str, value: str) -> bytes:
    request, (by_resource, _, _) = REQUESTS[signal]
    whole: Any = request.FromString(body)
    for resource in getattr(whole, by_resource):
        resource.resource.attributes.add(key=key).value.string_value = value
    return bytes(whole.SerializeToString())


def item_by_item(sent: list[Sent]) -> list[Sent]:
    """The same spans, records and metrics, each in a request of its own."""
    return [piece for one in sent for piece in _items(*one)]


def _items(signal: Signal, body: bytes) -> Iterator[Sent]:
    request, (by_resource, by_scope, items) = REQUESTS[signal]
    whole: Any = request.FromString(body)
    for resource in getattr(whole, by_resource):
        for scope in getattr(resource, by_scope):
            for item in getattr(scope, items):
                single: Any = request()
                one = getattr(single, by_resource).add(schema_url=resource.schema_url)
                one.resource.CopyFrom(resource.resource)
                within = getattr(one, by_scope).add(schema_url=scope.schema_url)
                within.scope.CopyFrom(scope.scope)
                getattr(within, items).add().CopyFrom(item)
                yield signal, single.SerializeToString()


def shuffled(sent: list[Sent]) -> list[Sent]:
    """Item by item, in any order, and a third of them sent again."""
    chance = random.Random(1)
    pieces = item_by_item(sent)
    pieces += chance.sample(pieces, len(pieces) // 3)
    chance.shuffle(pieces)
    return pieces


DELIVERIES: dict[str, Callable[[list[Sent]], list[Sent]]] = {
    "as sent": lambda sent: sent,
    "backwards": lambda sent: list(reversed(item_by_item(sent))),
    "twice": lambda sent: [*sent, *sent],
    "item by item, shuffled, a third twice": shuffled,
}
