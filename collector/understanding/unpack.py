"""Attributes that hold values within their value: the few that count, as if they were attributes.

Bounded: a value over ``LARGEST`` bytes is not parsed. Of a long answer only the id at its very
beginning is looked for, which is where providers put it. Equal values are parsed once a batch.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from collector.dialects.table import Unpacked
from collector.understanding.attributes import ANY, FIRST_UNPACKED, KEYS, NUMBER, UNPACKS, Known
from collector.understanding.otlp import Ints
from collector.understanding.printed import as_json

LARGEST: Final = 65536
_LARGEST_INT64: Final = 2**63 - 1
_ID_FIRST: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9_.:-]{1,200})"')
_PRINTED: Final = re.compile(rb"[\[{(]+['A-Za-z_]|[A-Za-z_]\w*\(")
_UNREADABLE: Final = object()

Taken = list[tuple[int, object, int]]
"""Number of an attribute, its value, and the dialect on whose spans it counts."""


@dataclass(slots=True)
class Found:
    """What was taken out: parallel lists."""

    rows: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def of_kind(self, kind: str) -> Iterator[tuple[int, Any]]:
        """Place and value of those of a kind."""
        for place, its_kind in enumerate(self.kinds):
            if its_kind == kind:
                yield place, self.values[place]

    def put(self, row: int, number: int, value: object) -> None:
        """Adds a value, if it is one that an attribute could have; a map or list is not."""
        kind = {bool: "flag", int: "whole", float: "real", str: "text"}.get(type(value))
        if isinstance(value, int) and abs(value) > _LARGEST_INT64:
            kind, value = "real", float(value)
        if kind is not None:
            self.rows.append(row)
            self.numbers.append(number)
            self.kinds.append(kind)
            self.values.append(value)


@dataclass(frozen=True, slots=True)
class _Taker:
    """An ``Unpacked``, ready for use."""

    at: tuple[str, ...]
    whose: int
    given: frozenset[str]
    unless: frozenset[str]
    takes: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
    """Steps of a path, and the numbers of what is found there."""
    otherwise: "_Taker | None"

    @classmethod
    def of(cls, unpacked: Unpacked, whose: int) -> "_Taker":
        takes = tuple(
            (_steps(path), tuple(NUMBER[name] for name in _names(names)))
            for path, names in unpacked.takes.items()
        )
        otherwise = cls.of(unpacked.otherwise, whose) if unpacked.otherwise else None
        given, unless = unpacked.given, unpacked.unless
        return cls(_steps(unpacked.at), whose, given, unless, takes, otherwise)

    def fits(self, content: object) -> bool:
        keys = content.keys() if isinstance(content, dict) else frozenset[str]()
        return not (self.given and self.given.isdisjoint(keys)) and self.unless.isdisjoint(keys)

    def taken(self, content: object, whole: object) -> Taken:
        """What is found in some content; ``whole`` is what it is where it cannot be parsed."""
        inside = _at(content, self.at)
        taker: _Taker | None = self
        while taker and not taker.fits(inside):
            taker = taker.otherwise
        if taker is None:
            return []
        found: dict[int, object] = {}
        for steps, numbers in taker.takes:
            value = _at(inside, steps) if steps else whole
            if value is not None:
                for number in numbers:
                    found.setdefault(number, value)
        return [(number, value, self.whose) for number, value in found.items()]


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


_TAKERS: Final = {
    NUMBER[key]: tuple(_Taker.of(unpacked, whose) for unpacked, whose in unpacks)
    for key, unpacks in UNPACKS.items()
}


def unpack(known: Known, dialect: Ints) -> Found:
    """What the dialects take out of some spans' known attributes.

    ``dialect`` is each span's index in DIALECTS, or -1.
    """
    found = Found()
    for number in range(FIRST_UNPACKED, len(KEYS)):
        first, end = int(known.starts[number]), int(known.starts[number + 1])
        if first == end:
            continue
        holders = known.holder[first:end]
        for kind in ("text", "raw", "array", "pairs"):
            if kind in known.values:
                values = known.values[kind].slice(first, end - first)
                _unpack_kind(values, kind, number, holders, dialect, found)
    return found


def _unpack_kind(
    values: Any, kind: str, number: int, holders: Ints, dialect: Ints, found: Found
) -> None:
    encoded = values.dictionary_encode()
    taken = [_taken(number, kind, raw) for raw in encoded.dictionary.to_pylist()]
    if not any(taken):
        return
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    some = np.array([*map(bool, taken), False])[index]
    for row, which in zip(holders[some].tolist(), index[some].tolist(), strict=True):
        spoken = dialect[row]
        for key, value, whose in taken[which]:
            if whose in (ANY, spoken):
                found.put(row, key, value)


def _taken(number: int, kind: str, raw: bytes) -> Taken:
    takers = _TAKERS[number]
    if len(raw) > LARGEST:
        return _id_of_long(takers, raw)
    content = _parsed(raw) if kind in {"text", "raw"} else _decoded(kind, raw)
    whole = raw.decode("utf-8", "replace") if content is _UNREADABLE else content
    if isinstance(content, str):
        content = _parsed(content.encode())
    return [found for taker in takers for found in taker.taken(content, whole)]


def _id_of_long(takers: Sequence[_Taker], raw: bytes) -> Taken:
    head = _ID_FIRST.match(raw[:400])
    if not head:
        return []
    return [
        (key, head[1].decode(), taker.whose)
        for taker in takers
        for steps, numbers in taker.takes
        if steps == ("id",)
        for key in numbers
    ]


def _parsed(raw: bytes) -> object:
    """What a text holds, if it is JSON or was printed by Python."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    if not _PRINTED.match(raw):
        return _UNREADABLE
    try:
        return orjson.loads(as_json(raw.decode("utf-8", "replace")))
    except orjson.JSONDecodeError:
        return _UNREADABLE


