"""What was heard as bytes, and back: also by a later version of this program.

A record is JSON (counts, dictionaries, readings) and the sightings as an Arrow stream that names
its columns. So what a version before wrote is read: a column or a field that it did not know is
null, as what nobody told is.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, TypeVar, get_args, get_type_hints

import numpy as np
import pyarrow as pa

from spend.calls import Emitter, Owner, Route
from spend.capacity.energy import EnergyCounter, EnergyReading
from spend.contents.contents import Content
from spend.readings import Reading, TokenCounter
from store.intake.intake import Heard, Part
from store.sightings import SIGHTINGS

VERSION: Final = 1
"""Changes when an older program must not read it."""
_LENGTH: Final = struct.Struct("<I")
_UNREADABLE: Final = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    OSError,  # as Arrow calls what is cut off
    struct.error,
    pa.ArrowException,
)
_COUNTS: Final = ("refused", "usage_refused", "usage_conflicts")

_HINTS: Final[Mapping[type[Any], dict[str, Any]]] = {
    kind: get_type_hints(kind)
    for kind in (
        Owner,
        Route,
        Emitter,
        TokenCounter,
        Reading,
        EnergyCounter,
        EnergyReading,
        Content,
    )
}

T = TypeVar("T")


class NotUnderstood(Exception):  # noqa: N818 - it names what the record is
    """A record that is whole, and that this version cannot read: it is kept for one that can."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What a record holds."""

    heard: Heard
    received_at: datetime


def encode(heard: Heard, received_at: datetime) -> bytes:
    """A record's body."""
    told = {
        "version": VERSION,
        "received_at": received_at.isoformat(),
        "parts": [_part_told(part) for part in heard.parts],
        "part_of": heard.part_of.tolist(),
        "owners": _told(heard.owners),
        "routes": _told(heard.routes),
        "emitters": _told(heard.emitters),
        "counters": _told(heard.counters),
        "energy_counters": _told(heard.energy_counters),
    }
    contents = [
        [number, _values(each)] for number, part in enumerate(heard.parts) for each in part.contents
    ]
    if contents:
        # Not within the parts: versions that know nothing of it read all the rest.
        told["contents"] = contents
    # Escaped: what cannot be written as UTF-8 must not keep its neighbours from the disk.
    text = json.dumps(told, separators=(",", ":")).encode()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, heard.sightings.schema) as stream:
        stream.write_batch(heard.sightings)
    return b"".join((_LENGTH.pack(len(text)), text, sink.getvalue()))


def decode(body: bytes) -> Spooled:
    """What a record's body says. Raises NotUnderstood."""
    try:
        (length,) = _LENGTH.unpack_from(body)
        told = json.loads(body[_LENGTH.size : _LENGTH.size + length])
        if told["version"] != VERSION:
            raise NotUnderstood(f"it is of version {told['version']}, and this reads {VERSION}")
        heard = Heard(
            parts=_with_contents([_part(part) for part in told["parts"]], told),
            sightings=_sightings(body[_LENGTH.size + length :]),
            part_of=np.array(told["part_of"], dtype=np.int64),
            owners=_entries(Owner, told["owners"]),
            routes=_entries(Route, told["routes"]),
            emitters=_entries(Emitter, told["emitters"]),
            counters=_entries(TokenCounter, told["counters"]),
            energy_counters=_entries(EnergyCounter, told.get("energy_counters", [])),
        )
        received_at = datetime.fromisoformat(told["received_at"])
    except _UNREADABLE as why:
        raise NotUnderstood(repr(why)) from why
    if len(heard.part_of) != heard.sightings.num_rows:
        raise NotUnderstood("not every sighting is of a request")
    return Spooled(heard, received_at)


def _part_told(part: Part) -> dict[str, Any]:
    told = {
        "heard": part.heard,
        "not_a_call": part.not_a_call,
        **{name: dict(getattr(part, name)) for name in _COUNTS},
        "readings": [_values(reading) for reading in part.readings],
    }
    # Few tell of energy: without it, versions that know nothing of it can read this.
    energy = [_values(reading) for reading in part.energy]
    return told | ({"energy": energy} if energy else {})


def _part(told: dict[str, Any]) -> Part:
    readings = [_made(Reading, values) for values in told["readings"]]
    energy = tuple(_made(EnergyReading, values) for values in told.get("energy", ()))
    return Part(**{**told, "readings": readings, "energy": energy})


def _with_contents(parts: list[Part], told: dict[str, Any]) -> list[Part]:
    for number, values in told.get("contents", ()):
        content = _made(Content, values)
        parts[number] = replace(parts[number], contents=[*parts[number].contents, content])
    return parts


def _told(entries: Mapping[int, Any]) -> list[list[Any]]:
    return [[id_, _values(entry)] for id_, entry in entries.items()]


def _values(entry: Any) -> dict[str, Any]:
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _entries(kind: type[T], told: list[list[Any]]) -> dict[int, T]:
    return {id_: _made(kind, values) for id_, values in told}


def _made(kind: type[T], told: dict[str, Any]) -> T:
    """A value whose fields were told; one that was not is null where it may be."""
    hints = _HINTS[kind]
    nullable = [name for name, hint in hints.items() if type(None) in get_args(hint)]
    values: dict[str, Any] = dict.fromkeys(nullable)
    for name, value in told.items():
        values[name] = datetime.fromisoformat(value) if hints[name] is datetime else value
    return kind(**values)


def _sightings(data: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(data) as stream:
        table = stream.read_all()
    unknown = set(table.column_names) - set(SIGHTINGS.names)
    if unknown:
        raise NotUnderstood(f"its sightings have {', '.join(sorted(unknown))}")
    columns = [_column(table, field) for field in SIGHTINGS]
    return pa.RecordBatch.from_arrays(columns, schema=SIGHTINGS)


def _column(table: pa.Table, field: pa.Field) -> pa.Array:
    if field.name not in table.column_names:
        if not field.nullable:
            raise NotUnderstood(f"its sightings have no {field.name}")
        return pa.nulls(table.num_rows, field.type)
    column = table.column(field.name).cast(field.type)
    return column.chunk(0) if column.num_chunks else pa.array([], field.type)
