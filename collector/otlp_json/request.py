"""A request's body, from JSON text to protobuf."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.errors import Malformed, TooLarge
from collector.limits import Limits, check_objects
from collector.otlp_json.logs import put_record
from collector.otlp_json.metrics import put_metric
from collector.otlp_json.sources import put_resource, put_scope
from collector.otlp_json.spans import put_span
from collector.otlp_json.values import listed, objects
from collector.signals import Request, Signal


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a signal's items lie in its request, from outside to inside."""

    message: Callable[[], Any]
    members: tuple[str, str, str]
    """Of JSON."""
    fields: tuple[str, str, str]
    """Of protobuf."""
    put: Callable[[Any, dict[str, Any]], None]


_SHAPES: Final = {
    Signal.TRACES: _Shape(
        ExportTraceServiceRequest,
        ("resourceSpans", "scopeSpans", "spans"),
        ("resource_spans", "scope_spans", "spans"),
        put_span,
    ),
    Signal.LOGS: _Shape(
        ExportLogsServiceRequest,
        ("resourceLogs", "scopeLogs", "logRecords"),
        ("resource_logs", "scope_logs", "log_records"),
        put_record,
    ),
    Signal.METRICS: _Shape(
        ExportMetricsServiceRequest,
        ("resourceMetrics", "scopeMetrics", "metrics"),
        ("resource_metrics", "scope_metrics", "metrics"),
        put_metric,
    ),
}
_INDEX: Final = re.compile(r"\[[0-9]+\]")
_LONGEST_INTEGER: Final = 20
"""Digits and sign of what 64 bits hold."""

_HIGH: Final = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW: Final = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Plain replacements: a body of nothing but these costs no Python call for each.
_HALVES: Final = re.compile(rb"%s(?!%s)|(?<!%s)%s" % (_HIGH, _LOW, _HIGH, _LOW))


def to_protobuf(body: bytes, signal: Signal, limits: Limits) -> Request:
    """The signal's request that a JSON body stands for.

    Raises ``Malformed``, naming the place, for what is no JSON or has another shape, and where no
    item can be read; ``TooLarge`` beyond the limits of objects and items.
    """
    check_objects(body, limits.json_objects)
    try:
        content = _parsed(body)
        _check_signal(content, signal)
        _check_lists(content, signal, limits.spans)
        return _converted(content, _SHAPES[signal])
    except RecursionError:
        raise Malformed("JSON: nested too deep") from None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as strict:
        try:
            content = _tolerant(body)
        except ValueError:
            raise Malformed(f"JSON: {strict}") from None
    if not isinstance(content, dict):
        raise Malformed("JSON: an object is expected")
    return content


def _tolerant(body: bytes) -> Any:
    """What senders write that is no JSON, but whose meaning is clear. Raises ValueError.

    JavaScript writes half an emoji, where a text was cut inside one, as a lone surrogate; Python
    writes NaN and Infinity bare; text may come that is no UTF-8, or begins with a byte order mark.
    """
    # Escaped backslashes are out of the way meanwhile: what follows one is no escape.
    mended = _HALVES.sub(rb"\\ufffd", body.replace(rb"\\", b"\0\0")).replace(b"\0\0", rb"\\")
    text = mended.decode("utf-8-sig", "replace")
    return json.loads(text, strict=False, parse_int=_whole)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _check_signal(content: dict[str, Any], signal: Signal) -> None:
    """Raise ``Malformed`` where the items are another signal's.

    Unknown members are ignored, and all items would be lost without a word.
    """
    ours = _SHAPES[signal].members[0]
    if ours in content:
        return
    for other, shape in _SHAPES.items():
        if other is not signal and shape.members[0] in content:
            raise Malformed(f"JSON: these are {other.items}: send them to {other.path}")
    ours_in_protobuf = _SHAPES[signal].fields[0]
    if ours_in_protobuf in content:
        raise Malformed(f"JSON: the member is called {ours}, not {ours_in_protobuf}")


def _check_lists(content: dict[str, Any], signal: Signal, most: int) -> None:
    """Raise ``TooLarge`` beyond so many items, or twice as many groups of them.

    Those of protobuf are counted again, with the data points within (``check_items``).
    """
    by_resource, by_scope, items = _SHAPES[signal].members
    groups = _inside([content], by_resource)
    scopes = _inside(groups, by_scope)
    if len(groups) + len(scopes) > 2 * most:
        raise TooLarge(f"more than {2 * most:,} groups of {signal.items} in one request")
    if len(_inside(scopes, items)) > most:
        raise TooLarge(f"more than {most:,} {signal.items} in one request")


def _inside(holders: Iterable[Any], name: str) -> list[Any]:
    """What some objects hold in a list."""
    found = (holder.get(name) for holder in holders if isinstance(holder, dict))
    return [each for some in found if isinstance(some, list) for each in some]


def _converted(content: dict[str, Any], shape: _Shape) -> Request:
    request = shape.message()
    left_out: Counter[str] = Counter()
    kept = 0
    for group, place in objects(content, shape.members[0], ""):
        by_resource = getattr(request, shape.fields[0]).add()
        put_resource(by_resource.resource, group, place)
        for scoped, scoped_place in objects(group, shape.members[1], place):
            by_scope = getattr(by_resource, shape.fields[1]).add()
            put_scope(by_scope.scope, scoped, scoped_place)
            items = getattr(by_scope, shape.fields[2])
            for item in listed(scoped, shape.members[2], scoped_place):
                _put(item, items, shape, left_out)
            kept += len(items)
    if left_out and not kept:
        raise Malformed(f"JSON: {next(iter(left_out))}")
    return Request(request.SerializeToString(), left_out)


def _put(item: object, into: Any, shape: _Shape, left_out: Counter[str]) -> None:
    """Put an item into its field; one that has something of the wrong kind is left out."""
    if not isinstance(item, dict):
        left_out[f"{shape.members[2]}: must be an object"] += 1
        return
    try:
        shape.put(into.add(), item)
    except Malformed as fault:
        del into[-1]
        # Without indexes, so that equal faults are counted together.
        left_out[f"{shape.members[2]}: {_INDEX.sub('[]', str(fault))}"] += 1
