"""Attributes that hold values within their value: the few that count, as if they were attributes.

Bounded: a value over ``LARGEST`` bytes is not parsed. Of a long answer only the id at its very
beginning is looked for, which is where providers put it. Equal values are parsed once a batch.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from collector.dialects.table import Unpacked
from collector.understanding.attributes import ANY, FIRST_UNPACKED, KEYS, NUMBER, UNPACKS
from collector.understanding.known import Known
from collector.understanding.otlp import Ints
from collector.understanding.paths import UNREADABLE, Node, at_path, keep, parsed, steps_of

LARGEST: Final = 65536
_LARGEST_INT64: Final = 2**63 - 1
_ID_FIRST: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9_.:-]{1,200})"')

_KINDS: Final = {bool: "flag", int: "whole", float: "real", str: "text"}

Taken = list[tuple[int, str, Any, int]]
"""Number of an attribute, kind and value, and the dialect on whose spans it counts."""


class Found:
    """What was taken out, as attributes of rows: each distinct value once, and who holds it."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        """Of the values' attributes."""
        self._places: dict[str, list[int]] = {kind: [] for kind in _KINDS.values()}
        self._values: dict[str, list[Any]] = {kind: [] for kind in _KINDS.values()}
        self._rows = [np.zeros(0, dtype=np.int64)]
        self._held = [np.zeros(0, dtype=np.int64)]

    def of_kind(self, kind: str) -> tuple[list[int], list[Any]]:
        """Places and values of those of a kind."""
        return self._places[kind], self._values[kind]

    def held(self) -> tuple[Ints, Ints]:
        """Rows, and the place of a value that each holds."""
        return np.concatenate(self._rows), np.concatenate(self._held)

    def add(self, taken: Sequence[Taken], which: Ints, holders: Ints, dialect: Ints) -> None:
        """Adds what was ``taken`` out of some values; ``holders`` hold those at ``which``."""
        parts = [(place, *part) for place, parts in enumerate(taken) for part in parts]
        first = len(self.numbers)
        for _, number, kind, value, _ in parts:
            self._places[kind].append(len(self.numbers))
            self._values[kind].append(value)
            self.numbers.append(number)
        places = np.array([part[0] for part in parts], dtype=np.int64)
        whose = np.array([part[-1] for part in parts], dtype=np.int64)
        # Each part once for each holder of the value that it was in.
        counts = np.bincount(which, minlength=len(taken))
        times = counts[places]
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        begins = (np.cumsum(counts) - counts)[places]
        at = np.argsort(which, kind="stable")[np.repeat(begins, times) + within]
        part = np.repeat(np.arange(len(parts)), times)
        fits = (whose[part] == ANY) | (whose[part] == dialect[holders[at]])
        # Of an attribute that comes twice, the last counts.
        order = np.argsort(at[fits], kind="stable")
        self._rows.append(holders[at[fits][order]])
        self._held.append(first + part[fits][order])


@dataclass(frozen=True, slots=True)
class _Taker:
    """An ``Unpacked``, ready for use."""

    at: tuple[str, ...]
    whose: int
    given: frozenset[str]
    unless: frozenset[str]
    takes: Node
    otherwise: "_Taker | None"

    @classmethod
    def of(cls, unpacked: Unpacked, whose: int) -> "_Taker":
        takes = Node()
        for order, (path, names) in enumerate(unpacked.takes.items()):
            for name in (names,) if isinstance(names, str) else names:
                takes.add(order, steps_of(path), NUMBER[name])
        otherwise = cls.of(unpacked.otherwise, whose) if unpacked.otherwise else None
        given, unless = unpacked.given, unpacked.unless
        return cls(steps_of(unpacked.at), whose, given, unless, takes, otherwise)

    def fits(self, content: object) -> bool:
        keys = content.keys() if isinstance(content, dict) else frozenset[str]()
        return not (self.given and self.given.isdisjoint(keys)) and self.unless.isdisjoint(keys)

    def taken(self, content: object, whole: object) -> Taken:
        """What is found in some content; ``whole`` is what it is where it cannot be parsed."""
        inside = at_path(content, self.at)
        taker: _Taker | None = self
        while taker and not taker.fits(inside):
            taker = taker.otherwise
        if taker is None:
            return []
        found: dict[int, tuple[int, object]] = {}
        taker.takes.gather(inside, found)
        if not self.at:
            for order, number in taker.takes.here:
                found.pop(number, None)
                keep(found, order, number, whole)
        return [
            told
            for number, (_, value) in found.items()
            if (told := _told(number, value, self.whose))
        ]


def _told(number: int, value: object, whose: int) -> tuple[int, str, Any, int] | None:
    """A value that an attribute could have; a map or a list is none."""
    kind = _KINDS.get(type(value))
    if kind == "whole" and abs(value) > _LARGEST_INT64:  # type: ignore[arg-type] # a whole number
        return number, "real", float(value), whose  # type: ignore[arg-type] # as above
    return (number, kind, value, whose) if kind else None


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
        rows = slice(known.starts[number], known.starts[number + 1])
        if rows.start == rows.stop:
            continue
        places, which = np.unique(known.said[rows], return_inverse=True)
        taken = _all_taken(known, number, places)
        if not any(taken):
            continue
        found.add(taken, which, known.holder[rows], dialect)
    return found


def _all_taken(known: Known, number: int, places: Ints) -> list[Taken]:
    """What is taken out of an attribute's distinct values, which are at ``places``."""
    taken: list[Taken] = [[] for _ in places]
    for kind in ("text", "raw", "array", "pairs"):
        if kind in known.values:
            for place, raw in enumerate(known.values[kind].take(pa.array(places)).to_pylist()):
                if raw is not None:
                    taken[place] = _taken(number, kind, raw)
    return taken


def _taken(number: int, kind: str, raw: bytes) -> Taken:
    takers = _TAKERS[number]
    if len(raw) > LARGEST:
        return _id_of_long(takers, raw)
    content = parsed(raw) if kind in {"text", "raw"} else _decoded(kind, raw)
    whole = raw.decode("utf-8", "replace") if content is UNREADABLE else content
    if isinstance(content, str):
        content = parsed(content.encode())
    return [found for taker in takers for found in taker.taken(content, whole)]


def _id_of_long(takers: Sequence[_Taker], raw: bytes) -> Taken:
    head = _ID_FIRST.match(raw[:400])
    if not head:
        return []
    return [
        (number, "text", head[1].decode(), taker.whose)
        for taker in takers
        if not taker.at and "id" in taker.takes.below
        for _, number in taker.takes.below["id"].here
    ]


def _decoded(kind: str, raw: bytes) -> object:
    """What a list or a map of OTLP holds."""
    try:
        if kind == "array":
            return [_plain(item) for item in ArrayValue.FromString(raw).values]
        return {pair.key: _plain(pair.value) for pair in KeyValueList.FromString(raw).values}
    except DecodeError:
        return UNREADABLE


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
