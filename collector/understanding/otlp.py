"""OTLP requests, from protobuf bytes to columns, without a Python object per span.

``ptars`` turns protobuf into Arrow by a description of the messages. Ours (``MESSAGES``) is a
part of OTLP's ``trace.proto``, ``logs.proto`` and ``common.proto`` (proto 1.11): what is not
described is skipped unread, which makes decoding faster and nested values harmless, however deep.
Strings are described as bytes, which are the same on the wire: text that is no UTF-8 then costs
the one attribute its meaning, and not the request its other spans.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from ptars import HandlerPool

from collector.errors import Malformed
from collector.understanding.attributes import KEYS

Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.uint64]

_BYTES: Final = FieldDescriptorProto.TYPE_BYTES
_FIXED64: Final = FieldDescriptorProto.TYPE_FIXED64
_ENUM: Final = FieldDescriptorProto.TYPE_INT32

_LONG: Final = 256
"""Bytes of an attribute from which on it is worth a look whether anybody wants it."""
_SHORT: Final = 0x80
"""Lengths below it are one byte."""
_KEY_FIRST, _VALUE_NEXT = 0x0A, 0x12
"""The tags of an attribute's fields."""
EXCEPTION_TYPE: Final = b"exception.type"
EXCEPTION_MESSAGE: Final = b"exception.message"
_OF_SPANS: Final = frozenset(key.encode() for key in KEYS)
_OF_EVENTS: Final = frozenset({EXCEPTION_TYPE, EXCEPTION_MESSAGE})

# message -> field -> (number, type): a name in brackets is a repeated field. Attributes stay bytes
# at first, since most are said again and again (``attributes_of``).
MESSAGES: Final[dict[str, dict[str, tuple[int, str | int]]]] = {
    "Value": {
        "text": (1, _BYTES),
        "flag": (2, FieldDescriptorProto.TYPE_BOOL),
        "whole": (3, FieldDescriptorProto.TYPE_INT64),
        "real": (4, FieldDescriptorProto.TYPE_DOUBLE),
        "array": (5, _BYTES),
        "pairs": (6, _BYTES),
        "raw": (7, _BYTES),
    },
    "Attribute": {"key": (1, _BYTES), "value": (2, "Value")},
    "Resource": {"attributes": (1, "[bytes]")},
    "Scope": {"name": (1, _BYTES), "version": (2, _BYTES)},
    "Event": {"time": (1, _FIXED64), "name": (2, _BYTES), "attributes": (3, "[bytes]")},
    "Status": {"message": (2, _BYTES), "code": (3, _ENUM)},
    "Span": {
        "trace_id": (1, _BYTES),
        "span_id": (2, _BYTES),
        "parent_span_id": (4, _BYTES),
        "name": (5, _BYTES),
        "kind": (6, _ENUM),
        "start": (7, _FIXED64),
        "end": (8, _FIXED64),
        "attributes": (9, "[bytes]"),
        "events": (11, "[Event]"),
        "status": (15, "Status"),
    },
    "ScopeSpans": {"scope": (1, "Scope"), "spans": (2, "[Span]")},
    "ResourceSpans": {"resource": (1, "Resource"), "scope_spans": (2, "[ScopeSpans]")},
    "Request": {"resource_spans": (1, "[ResourceSpans]")},
    "Record": {
        "time": (1, _FIXED64),
        "severity": (2, _ENUM),
        "body": (5, "Value"),
        "attributes": (6, "[bytes]"),
        "trace_id": (9, _BYTES),
        "span_id": (10, _BYTES),
        "observed": (11, _FIXED64),
        "event_name": (12, _BYTES),
    },
    "ScopeLogs": {"scope": (1, "Scope"), "records": (2, "[Record]")},
    "ResourceLogs": {"resource": (1, "Resource"), "scope_logs": (2, "[ScopeLogs]")},
    "LogsRequest": {"resource_logs": (1, "[ResourceLogs]")},
    # Any of the two, with nothing read.
    "Items": {"items": (2, "[bytes]")},
    "Scopes": {"scopes": (2, "[Items]")},
    "Frame": {"groups": (1, "[Scopes]")},
}


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of many holders (spans, resources or events), one row an attribute."""

    holder: Ints
    """Row of the holder, ascending."""
    said: Ints
    """Row of ``key`` and ``values``, which hold each distinct attribute once."""
    key: pa.BinaryArray
    values: dict[str, pa.Array]
    """By kind of value: ``text`` (bytes), ``flag``, ``whole``, ``real``, ``array``, ``pairs``
    (both undecoded protobuf) and ``raw``; those that some row has. In a row one at most is not
    null."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of all spans."""

    span: Ints
    time: Times
    """Nanoseconds since 1970, UTC, as is ``Spans.start``."""
    name: pa.BinaryArray
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Spans:
    """All spans of one or several requests, in their order, one row a span."""

    trace_id: pa.BinaryArray
    span_id: pa.BinaryArray
    parent_span_id: pa.BinaryArray
    name: pa.BinaryArray
    kind: Ints
    start: Times
    end: Times
    status: Ints
    status_message: pa.BinaryArray
    attributes: Attributes
    events: Events
    scope: Ints
    """Row of ``scope_name`` and ``scope_version``."""
    scope_name: pa.BinaryArray
    scope_version: pa.BinaryArray
    resource: Ints
    """Holder of the span's attributes in ``resource_attributes``."""
    resources: int
    resource_attributes: Attributes
    request: Ints
    """Which of the requests it came in."""
    requests: int

    def __len__(self) -> int:
        """How many."""
        return len(self.kind)


