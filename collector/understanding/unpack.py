"""Attributes that hold JSON: the few values in them that count, as if they were attributes.

Bounded: a value over ``LARGEST`` bytes is not parsed. Of a long answer only the id at its very
beginning is looked for, which is where providers put it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from collector.dialects.table import Unpacked
from collector.understanding.attributes import ANY, FIRST_UNPACKED, KEYS, NUMBER, UNPACKS, Known
from collector.understanding.otlp import Ints

LARGEST: Final = 65536
_LARGEST_INT64: Final = 2**63 - 1
_ID_FIRST: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9_.:-]{1,200})"')

_JSON_WORDS: Final = {b"None": b"null", b"True": b"true", b"False": b"false"}
_PYTHON_WORD: Final = re.compile(rb"\b(?:None|True|False)\b")


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

    def put(self, row: int, key: str, value: object) -> None:
        """Adds a value, if it is one that an attribute could have; a map or list is not."""
        kind = {bool: "flag", int: "whole", float: "real", str: "text"}.get(type(value))
        if isinstance(value, int) and abs(value) > _LARGEST_INT64:
            kind, value = "real", float(value)
        if kind is not None:
            self.rows.append(row)
            self.numbers.append(NUMBER[key])
            self.kinds.append(kind)
            self.values.append(value)


def unpack(known: Known, dialect: Ints) -> Found:
    """What the dialects take out of the JSON among some spans' known attributes.

    ``dialect`` is each span's index in DIALECTS, or -1.
    """
    found = Found()
    texts = known.values.get("text")
    first = int(known.starts[FIRST_UNPACKED])
    if texts is None or first == len(known.number):
        return found
    parsed: dict[tuple[int, bytes], list[tuple[str, object, int]]] = {}
    for place in range(first, len(known.number)):
        number = int(known.number[place])
        raw = texts[place].as_py()
        if not raw:
            continue
        at = (number, raw)
        if at not in parsed:
            parsed[at] = [
                (key, value, whose)
                for unpacked, whose in UNPACKS[KEYS[number]]
                for key, value in _values(unpacked, raw)
            ]
        row = int(known.holder[place])
        for key, value, whose in parsed[at]:
            if whose in (ANY, dialect[row]):
                found.put(row, key, value)
    return found


def _values(unpacked: Unpacked, raw: bytes) -> list[tuple[str, object]]:
    if len(raw) > LARGEST:
        head = _ID_FIRST.match(raw[:400])
        key = unpacked.takes.get("id")
        return [(key, head[1].decode())] if head and key else []
    if raw[:1] not in b'{["' and "" not in unpacked.takes:
        return []
    try:
        content = orjson.loads(_as_json(raw))
    except orjson.JSONDecodeError:
        return []
    taken = ((key, _at(content, path)) for path, key in unpacked.takes.items())
    return [(key, value) for key, value in taken if value is not None]


def _as_json(raw: bytes) -> bytes:
    """JSON, also from a Python dict printed (LiteLLM), if its texts hold no quotes or escapes."""
    if not raw.startswith((b"{'", b"[{'")) or b'"' in raw or b"\\" in raw:
        return raw
    return _PYTHON_WORD.sub(lambda word: _JSON_WORDS[word[0]], raw.replace(b"'", b'"'))


def _at(content: object, path: str) -> object:
    for step in path.split(".") if path else ():
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content
