"""OTLP log requests, from protobuf bytes to the same columns as spans.

A record stands as a span that ends when it was written: whatever comes after treats both alike.
Its own trace and span id are those of the span that it was written in, so here they are trace and
parent; ids of its own it gets in ``collector/understanding/identity.py``.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.errors import Malformed
from collector.understanding.attributes import EVENTS
from collector.understanding.otlp import (
    Attributes,
    Events,
    Spans,
    attributes_of,
    handler_of,
    items_of,
)

CLIENT: Final = 3
"""OTLP's span kind of the side that calls."""
FAILED: Final = 2
"""OTLP's status code for a failure."""
_ERROR: Final = 17
"""The lowest of OTLP's severities that are errors."""
_NAMES: Final = pa.array(sorted({event.name.encode() for event, _ in EVENTS}), pa.binary())
_MESSAGES: Final = (b"error.message", b"error", b"exception.message")

_HANDLER: Final = handler_of("LogsRequest")


def read_records(requests: Sequence[bytes]) -> Spans:
    """The log records of some serialised ``ExportLogsServiceRequest``.

    ``name`` is that of an event which some dialect knows, or empty; ``start`` is when it was
    written. Raises ``Malformed`` where some bytes are no protobuf of that message.
    """
    try:
        return _records(_HANDLER.list_to_record_batch(list(requests)))
    except ValueError as refusal:
        raise Malformed(f"not an ExportLogsServiceRequest: {refusal}") from None


def _records(batch: pa.RecordBatch) -> Spans:
    groups, request_of_group = items_of(batch.column(0))
    scopes, resource_of_scope = items_of(groups.field("scope_logs"))
    records, scope = items_of(scopes.field("records"))
    attributes = attributes_of(records.field("attributes"))
    time, observed = (records.field(name).to_numpy() for name in ("time", "observed"))
    failed = records.field("severity").to_numpy() >= _ERROR
    return Spans(
        trace_id=records.field("trace_id"),
        span_id=_empty(len(records)),
        parent_span_id=records.field("span_id"),
        name=_names(records, attributes),
        kind=np.full(len(records), CLIENT, dtype=np.int64),
        start=np.where(time == 0, observed, time),
        end=np.zeros(len(records), dtype=np.uint64),
        status=np.where(failed, FAILED, 0).astype(np.int64),
        status_message=_first_text(attributes, _MESSAGES, len(records)).fill_null(b""),
        attributes=attributes,
        events=_no_events(),
        scope=scope,
        scope_name=scopes.field("scope").field("name"),
        scope_version=scopes.field("scope").field("version"),
        resource=resource_of_scope[scope],
        resources=len(groups),
        resource_attributes=attributes_of(groups.field("resource").field("attributes")),
        request=request_of_group[resource_of_scope[scope]],
        requests=batch.num_rows,
    )


def _names(records: Any, attributes: Attributes) -> pa.BinaryArray:
    """The first of a record's names that some dialect knows."""
    body = dict(
        zip(
            [kind.name for kind in records.field("body").type],
            records.field("body").flatten(),
            strict=True,
        )
    )
    told = (
        _first_text(attributes, (b"event.name",), len(records)),
        _first_text(attributes, (b"event_name",), len(records)),
        records.field("event_name"),
        body["text"],
    )
    nothing = pa.scalar(None, pa.binary())
    known = [pc.if_else(pc.is_in(names, value_set=_NAMES), names, nothing) for names in told]
    return pc.coalesce(*known, pa.scalar(b"", pa.binary()))


def _first_text(attributes: Attributes, keys: Sequence[bytes], rows: int) -> pa.BinaryArray:
    """The text of the first of some attributes that a record has, null where it has none."""
    texts = attributes.values.get("text")
    if texts is None:
        return pa.nulls(rows, pa.binary())
    numbers = pc.index_in(attributes.key, value_set=pa.array(keys, pa.binary())).fill_null(-1)
    number = np.where(texts.is_valid(), numbers.to_numpy(zero_copy_only=False), -1)
    number = number[attributes.said]
    found = np.full(rows, -1, dtype=np.int64)
    for key in reversed(range(len(keys))):
        at = np.flatnonzero(number == key)
        found[attributes.holder[at]] = attributes.said[at]
    return texts.take(pa.array(found, mask=found < 0))


def _empty(rows: int) -> pa.BinaryArray:
    return pa.nulls(rows, pa.binary()).fill_null(b"")


def _no_events() -> Events:
    none = np.zeros(0, dtype=np.int64)
    key = pa.array([], pa.binary())
    return Events(none, none.astype(np.uint64), key, Attributes(none, none, key, {}))