def _decoded(kind: str, raw: bytes) -> object:
    """What a list or a map of OTLP holds."""
    try:
        if kind == "array":
            return [_plain(item) for item in ArrayValue.FromString(raw).values]
        return {pair.key: _plain(pair.value) for pair in KeyValueList.FromString(raw).values}
    except DecodeError:
        return _UNREADABLE


def _plain(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case None | "bytes_value":
            return None
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case name:
            return getattr(value, name)


def _at(content: object, steps: Sequence[str]) -> object:
    """What stands at a path, if anything."""
    for place, step in enumerate(steps):
        if isinstance(content, str):
            content = _parsed(content.encode())
        if isinstance(content, dict):
            content = (
                _sum_of_keys(content, step) if "*" in step or "+" in step else content.get(step)
            )
        elif not isinstance(content, list):
            return None
        elif step.isdecimal():
            content = content[int(step)] if int(step) < len(content) else None
        else:
            return _sum(_at(item, steps[place + 1 :]) for item in _those(content, step))
    return content


def _sum_of_keys(content: Mapping[str, object], step: str) -> object:
    """The numbers of some keys, added: ``input+input_audio``, ``input_modality_*``."""
    keys = [
        key
        for part in step.split("+")
        for key in (
            [key for key in content if key.startswith(part[:-1])] if part[-1:] == "*" else [part]
        )
    ]
    return _sum(content.get(key) for key in dict.fromkeys(keys))


def _those(items: Sequence[object], step: str) -> Sequence[object]:
    if step == "*":
        return items
    key, _, value = step.partition("=")
    return [item for item in items if isinstance(item, dict) and str(item.get(key)) == value]


def _sum(values: Iterable[object]) -> object:
    told = [value for value in values if type(value) in (int, float)]
    return sum(told) if told else None  # type: ignore[arg-type] # numbers, by the line above
