"""OTLP/JSON as the protobuf bytes of the same request.

Own rules, as OTLP's JSON is not protobuf's: ids are hex in any letter case (protobuf's library
would read them as base64, into 24 wrong bytes, without a word), enums are integers only, names are
lowerCamelCase only, 64-bit integers come as text or numbers, unknown members are ignored.

What is wrong with one value costs that value or its span, which is refused later with a reason;
what is wrong with the shape costs the request.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector.errors import Malformed

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){1,32}")
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
_LARGEST_UINT64: Final = 2**64 - 1
_INT64: Final = (-(2**63), 2**63 - 1)
_INT32: Final = (-(2**31), 2**31 - 1)
_DEEPEST: Final = 16
"""Values nested deeper are left out: nothing that is kept lies there."""

# Every escape in order, so that "\\\\ud800" (a backslash and letters) is not taken for one.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<alone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def to_protobuf(body: bytes) -> bytes:
    """The serialised ``ExportTraceServiceRequest`` that a JSON body stands for.

    Raises ``Malformed``, naming the place, for what is no JSON or has another shape.
    """
    try:
        content = _parsed(body)
    except RecursionError:  # orjson refuses depth; this is for our own descent
        raise Malformed("JSON: nested too deep") from None
    request = ExportTraceServiceRequest()
    for group, place in _objects(content, "resourceSpans", ""):
        _put_group(request.resource_spans.add(), group, place)
    return request.SerializeToString()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as strict:
        # JavaScript writes half an emoji, where a text was cut inside one, as a lone surrogate.
        mended = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["alone"] else escape[0], body)
        try:
            content = orjson.loads(mended)
        except orjson.JSONDecodeError:
            raise Malformed(f"JSON: {strict}") from None
    if not isinstance(content, dict):
        raise Malformed("JSON: an object with resourceSpans is expected")
    return content


def _objects(holder: dict[str, Any], name: str, place: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a repeated member, each with its place."""
    items = holder.get(name)
    if items is None:
        return
    if not isinstance(items, list):
        raise Malformed(f"{place}{name} must be a list")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise Malformed(f"{place}{name}[{index}] must be an object")
        yield item, f"{place}{name}[{index}]."


def _object(holder: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    found = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed(f"{place}{name} must be an object")
    return found


def _put_group(group: ResourceSpans, content: dict[str, Any], place: str) -> None:
    resource = _object(content, "resource", place)
    group.resource.attributes.extend(_attributes(resource, f"{place}resource."))
    for inner, inner_place in _objects(content, "scopeSpans", place):
        _put_scope(group.scope_spans.add(), inner, inner_place)


def _put_scope(scope: ScopeSpans, content: dict[str, Any], place: str) -> None:
    named = _object(content, "scope", place)
    scope.scope.name = _text(named, "name", f"{place}scope.")
    scope.scope.version = _text(named, "version", f"{place}scope.")
    for inner, inner_place in _objects(content, "spans", place):
        _put_span(scope.spans.add(), inner, inner_place)


def _put_span(span: Span, content: dict[str, Any], place: str) -> None:
    span.trace_id = _id(content.get("traceId"))
    span.span_id = _id(content.get("spanId"))
    span.parent_span_id = _id(content.get("parentSpanId"))
    span.name = _text(content, "name", place)
    span.kind = _enum(content, "kind", place)  # type: ignore[assignment] # any number may come
    span.start_time_unix_nano = _nanos(content.get("startTimeUnixNano"))
    span.end_time_unix_nano = _nanos(content.get("endTimeUnixNano"))
    span.attributes.extend(_attributes(content, place))
    status = _object(content, "status", place)
    span.status.code = _enum(status, "code", f"{place}status.")  # type: ignore[assignment] # as above
    span.status.message = _text(status, "message", f"{place}status.")
    for inner, inner_place in _objects(content, "events", place):
        event = span.events.add()
        event.time_unix_nano = _nanos(inner.get("timeUnixNano"))
        event.name = _text(inner, "name", inner_place)
        event.attributes.extend(_attributes(inner, inner_place))


def _attributes(holder: dict[str, Any], place: str) -> Iterator[KeyValue]:
    for item, item_place in _objects(holder, "attributes", place):
        yield KeyValue(
            key=_text(item, "key", item_place), value=_value(item.get("value"), _DEEPEST)
        )


def _text(holder: dict[str, Any], name: str, place: str) -> str:
    found = holder.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Malformed(f"{place}{name} must be a string")
    return found


def _enum(holder: dict[str, Any], name: str, place: str) -> int:
    found = holder.get(name)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int):
        raise Malformed(f"{place}{name} must be an integer")
    return found if _INT32[0] <= found <= _INT32[1] else 0


def _id(found: object) -> bytes:
    """An id's bytes; empty where it is none, and its span is refused for that."""
    return bytes.fromhex(found) if isinstance(found, str) and _HEX.fullmatch(found) else b""


def _integer(found: object) -> int | None:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        return int(found)
    return None


def _nanos(found: object) -> int:
    nanos = _integer(found)
    return nanos if nanos is not None and 0 <= nanos <= _LARGEST_UINT64 else 0


def _value(found: object, deepest: int) -> AnyValue:
    """An attribute's value. A number that is none stays what it is, to be refused by name."""
    value = AnyValue()
    if not isinstance(found, dict) or not deepest:
        return value
    match found:
        case {"stringValue": str(text)}:
            value.string_value = text
        case {"boolValue": bool(flag)}:
            value.bool_value = flag
        case {"intValue": whole}:
            value = _whole(whole)
        case {"doubleValue": real}:
            value = _real(real)
        case {"arrayValue": dict(array)}:
            value.array_value.SetInParent()
            items = array.get("values")
            for item in items if isinstance(items, list) else ():
                value.array_value.values.add().CopyFrom(_value(item, deepest - 1))
        case {"kvlistValue": _}:
            # Nothing that is kept is in a map.
            value.kvlist_value.SetInParent()
        case {"bytesValue": str(raw)}:
            value.bytes_value = raw.encode()
    return value


def _whole(found: object) -> AnyValue:
    whole = _integer(found)
    if whole is not None:
        inside = _INT64[0] <= whole <= _INT64[1]
        return AnyValue(int_value=whole) if inside else AnyValue(double_value=float(whole))
    return _real(found)


def _real(found: object) -> AnyValue:
    if isinstance(found, bool):
        return AnyValue(bool_value=found)
    if isinstance(found, int | float):
        return AnyValue(double_value=float(found))
    if isinstance(found, str):
        names = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
        if found in names:
            return AnyValue(double_value=float(names[found]))
        return AnyValue(string_value=found[:100])
    return AnyValue()
