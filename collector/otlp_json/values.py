"""The values of OTLP/JSON, each read by OTLP's rules and no wider."""

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)

from collector.errors import Malformed

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){1,32}")
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
_LARGEST_UINT64: Final = 2**64 - 1
_INT64: Final = (-(2**63), 2**63 - 1)
_INT32: Final = (-(2**31), 2**31 - 1)
_DEEPEST: Final = 16
"""Values nested deeper are left out: nothing that is kept lies there."""


def listed(holder: dict[str, Any], name: str, place: str) -> list[Any]:
    """A repeated member; empty where there is none."""
    items = holder.get(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise Malformed(f"{place}{name} must be a list")
    return items


def objects(holder: dict[str, Any], name: str, place: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a repeated member, each with its place."""
    for index, item in enumerate(listed(holder, name, place)):
        if not isinstance(item, dict):
            raise Malformed(f"{place}{name}[{index}] must be an object")
        yield item, f"{place}{name}[{index}]."


def inner(holder: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    """The object that a member is; an empty one where it is not there."""
    found = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed(f"{place}{name} must be an object")
    return found


def attributes(holder: dict[str, Any], place: str) -> Iterator[KeyValue]:
    """The member ``attributes``."""
    for item, item_place in objects(holder, "attributes", place):
        yield KeyValue(key=text(item, "key", item_place), value=any_value(item.get("value")))


def text(holder: dict[str, Any], name: str, place: str) -> str:
    """A text; empty where there is none."""
    found = holder.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Malformed(f"{place}{name} must be a string")
    return found


def enum(holder: dict[str, Any], name: str, place: str) -> int:
    """An enum's number; 0 where there is none."""
    found = holder.get(name)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int):
        raise Malformed(f"{place}{name} must be an integer")
    return found if _INT32[0] <= found <= _INT32[1] else 0


def id_of(found: object) -> bytes:
    """An id's bytes; empty where it is none, and its span is refused for that."""
    return bytes.fromhex(found) if isinstance(found, str) and _HEX.fullmatch(found) else b""


def integer(found: object) -> int | None:
    """A whole number, however it is written."""
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        return int(found)
    return None


def unsigned(found: object) -> int:
    """Nanoseconds or a count; 0 where it is none."""
    whole = integer(found)
    return whole if whole is not None and 0 <= whole <= _LARGEST_UINT64 else 0


def real(found: object) -> float | None:
    """A number of any kind; None where it is none."""
    value = _real(found)
    return value.double_value if value.HasField("double_value") else None


def any_value(found: object) -> AnyValue:
    """A value of any kind: an attribute's, or a log record's body."""
    return _value(found, _DEEPEST)


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
            items = [_value(item, deepest - 1) for item in _list(array)]
            value.array_value.CopyFrom(ArrayValue(values=items))
        case {"kvlistValue": dict(pairs)}:
            found_pairs = [_pair(item, deepest - 1) for item in _list(pairs)]
            value.kvlist_value.CopyFrom(KeyValueList(values=found_pairs))
        case {"bytesValue": str(raw)}:
            value.bytes_value = _decoded(raw)
    return value


def _decoded(text: str) -> bytes:
    """Base64; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _list(holder: dict[str, Any]) -> list[Any]:
    values = holder.get("values")
    return values if isinstance(values, list) else []


def _pair(found: object, deepest: int) -> KeyValue:
    pair = KeyValue()
    if isinstance(found, dict):
        key = found.get("key")
        pair.key = key if isinstance(key, str) else ""
        if "value" in found:
            pair.value.CopyFrom(_value(found["value"], deepest))
    return pair


def _whole(found: object) -> AnyValue:
    whole = integer(found)
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