def _describe() -> FileDescriptorProto:
    file = FileDescriptorProto(name="heard.proto", package="heard", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == "Value":
            message.oneof_decl.add(name="value")
        for field, (number, kind) in fields.items():
            described = message.field.add(name=field, number=number)
            described.label = FieldDescriptorProto.LABEL_OPTIONAL
            if isinstance(kind, str) and kind.startswith("["):
                described.label = FieldDescriptorProto.LABEL_REPEATED
            if kind == "[bytes]":
                described.type = _BYTES
            elif isinstance(kind, str):
                described.type = FieldDescriptorProto.TYPE_MESSAGE
                described.type_name = f".heard.{kind.strip('[]')}"
            else:
                described.type = FieldDescriptorProto.Type.ValueType(kind)
            if name == "Value":
                described.oneof_index = 0
    return file


class Handler:
    """Turns serialised messages of one kind into Arrow. Raises ValueError where one is none."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def list_to_record_batch(self, messages: list[bytes]) -> Any:
        """Of messages in a list."""
        with _panics_told():
            return self._handler.list_to_record_batch(messages)

    def array_to_record_batch(self, messages: Any) -> Any:
        """Of messages in an Arrow array of bytes."""
        with _panics_told():
            return self._handler.array_to_record_batch(messages)


@contextmanager
def _panics_told() -> Iterator[None]:
    """A length of nearly 2**64 makes ptars panic, which is no Exception and would stop at nothing.

    Found by fuzzing, in ptars 0.0.25.
    """
    try:
        yield
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        raise ValueError(f"failed to decode Protobuf message: {panic}") from None


def handler_of(message: str) -> Handler:
    """What turns serialised messages (one of ``MESSAGES``) into Arrow."""
    pool = DescriptorPool()
    pool.Add(_describe())
    handlers = HandlerPool([pool.FindFileByName("heard.proto")])
    return Handler(handlers.get_for_message(pool.FindMessageTypeByName(f"heard.{message}")))


_HANDLER: Final = handler_of("Request")
_ATTRIBUTE: Final = handler_of("Attribute")


def items_of(array: Any) -> tuple[Any, Ints]:
    """The items of a list column, and for each the row whose list it is in."""
    lengths = np.diff(array.offsets.to_numpy())
    return array.values, np.repeat(np.arange(len(array), dtype=np.int64), lengths)


def attributes_of(lists: Any, *, wanted: frozenset[bytes] | None = None) -> Attributes:
    """A list column of serialised attributes, as one row an attribute.

    Where some are ``wanted``, the others may be left out: prompts are long. Raises ValueError
    where one cannot be read.
    """
    items, holder = items_of(lists)
    if not len(items):
        return Attributes(holder, holder, pa.array([], pa.binary()), {})
    if wanted is not None:
        long = np.flatnonzero(pc.binary_length(items).to_numpy() > _LONG)
        unwanted = long[_unwanted(items, long, wanted)]
        if len(unwanted):
            kept = np.delete(np.arange(len(items)), unwanted)
            items, holder = items.take(pa.array(kept)), holder[kept]
    encoded = items.dictionary_encode()
    distinct = _ATTRIBUTE.array_to_record_batch(encoded.dictionary)
    key, value = distinct.columns
    # flatten(), not field(): what is under a value that is not there must read as null.
    parts = zip([field.name for field in value.type], value.flatten(), strict=True)
    values = {name: part for name, part in parts if part.null_count < len(part)}
    return Attributes(holder, encoded.indices.to_numpy().astype(np.int64), key, values)


def _unwanted(items: Any, long: Ints, wanted: frozenset[bytes]) -> list[bool]:
    """Which of the long attributes begin with another key, as all encoders write them."""
    heads = pc.binary_slice(items.take(pa.array(long)), 0, _LONG).to_pylist()
    return [
        head[0] == _KEY_FIRST
        and head[1] < _SHORT
        and head[2 + head[1]] == _VALUE_NEXT
        and head[2 : 2 + head[1]] not in wanted
        for head in heads
    ]


def read_spans(requests: Sequence[bytes]) -> Spans:
    """The spans of some serialised ``ExportTraceServiceRequest``.

    Raises ``Malformed`` where some bytes are no protobuf of that message: resending is useless.
    """
    try:
        return _spans(_HANDLER.list_to_record_batch(list(requests)))
    except ValueError as refusal:
        raise Malformed(f"not an ExportTraceServiceRequest: {refusal}") from None


def _spans(batch: pa.RecordBatch) -> Spans:
    groups, request_of_group = items_of(batch.column(0))
    scopes, resource_of_scope = items_of(groups.field("scope_spans"))
    spans, scope = items_of(scopes.field("spans"))
    events, event_span = items_of(spans.field("events"))
    return Spans(
        trace_id=spans.field("trace_id"),
        span_id=spans.field("span_id"),
        parent_span_id=spans.field("parent_span_id"),
        name=spans.field("name"),
        kind=spans.field("kind").to_numpy().astype(np.int64),
        start=spans.field("start").to_numpy(),
        end=spans.field("end").to_numpy(),
        status=_or_zero(spans.field("status"), "code"),
        status_message=spans.field("status").field("message"),
        attributes=attributes_of(spans.field("attributes"), wanted=_OF_SPANS),
        events=Events(
            event_span,
            events.field("time").to_numpy(),
            events.field("name"),
            attributes_of(events.field("attributes"), wanted=_OF_EVENTS),
        ),
        scope=scope,
        scope_name=scopes.field("scope").field("name"),
        scope_version=scopes.field("scope").field("version"),
        resource=resource_of_scope[scope],
        resources=len(groups),
        resource_attributes=attributes_of(groups.field("resource").field("attributes")),
        request=request_of_group[resource_of_scope[scope]],
        requests=batch.num_rows,
    )


def _or_zero(struct: Any, field: str) -> Ints:
    """An integer of a message that may be absent, which protobuf reads as zero."""
    numbers: Ints = struct.field(field).to_numpy(zero_copy_only=False).astype(np.int64)
    if struct.null_count:
        numbers = np.where(struct.is_valid().to_numpy(zero_copy_only=False), numbers, 0)
    return numbers
